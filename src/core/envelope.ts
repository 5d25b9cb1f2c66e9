/**
 * What crosses the border between a channel and the core, in both directions.
 * Values only: no class, no function, nothing of a provider's own vocabulary.
 */

import type { FilledTemplate } from './template.ts';

export type MessageType =
  | 'text'
  | 'attachment'
  | 'card'
  | 'location'
  | 'contact'
  | 'template'
  | 'note'
  | 'activity'
  | 'unsupported';

/** Who wrote, as the channel knows them. `address` is unique within the channel. */
export interface Sender {
  address: string;
  kind: string;
  name?: string;
  email?: string;
  phone?: string;
  externalId?: string;
  /** The address is surely the sender's: signed for, not only claimed. */
  isProven?: boolean;
  /** Other addresses of the same person on this channel, as the provider vouches: all of them are one customer. */
  aliases?: { address: string; kind: string }[];
  /** What else the provider said of the person (username, language), kept on the identity. */
  profile?: Record<string, unknown>;
}

/** Where an attachment's bytes can be had. `ref` is the adapter's own (a file id, a URL) and never shown. */
export interface AttachmentRef {
  name?: string;
  contentType?: string;
  sizeBytes?: number;
  ref: Record<string, unknown>;
  /** The bytes are in the request that brought the message, which is kept: `readAttachment` takes them out of it. */
  inRequest?: boolean;
  /** Which request that is; ingest writes it. */
  request?: { id: string; receivedAt: string };
  /** Already known to be over the channel's limit: stored as `too_large`, never fetched. */
  tooLarge?: boolean;
  /** Uploaded to us before (web chat): the id of the stored attachment, instead of a fetch. */
  uploadId?: string;
}

/** A button of a card: with `url` it opens an address, without it is a choice that the customer answers with. */
export interface CardAction {
  label: string;
  url?: string;
  /** What a program knows the choice by; its label where there is none. */
  action?: string;
  /** The second line of a list's row. */
  description?: string;
  /** The heading of the list below which the row stands. */
  section?: string;
}

/** One model for cards with buttons, quick replies and lists; `core/cards.ts` says what a channel shows of it. */
export interface Card {
  title: string;
  description?: string;
  actions?: CardAction[];
  /** How the choices are best shown; a channel that cannot shows them in the next best way. */
  layout?: 'buttons' | 'quick_replies' | 'list';
  /** What the button says that opens the list. */
  list_label?: string;
}

/** What a customer chose: of which card, and which of its choices. Of a button that is no card's of ours only the action is known. */
export interface Choice {
  message_id: string | null;
  number: number | null;
  label: string;
  action: string;
}

/** What a mail's headers said, beside its text. */
export interface MailFacts {
  subject?: string;
  from?: string;
  to?: string[];
  cc?: string[];
  bcc?: string[];
  reply_to?: string;
  message_id?: string;
  in_reply_to?: string;
  references?: string[];
}

interface InboundBase {
  /** Unique within the channel and stable over redeliveries: what a duplicate is recognised by. */
  externalEventId: string;
  /** The provider's chat, number pair or mail chain. Messages of one thread continue one conversation. */
  threadKey: string;
  /** Other keys of the same thread: whichever has the conversation, that one goes on. */
  threadAliases?: string[];
  /** Names the account that it is for (`accountKey`), where that is not the channel's own that was called. */
  account?: string;
  /** When the provider says it happened. */
  occurredAt?: Date;
}

/** A message of a customer. */
export interface InboundMessage extends InboundBase {
  kind: 'message';
  sender: Sender;
  /** The provider's id of the message; receipts, edits and replies refer to it. */
  externalId?: string;
  type: Exclude<MessageType, 'note' | 'activity' | 'template'>;
  content: string;
  html?: string;
  textFull?: string;
  attachments?: AttachmentRef[];
  card?: Card;
  email?: MailFacts;
  subject?: string;
  replyToExternalId?: string;
  /**
   * Provider ids of earlier messages that this one belongs to, the nearest first: it goes to the conversation of the
   * first that this channel knows, and else to its own thread's.
   */
  references?: string[];
  /** Items of one album share it and become one message with several attachments. */
  groupKey?: string;
  /** The client's own id of the message (web chat), given back in the answer and the event. */
  clientMessageId?: string;
  /** Which conversation the sender means; without it the thread's own goes on. `new` always opens one. */
  conversation?:
    | { id: string /** A signed token of ours named it: whoever wrote, it belongs there. */; isSigned?: true }
    | 'new';
  /** Written by the business itself in the provider's own app: kept as an agent's, sent already. */
  echo?: true;
  /** An automatic mail: stored, but it reopens nothing and is answered by nothing. */
  automatic?: boolean;
  /** False: it is stored only where a conversation goes on that it belongs to (a bounce of something we never sent). */
  opens?: false;
  /** The id of the button or row that the customer pressed, as `showCard` made it, or another program's own payload. */
  pressed?: string;
  /** Where several people write (a group): the group itself is the conversation's customer, each writer a sender. */
  group?: Sender;
  metadata?: Record<string, unknown>;
}

/** What became of a message that we sent. */
export interface Receipt extends InboundBase {
  kind: 'receipt';
  externalId: string;
  status: 'sent' | 'delivered' | 'read' | 'failed';
  /** `code` is our own word for it (`window_closed`), where there is one; `channelBroken` where it is the account that is refused. */
  error?: {
    providerCode?: string;
    message: string;
    code?: string;
    retryable?: boolean;
    channelBroken?: boolean;
  };
  /** Our own message and its part, where the provider gives back what we had sent along. */
  message?: { id: string; part: number };
}

export interface MessageEdit extends InboundBase {
  kind: 'edit';
  externalId: string;
  content: string;
  html?: string;
}

export interface MessageDelete extends InboundBase {
  kind: 'delete';
  externalId: string;
}

/** The whole set of one sender's reactions to one message: an empty list takes them back. */
export interface Reaction extends InboundBase {
  kind: 'reaction';
  externalId: string;
  sender: Sender;
  emojis: string[];
}

/** The provider renamed a thread or an address (Telegram's supergroup migration, a new phone number). */
export interface IdentityChange extends InboundBase {
  kind: 'identity_change';
  /** The thread that `threadKey` is from now on. */
  newThreadKey?: string;
  address?: { from: string; to: string; kind: string };
  /** The customer blocked us (false) or let us in again (true). */
  reachable?: boolean;
}

/** The customer forbids us to write (`stop`), allows it again (`start`), or asked what this is (`help`). */
export interface ConsentChange extends InboundBase {
  kind: 'consent';
  consent: 'stop' | 'start' | 'help';
  /** The word that said so; absent where the provider told us of itself. */
  keyword?: string;
  /** A word that means it only to somebody who had said stop before (a plain "yes"). */
  onlyAfterStop?: boolean;
}

export type Inbound =
  | InboundMessage
  | Receipt
  | MessageEdit
  | MessageDelete
  | Reaction
  | IdentityChange
  | ConsentChange;

/** A stored attachment on its way out. `url` stays valid long enough for the provider to fetch it. */
export interface OutboundAttachment {
  id: string;
  name: string;
  contentType: string;
  sizeBytes: number | undefined;
  url: string;
  /** Opens the stored bytes, for providers that take uploads. */
  open(): Promise<Uint8Array>;
}

/** A message for a customer, with all that any channel may need to send it. */
export interface OutboundMessage {
  id: string;
  conversationId: string;
  /** The provider's chat, number pair or mail chain that it goes to. */
  threadKey: string;
  type: MessageType;
  content: string;
  html: string | undefined;
  card: Card | undefined;
  attachments: OutboundAttachment[];
  email: { subject?: string; cc?: string[]; bcc?: string[] } | undefined;
  template: FilledTemplate | undefined;
  replyToExternalId: string | undefined;
  metadata: Record<string, unknown>;
  /** Present for channels that write letters (`writesLetters`). */
  correspondence?: Correspondence | undefined;
}

/** What a letter says besides its text: to whom it goes, and in answer to what. */
export interface Correspondence {
  /** The conversation's. */
  subject: string | undefined;
  /** The customer, as this channel knows them. */
  recipient: { address: string; name?: string } | undefined;
  /** A program wrote it: our own (`system`) or one of the business's (`bot`), its AI too. */
  writtenBy: 'agent' | 'system' | 'bot';
  writtenAt: Date;
  /** When our own program last wrote to this customer here. */
  lastAutomaticAt: Date | undefined;
  /** What customers and agents said before, the newest first: nothing that only the team may see. */
  earlier: EarlierMessage[];
}

export interface EarlierMessage {
  isInbound: boolean;
  externalId: string | undefined;
  /** Whether it is the one that this message answers. */
  isAnswered: boolean;
  senderName: string | undefined;
  content: string;
  html: string | undefined;
  writtenAt: Date;
  email: MailFacts | undefined;
  metadata: Record<string, unknown>;
}

/** One request to the provider. `payload` is the adapter's own; `split` makes it and `send` reads it. */
export interface Part {
  /** Counts from 0 within the message. */
  n: number;
  /** Counts from 1: more where somebody had what failed sent again. */
  generation?: number;
  threadKey: string;
  payload: Record<string, unknown>;
  attachments: OutboundAttachment[];
}

export interface SentPart {
  /** The provider's id, which receipts will name. */
  externalId: string | undefined;
  /** Further provider ids of the same part (an album has one per item). */
  alsoKnownAs?: string[];
  /** What acceptance means here: `sent` unless the channel confirms more at once. */
  status?: 'sent' | 'delivered';
  /** Those of several recipients whom the provider refused; the others have it. */
  refused?: { address: string; code?: string; message: string }[];
  /** The provider moved the thread (supergroup migration): where the next part goes. */
  newThreadKey?: string;
}

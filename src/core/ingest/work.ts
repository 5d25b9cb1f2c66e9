import type { AttachmentRef, InboundMessage } from '../envelope.ts';
import type { NewEvent } from '../events.ts';
import type { ConversationRow } from '../views/conversation.ts';
import type { CustomerRow } from '../views/customer.ts';
import type { MessageRow } from '../views/message.ts';
import type { Accepted, Item } from './item.ts';
import type { PlannedAttachment } from './rows.ts';
import type { State } from './state.ts';
import type { ThreadState } from './threads.ts';

/** Everything that a batch's messages change, decided without asking the database again. */
export interface Plan {
  newCustomers: CustomerRow[];
  filledCustomers: Set<CustomerRow>;
  newConversations: ConversationRow[];
  touchedConversations: Set<ConversationRow>;
  touchedThreads: Set<ThreadState>;
  /** Conversations whose customer is answered at another form of the same address from now on. */
  readdressed: Set<ConversationRow>;
  /** What the business itself wrote elsewhere. */
  echoes: MessageRow[];
  messages: MessageRow[];
  attachments: PlannedAttachment[];
  claimedUploads: PlannedAttachment[];
  /** Conversations whose open card was answered. */
  answered: Set<ConversationRow>;
  /** Further items of albums whose message was stored by an earlier batch. */
  albumAdditions: AlbumAddition[];
  /** Further items of albums, under the provider's ids by which edits, reactions and replies name them. */
  albumIds: ProviderIdRow[];
  /** Replies to what is not known, or not yet: a send of ours may be about to name it. */
  parkedReplies: { channelId: string; externalId: string; messageId: string }[];
  events: NewEvent[];
  accepted: Map<Item, Accepted>;
  /** Customers of each request, for erasure. */
  customerOf: Map<string, string>;
}

interface ProviderIdRow {
  channel_id: string;
  external_id: string;
  message_id: string;
}

export interface AlbumAddition {
  inbound: InboundMessage;
  messageId: string;
}

export interface PlanContext {
  now: Date;
  /** Encrypts an attachment's reference for its row. */
  sealSource(businessId: string, attachmentId: string, ref: AttachmentRef): string;
}

/** What planning reads and writes. */
export interface Work {
  state: State;
  plan: Plan;
  /** Messages of albums that began in this batch. */
  albums: Map<string, MessageRow>;
  context: PlanContext;
}

/** A plan that changes nothing yet. */
export function emptyPlan(): Plan {
  return {
    newCustomers: [],
    filledCustomers: new Set(),
    newConversations: [],
    touchedConversations: new Set(),
    touchedThreads: new Set(),
    readdressed: new Set(),
    echoes: [],
    messages: [],
    attachments: [],
    claimedUploads: [],
    answered: new Set(),
    albumAdditions: [],
    albumIds: [],
    parkedReplies: [],
    events: [],
    accepted: new Map(),
    customerOf: new Map(),
  };
}

import type { ZodType } from 'zod';
import type { PictureLimits } from './attachments/picture.ts';
import type { CardLimits } from './cards.ts';
import type { EgressGuard } from './egress.ts';
import type { AttachmentRef, Inbound, OutboundMessage, Part, SentPart } from './envelope.ts';
import type { Template } from './template.ts';

/** A business's connected account as its adapter sees it, secrets decrypted. */
export interface Channel<Settings = unknown> {
  id: string;
  businessId: string;
  settings: Settings;
  /** Where the provider reaches us; absent without a public https address. */
  doorUrl?: string | undefined;
}

/** What a provider accepts; `undefined` where it sets no limit. */
export interface Limits {
  /** The longest text of one part, in UTF-16 units. */
  textLength: number;
  captionLength?: number;
  attachmentsPerPart?: number;
  /** The largest file that we can fetch from the provider, in bytes. */
  inboundBytes: number;
  /** The largest file that we can send, in bytes. */
  outboundBytes: number;
  /** What a picture must be to be shown as one; others are converted. Absent: all are sent as they are. */
  pictures?: PictureLimits;
  /** What of cards can be shown with buttons or lists; absent: `split` finds the numbered text in `content`. */
  cards?: CardLimits;
}

/** An HTTP request of a provider, before anything of it is believed. Header names are lower case. */
export interface DoorRequest {
  method: string;
  /** The configured public URL of this door, not what a proxy made of it. */
  url: string;
  headers: Record<string, string>;
  body: Uint8Array;
}

/** What the provider is answered when all went well; without it an empty 200. */
export interface DoorAnswer {
  status: number;
  contentType?: string;
  body: string;
}

/** A customer begins or ends typing: shown, never stored. */
export interface TypingSign {
  threadKey: string;
  isTyping: boolean;
}

/** What became of one inbound item. */
export interface AcceptedItem {
  duplicate: boolean;
  messageId: string | undefined;
  conversationId: string | undefined;
  seq: number | undefined;
}

/** For providers that call us over HTTP. */
export interface Door<Settings> {
  /** True when the request carries the channel's signature or secret, over the raw bytes, compared in constant time. */
  verify(request: DoorRequest, channel: Channel<Settings>): boolean;
  /** Pure; leaves out what is not for us and turns what it does not know into `unsupported`. Throws on a malformed body only. */
  parse(request: DoorRequest, channel: Channel<Settings>): Inbound[] | Promise<Inbound[]>;
  /** A request that passes `verify` and holds nothing for us: by it we try our own door. */
  probe?(channel: Channel<Settings>, url: string): Pick<DoorRequest, 'headers' | 'body'>;
  /** Whether what is signed for one channel may bring items of another: one app of the provider may have several numbers. */
  sharesSecret?(channel: Channel<Settings>, other: Channel<Settings>): boolean;
  /** Pure: the customers that a request says are typing. */
  typing?(request: DoorRequest): TypingSign[];
  /** What the caller is told of its items; without it an empty 200. */
  answer?(accepted: AcceptedItem[]): DoorAnswer;
  /** The caller is a program of the business: a malformed body is refused in words, where a provider would only repeat it. */
  readonly tellsMistakes?: true;
  /** The answer to a GET that checks the door (Meta's challenge); undefined refuses. */
  challenge?(request: DoorRequest, channel: Channel<Settings>): DoorAnswer | undefined;
}

/** What connecting did, and what a person must still do by hand. */
export interface Setup {
  done: string[];
  todo: string[];
}

/** Bytes of an attachment on their way in. */
export interface Download {
  body: AsyncIterable<Uint8Array>;
  contentType?: string;
  name?: string;
  sizeBytes?: number;
}

/** One raw update of a source that we hold open ourselves, with what it means. Resolves after the commit. */
export type Receive = (raw: { body: Uint8Array; contentType: string }, inbound: Inbound[]) => Promise<void>;

export interface ListenContext {
  receive: Receive;
  signal: AbortSignal;
  /** Where the source was left (an offset, a UID), from the last `saveState`. */
  state: Record<string, unknown>;
  saveState(state: Record<string, unknown>): Promise<void>;
  /** Puts a secret of the channel's config in place of another that the provider has replaced. */
  keepSecret(key: string, value: string): Promise<void>;
  log(message: string, facts?: Record<string, unknown>): void;
}

export interface CatchUpContext {
  /** Everything before was seen already. */
  since: Date;
  /** What came later is asked for the next time; undefined when there is no more than can be listed at once. */
  until: Date | undefined;
  signal: AbortSignal;
  /** Those of the events that were never received. */
  missing(externalEventIds: string[]): Promise<Set<string>>;
  /** Those of the provider's ids that name messages of ours. */
  ours(externalIds: string[]): Promise<Set<string>>;
  receive: Receive;
}

export interface TypingContext {
  /** The provider's id of the customer's newest message, where there is one. */
  lastInboundId: string | undefined;
}

/** A message that our one reaction is for; without an emoji it is taken back. */
export interface ReactionTarget {
  threadKey: string;
  externalId: string;
  emoji: string | undefined;
}

/** What a part that was sent is to be instead. */
export interface EditTarget {
  part: Part;
  externalId: string;
}

/** All that the provider calls one message of ours. */
export interface RemovalTarget {
  threadKey: string;
  externalIds: string[];
}

export interface Health {
  ok: boolean;
  /** What the provider says of the account, in plain words and without secrets. */
  detail: string;
  facts?: Record<string, unknown>;
}

/** What an adapter may use of ours. Every request to an address that a tenant or provider gave goes through the guard. */
export interface AdapterContext {
  egress: EgressGuard;
  /** What our keys sign a text with, the newest first: to sign take the first, to check try all. */
  signatures(text: string): string[];
}

/**
 * Our code for one provider. Members that a provider has no use for are absent, never stubs that throw.
 * A new channel is one folder, one line in the registry, its fixtures and the adapter contract suite.
 */
export interface ChannelAdapter<Settings = unknown> {
  readonly type: string;
  /** Checks a channel's config before it is stored, fills generated values, and types it afterwards. */
  readonly settings: ZodType<Settings>;
  /** Keys of the config that are write-only and stored encrypted. */
  readonly secretKeys: readonly string[];
  /** Keys of the config that name a host: changing one requires the secrets again in the same request. */
  readonly hostKeys: readonly string[];
  /** Of those, what is never sent to any host, and so outlives a change of one. */
  readonly localSecretKeys?: readonly string[];
  readonly limits: Limits;
  /** A new message opens a thread of its own here; false where the address is the thread (Telegram, SMS). */
  readonly opensThreads: boolean;
  /** True where a message is a letter, with a subject and in answer to another: `split` gets its `correspondence`. */
  readonly writesLetters?: true;
  /** True where an answer may safely be resent after it was lost, since the provider deduplicates. */
  readonly sendIsIdempotent: boolean;
  /** How long after a customer's message anything but a template may be sent; absent: always. */
  readonly replyWindowMs?: number;
  /** What is asked with a few answers to choose from comes as a link to a page: people press nothing in a mail. */
  readonly asksByLink?: true;
  /** Where one type has several providers: the adapter that works a channel with these settings. */
  variant?(settings: Settings): ChannelAdapter;
  /** Waits between the tries of a send, where the usual ones end too early; after the last it has failed. */
  readonly retryAfterMs?: readonly number[];
  /** Names the provider's account: an active one belongs to one channel. */
  accountKey?(settings: Settings): string;
  /** The thread that a first message to this address opens; undefined when the address is none of this channel's. */
  threadKeyFor?(address: string): string | undefined;
  /** Pure: why a message whose words and files have so many bytes cannot be sent, as a sentence. */
  sizeRefusal?(bytes: number, settings: Settings): string | undefined;
  /** Pure: what one message becomes at the provider (4096 characters, albums, text beside media). */
  split(message: OutboundMessage, channel: Channel<Settings>): Part[];
  /**
   * Sends one part. Throws SendRejected when a retry cannot help, RateLimited when it must wait,
   * SendDeferred when the provider surely did not take it, OutcomeUnknown when nobody can know.
   * Absent where messages leave over our own sockets (web chat): they are `sent` once stored.
   */
  send?(part: Part, channel: Channel<Settings>, signal: AbortSignal): Promise<SentPart>;
  /** Changes a part that was sent, where it stands. Absent where the provider cannot. Throws as `send` does. */
  edit?(target: EditTarget, channel: Channel<Settings>, signal: AbortSignal): Promise<void>;
  /** Takes back what was sent. Absent where the provider cannot. Throws as `send` does. */
  remove?(target: RemovalTarget, channel: Channel<Settings>, signal: AbortSignal): Promise<void>;
  readonly door?: Door<Settings>;
  /** For sources we hold open ourselves; runs until the signal aborts. Present only where `shouldListen` says so. */
  listen?(channel: Channel<Settings>, context: ListenContext): Promise<void>;
  /** Whether this channel needs `listen`, given its public door URL (undefined without a public https address). */
  shouldListen?(channel: Channel<Settings>, doorUrl: string | undefined): boolean;
  /**
   * Registers our door with the provider, says what a person must still do by hand. Throws SendRejected with
   * `channelBroken` when the provider refuses the credentials.
   */
  connect?(channel: Channel<Settings>, doorUrl: string | undefined): Promise<Setup>;
  /** Asks the provider whether the account works and, given the public door URL, whether it calls that door. */
  health?(channel: Channel<Settings>, doorUrl?: string): Promise<Health>;
  /** Tells the provider that an inbound item has arrived (a pressed button stops spinning); after the commit, best effort. */
  acknowledge?(inbound: Inbound, channel: Channel<Settings>): Promise<void>;
  /** Opens a customer's file. Throws AppError `payload_too_large` when the provider gives out no file of its size. */
  fetchAttachment?(ref: AttachmentRef, channel: Channel<Settings>, signal: AbortSignal): Promise<Download>;
  /** Opens a customer's file that came within the request itself (mail), which we have kept. */
  readAttachment?(ref: AttachmentRef, request: DoorRequest, channel: Channel<Settings>): Promise<Download>;
  /** Lists what the provider has had of late, so that what a lost callback missed is received after all. */
  catchUp?(channel: Channel<Settings>, context: CatchUpContext): Promise<void>;
  /** Shows the customer that an agent types; best effort. */
  typing?(threadKey: string, channel: Channel<Settings>, context: TypingContext): Promise<void>;
  /** Tells the provider that an agent has read up to this message; best effort. */
  markRead?(threadKey: string, externalId: string, channel: Channel<Settings>): Promise<void>;
  /** Sets our one reaction to a message, or takes it back. Throws as `send` does. */
  react?(target: ReactionTarget, channel: Channel<Settings>): Promise<void>;
  /** Lists the messages that the provider has approved for the account. Throws as `send` does. */
  templates?(channel: Channel<Settings>): Promise<Template[]>;
}

export type ChannelRegistry = ReadonlyMap<string, ChannelAdapter>;

import type { AttachmentDraft } from '../attachments/attach.ts';
import type { Channels } from '../channels.ts';
import type { EgressGuard } from '../egress.ts';
import type { Card } from '../envelope.ts';
import type { Secrets } from '../secrets.ts';
import type { TemplateInput } from '../template.ts';
import type { Author } from './author.ts';

/** What somebody on our side wants to say. */
export interface Draft {
  content: string;
  note?: boolean | undefined;
  html?: string | undefined;
  card?: Card | undefined;
  attachments?: AttachmentDraft[] | undefined;
  replyToId?: string | undefined;
  email?: { subject?: string; cc?: string[]; bcc?: string[] } | undefined;
  sendAt?: Date | undefined;
  cancelOnReply?: boolean | undefined;
  /** Refuse when a public message came after this seq. */
  ifLastSeq?: number | undefined;
  /** Refuse when this agent or team has not got the conversation; `none`: when anybody has. */
  ifAssigneeId?: string | undefined;
  clientMessageId?: string | undefined;
  /** A message that the provider has approved, filled in; it may be sent at any time. */
  template?: TemplateInput | undefined;
  /** Facts for the agent side, such as how sure an AI was. */
  metadata?: Record<string, unknown> | undefined;
}

/** What writing needs, whoever writes. */
export interface WritingTools {
  secrets: Secrets;
  egress: Pick<EgressGuard, 'vetUrl'>;
  attachments: { idOfUrl(url: string): string | undefined };
  channels: Pick<Channels, 'load'>;
}

export interface Writing extends WritingTools {
  by: Author;
}

import { z } from 'zod';
import { type CsatSettings, csatSettings } from '../csat/settings.ts';
import { type ChannelAssignment, channelAssignment } from '../team/assignment.ts';

export interface ChannelRow {
  id: string;
  business_id: string;
  type: string;
  name: string;
  config: Record<string, unknown>;
  secrets: Buffer | null;
  account_key: string | null;
  is_active: boolean;
  is_default: boolean;
  reopen: string;
  assignment: ChannelAssignment;
  auto_resolve_after_minutes: number | null;
  retention_messages_days: number | null;
  csat: CsatSettings | null;
  greeting: string | null;
  out_of_hours: string | null;
  setup: { done: string[]; todo: string[] };
  connect_at: Date | null;
  /** Our door as the provider was told it last. */
  connected_url: string | null;
  broken_at: Date | null;
  broken_reason: string | null;
  listen_state: Record<string, unknown>;
  deleted_at: Date | null;
  created_at: Date;
  updated_at: Date;
}

export const channelView = z
  .object({
    id: z.string(),
    business_id: z.string(),
    type: z.string(),
    name: z.string(),
    config: z.record(z.string(), z.unknown()).meta({ description: 'Secrets are masked, like "••••1234".' }),
    is_active: z.boolean(),
    is_default: z.boolean(),
    reopen: z.string(),
    assignment: channelAssignment,
    auto_resolve_after_minutes: z.number().int().nullable(),
    retention_messages_days: z.number().int().nullable(),
    csat: csatSettings.nullable(),
    greeting: z.string().nullable(),
    out_of_hours: z.string().nullable(),
    webhook_url: z
      .string()
      .nullable()
      .meta({ description: 'Where the provider calls us; null where it does not.' }),
    setup: z.object({ done: z.array(z.string()), todo: z.array(z.string()) }),
    broken_at: z.string().nullable(),
    broken_reason: z.string().nullable(),
    generated: z
      .record(z.string(), z.string())
      .optional()
      .meta({ description: 'Secrets that Tributary made for this request, in clear text for this once.' }),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'Channel' });
export type ChannelView = z.infer<typeof channelView>;

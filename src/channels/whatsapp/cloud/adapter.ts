import type { AdapterContext, Channel, ChannelAdapter, ReactionTarget } from '../../../core/adapter.ts';
import { connect, health } from './connect.ts';
import { rethrow } from './errors.ts';
import { fetchAttachment } from './files.ts';
import { createGraph, type Graph } from './graph.ts';
import { LIMITS, REPLY_WINDOW_MS } from './limits.ts';
import { parse } from './parse.ts';
import { recipientOf, threadKeyFor } from './people.ts';
import { send } from './send.ts';
import { accountKey, type CloudSettings, cloudSettings } from './settings.ts';
import { split } from './split.ts';
import { listTemplates } from './templates.ts';
import { challenge, probe, sharesSecret, verify } from './verify.ts';

/** WhatsApp numbers on Meta's own Cloud API. */
export function cloudWhatsAppAdapter({
  egress,
}: Pick<AdapterContext, 'egress'>): ChannelAdapter<CloudSettings> {
  const graph = createGraph(egress);
  return {
    type: 'whatsapp',
    settings: cloudSettings,
    secretKeys: ['access_token', 'app_secret', 'verify_token'],
    hostKeys: ['api_root'],
    limits: LIMITS,
    opensThreads: false,
    sendIsIdempotent: false,
    replyWindowMs: REPLY_WINDOW_MS,
    accountKey: ({ phone_number_id }) => accountKey(phone_number_id),
    threadKeyFor,
    split,
    send: (part, channel, signal) => send(part, { graph, channel, signal }),
    door: { verify, parse, probe, challenge, sharesSecret },
    connect: (channel, doorUrl) => connect(graph, channel, doorUrl).catch(rethrow),
    health: (channel, doorUrl) => health(graph, channel, doorUrl),
    fetchAttachment: (ref, channel, signal) => fetchAttachment(ref, { graph, egress, channel, signal }),
    templates: (channel) => listTemplates(graph, channel).catch(rethrow),
    typing: (_key, channel, { lastInboundId }) => showTyping(graph, channel, lastInboundId),
    markRead: (_key, externalId, channel) => tell(graph, channel, seen(externalId)),
    react: (target, channel) => react(graph, channel, target),
  };
}

/** Meta shows typing as the answer to a message, which it marks as read by that, for 25 seconds at most. */
async function showTyping(
  graph: Graph,
  channel: Channel<CloudSettings>,
  lastInboundId: string | undefined,
): Promise<void> {
  if (lastInboundId === undefined) return;
  await tell(graph, channel, { ...seen(lastInboundId), typing_indicator: { type: 'text' } });
}

function seen(messageId: string) {
  return { status: 'read', message_id: messageId };
}

async function react(
  graph: Graph,
  channel: Channel<CloudSettings>,
  { threadKey, externalId, emoji }: ReactionTarget,
): Promise<void> {
  const reaction = { message_id: externalId, emoji: emoji ?? '' };
  await tell(graph, channel, { ...recipientOf(threadKey), type: 'reaction', reaction }).catch(rethrow);
}

async function tell(
  graph: Graph,
  { settings }: Channel<CloudSettings>,
  what: Record<string, unknown>,
): Promise<void> {
  const path = `${settings.phone_number_id}/messages`;
  await graph(settings, { method: 'POST', path, json: { messaging_product: 'whatsapp', ...what } });
}

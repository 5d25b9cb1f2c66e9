import { z } from 'zod';
import type { EventType } from '../core/events.ts';
import { conversationView } from '../core/views/conversation.ts';
import { customerView } from '../core/views/customer.ts';
import { draftView } from '../core/views/draft.ts';
import { messageView } from '../core/views/message.ts';
import { deliveryView } from './delivery-view.ts';
import { endpointView } from './endpoint-view.ts';
import { PAYLOAD_VERSION } from './payload.ts';

/** What an event tells. Facts beside the named ones may come with a later version. */
export interface EventDescription {
  summary: string;
  data: z.ZodObject;
}

const id = z.string();
const actor = z
  .object({ type: z.string(), id: id.nullable(), name: z.string().nullable() })
  .meta({ description: 'Who did it.' });
const changed = z.array(z.string()).meta({ description: 'The fields that changed.' });

const ofConversation = z.looseObject({
  conversation: conversationView,
  customer: customerView.nullable().optional(),
});
const byActor = ofConversation.extend({ actor });
const ofMessage = ofConversation.extend({ message: messageView });
/** The customer said stop, or start again. */
const consent = z.object({
  channel_id: id,
  address: z.string(),
  opted_out: z.boolean(),
  source: z.enum(['customer', 'provider', 'agent']),
});

const ofDraft = ofConversation.extend({ draft: draftView });
const ofCustomer = z.looseObject({ customer: customerView });
const ofEndpoint = z.looseObject({ endpoint: endpointView });

const assignment = byActor.extend({
  previous_assignee_id: id.nullable(),
  previous_team_id: id.nullable().optional(),
  assigned_by: id.nullable(),
});
// Nobody does it where a message of the customer reopens, or time wakes.
const transition = ofConversation.extend({ actor: actor.optional(), previous_status: z.string().optional() });

/** Every type of event, with the schemas that its data is made from. */
export const EVENT_CATALOGUE = {
  'conversation.created': { summary: 'A conversation began', data: ofConversation },
  'conversation.updated': {
    summary: 'Fields changed that have no event of their own',
    data: ofConversation.extend({
      actor: actor.optional(),
      changed: changed.optional(),
      csat: z
        .object({ score: z.number().int(), comment: z.string().nullable() })
        .optional()
        .meta({ description: 'What the customer said of how they were served.' }),
    }),
  },
  'conversation.assigned': { summary: 'It was given to an agent or a team', data: assignment },
  'conversation.unassigned': { summary: 'It was taken back', data: assignment },
  'conversation.status_changed': {
    summary: 'Its status changed, beside the event of the change itself',
    data: transition,
  },
  'conversation.snoozed': { summary: 'It was put off until later', data: transition },
  'conversation.unsnoozed': { summary: 'It came back from being put off', data: transition },
  'conversation.resolved': { summary: 'It was resolved', data: transition },
  'conversation.closed': { summary: 'It was closed', data: transition },
  'conversation.reopened': { summary: 'It was opened again', data: transition },
  'conversation.tags_changed': {
    summary: 'Tags were added or removed',
    data: ofConversation.extend({
      actor: actor.optional(),
      added_tags: z.array(z.string()),
      removed_tags: z.array(z.string()),
    }),
  },
  'conversation.handoff_requested': {
    summary: 'A person is asked to take over',
    data: ofConversation.extend({ actor: actor.optional(), reason: z.string().nullable() }),
  },
  'conversation.merged': { summary: 'It was merged into another one', data: byActor.extend({ into: id }) },
  'message.received': { summary: 'A customer wrote', data: ofMessage },
  'message.created': { summary: 'Somebody on our side wrote, a note too', data: ofMessage },
  'message.sent': { summary: 'The provider took a message', data: ofMessage },
  'message.delivered': { summary: 'A message reached the customer', data: ofMessage },
  'message.read': { summary: 'The customer read a message', data: ofMessage },
  'message.failed': { summary: 'A message could not be sent', data: ofMessage },
  'message.updated': { summary: 'A message changed, such as by an edit or a reaction', data: ofMessage },
  'message.deleted': { summary: 'A message was deleted', data: ofMessage },
  'customer.created': { summary: 'A customer is known', data: ofCustomer },
  'customer.updated': {
    summary: 'A customer changed',
    data: ofCustomer.extend({ changed: changed.optional(), consent: consent.optional() }),
  },
  'customer.merged': {
    summary: 'Customers turned out to be one',
    data: ofCustomer.extend({ merged_from: z.array(id).optional() }),
  },
  'customer.deleted': { summary: 'A customer was erased', data: z.looseObject({}) },
  'channel.error': {
    summary: 'The provider refuses the account of a channel',
    data: z.looseObject({ channel_id: id, channel_type: z.string(), reason: z.string() }),
  },
  'endpoint.failing': {
    summary: 'Deliveries to an endpoint fail; said again before it is switched off',
    data: ofEndpoint,
  },
  'endpoint.recovered': { summary: 'An endpoint that was failing answers again', data: ofEndpoint },
  'endpoint.disabled': { summary: 'An endpoint was switched off, failing or gone', data: ofEndpoint },
  'delivery.failed': {
    summary: 'A delivery was given up; at most one an hour for each endpoint',
    data: ofEndpoint.extend({ delivery: deliveryView }),
  },
  'agent.status_changed': {
    summary: 'An agent came or went',
    data: z.looseObject({ agent_id: id, status: z.string() }),
  },
  'draft.created': { summary: 'The AI suggests an answer to agents', data: ofDraft },
  'draft.updated': { summary: 'An agent accepted or discarded a suggestion', data: ofDraft },
} satisfies Record<EventType, EventDescription>;

const omission = {
  omitted: z
    .array(z.object({ path: z.string(), bytes: z.number().int() }))
    .optional()
    .meta({
      description:
        'What had no room in 64 KB: of a text only its beginning is here, a list or an object is empty.',
    }),
  whole_url: z
    .string()
    .nullable()
    .optional()
    .meta({ description: 'Where the whole event can be read, with an API key.' }),
};

/** The payload of one type of event. */
export function payloadSchema(type: EventType): z.ZodObject {
  return z.looseObject({
    id: id.meta({ description: 'The same on every try: what was seen before can be ignored.' }),
    type: z.literal(type),
    timestamp: z.iso.datetime().meta({ description: 'When it happened.' }),
    version: z.literal(PAYLOAD_VERSION),
    business_id: id,
    data: EVENT_CATALOGUE[type].data,
    ...omission,
  });
}

/** The payload of endpoints that were made through the support dialect. */
export const supportPayloadSchema = z.looseObject({
  event: z.string(),
  timestamp: z.iso.datetime(),
  conversation: z.object({ id, status: z.string() }).nullable(),
  message: z
    .object({
      id,
      type: z.enum(['visitor', 'agent', 'system', 'note']),
      content: z.union([z.string(), z.record(z.string(), z.unknown())]),
    })
    .nullable(),
  visitor: z.object({ id, email: z.string().nullable() }).nullable(),
  ...omission,
});

import type { InboundMessage, Reaction } from '../../../core/envelope.ts';
import type { Params } from '../../shared/twilio/body.ts';
import { readMedia } from '../../shared/twilio/media.ts';
import { senderOf, threadOf } from '../cloud/people.ts';
import { personOf } from './people.ts';

/** What a WhatsApp message says that Twilio brings. */
export function readMessage(params: Params, sid: string): InboundMessage | Reaction | undefined {
  const person = personOf(params);
  if (person === undefined) return undefined;
  const repliedTo = params.get('OriginalRepliedMessageSid');
  const envelope = { externalEventId: sid, ...threadOf(person), sender: senderOf(person) };
  if (kindOf(params) === 'reaction' && repliedTo !== undefined) {
    const emoji = params.get('Body');
    return {
      kind: 'reaction',
      ...envelope,
      externalId: repliedTo,
      emojis: emoji === undefined ? [] : [emoji],
    };
  }
  return {
    kind: 'message',
    ...envelope,
    externalId: sid,
    ...contentOf(params),
    ...(repliedTo === undefined ? {} : { replyToExternalId: repliedTo }),
    metadata: metadataOf(params),
  };
}

function kindOf(params: Params): string | undefined {
  return params.get('MessageType')?.toLowerCase();
}

type Content = Pick<InboundMessage, 'type' | 'content' | 'attachments' | 'pressed'>;

function contentOf(params: Params): Content {
  return locationOf(params) ?? pressedOf(params) ?? filesOf(params) ?? textOf(params);
}

function locationOf(params: Params): Content | undefined {
  const [latitude, longitude] = [params.get('Latitude'), params.get('Longitude')];
  if (latitude === undefined || longitude === undefined) return undefined;
  const place = [params.get('Label'), params.get('Address')].filter(Boolean).join(', ');
  const point = `${latitude}, ${longitude}`;
  return { type: 'location', content: place === '' ? point : `${place} (${point})` };
}

/** A button of a card or a template, or a row of a list. */
function pressedOf(params: Params): Content | undefined {
  const pressed = params.get('ButtonPayload') ?? params.get('ListId');
  if (pressed === undefined) return undefined;
  const label = params.get('ButtonText') ?? params.get('ListTitle') ?? params.get('Body') ?? pressed;
  return { type: 'text', content: label, pressed };
}

function filesOf(params: Params): Content | undefined {
  const attachments = readMedia(params);
  if (attachments.length === 0) return undefined;
  const type = kindOf(params) === 'contacts' ? 'contact' : 'attachment';
  return { type, content: params.get('Body') ?? '', attachments };
}

/** A kind that Twilio says nothing more of: that it came is kept. */
function textOf(params: Params): Content {
  const content = params.get('Body') ?? (params.has('FlowData') ? 'Form' : undefined);
  const kind = kindOf(params) ?? 'text';
  if (content !== undefined || kind === 'text') return { type: 'text', content: content ?? '' };
  return { type: 'unsupported', content: `[${kind}]` };
}

const KEPT = {
  MessageType: 'whatsapp_type',
  To: 'to',
  MessagingServiceSid: 'messaging_service_sid',
  OptOutType: 'opt_out_type',
  Forwarded: 'forwarded',
  FrequentlyForwarded: 'frequently_forwarded',
  OriginalRepliedMessageSender: 'replied_to_sender',
} as const;

const REFERRAL = /^Referral(\w+)$/;
const JSON_PARAMS = { ChannelMetadata: 'channel', InteractiveData: 'interactive', FlowData: 'flow' } as const;

function metadataOf(params: Params): Record<string, unknown> {
  const kept = Object.entries(KEPT).flatMap(([theirs, ours]): [string, unknown][] => {
    const value = params.get(theirs);
    return value === undefined ? [] : [[ours, value === 'true' ? true : value]];
  });
  const parsed = Object.entries(JSON_PARAMS).flatMap(([theirs, ours]): [string, unknown][] => {
    const value = params.get(theirs);
    return value === undefined ? [] : [[ours, asJson(value)]];
  });
  const referral = [...params].flatMap(([name, value]): [string, string][] => {
    const member = REFERRAL.exec(name)?.[1];
    // Every message says that no files of an advertisement came with it.
    const isNone = member === undefined || (member === 'NumMedia' && value === '0');
    return isNone ? [] : [[snakeCase(member), value]];
  });
  const place = pointOf(params);
  return {
    ...Object.fromEntries([...kept, ...parsed]),
    ...(referral.length === 0 ? {} : { referral: Object.fromEntries(referral) }),
    ...(place === undefined ? {} : { location: place }),
  };
}

function pointOf(params: Params): Record<string, unknown> | undefined {
  const [latitude, longitude] = [params.get('Latitude'), params.get('Longitude')];
  if (latitude === undefined || longitude === undefined) return undefined;
  const [title, address] = [params.get('Label'), params.get('Address')];
  return {
    latitude: Number(latitude),
    longitude: Number(longitude),
    ...(title === undefined ? {} : { title }),
    ...(address === undefined ? {} : { address }),
  };
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function snakeCase(name: string): string {
  return name.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toLowerCase();
}

import type { ChannelRegistry } from '../adapter.ts';
import { invalidField } from '../errors.ts';

/** Product A says `widget` for what is `webchat` everywhere else. */
export function channelTypeOf(text: string): string {
  return text === 'widget' ? 'webchat' : text;
}

/** Refuses what is no type of channels, by the field that says it. */
export function refuseUnknownType(
  registry: ChannelRegistry,
  type: string | undefined,
  field = 'channel_type',
): void {
  if (type === undefined || registry.has(channelTypeOf(type))) return;
  throw invalidField(field, `must be one of ${[...registry.keys()].join(', ')}`);
}

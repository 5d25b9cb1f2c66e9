import { createHash } from 'node:crypto';
import type { Twilio } from 'twilio';
import type { Call } from './client.ts';
import { TwilioUnreachable } from './errors.ts';
import type { TwilioSettings } from './settings.ts';

/** What the names of our own contents begin with: they are made for cards and are no templates of the business. */
export const OWN_CONTENT = 'tributary_';

/** A content of Twilio's, with ids of buttons as variables, so that the same words are one content. */
export interface NewContent {
  types: Record<string, unknown>;
  variables: Record<string, string>;
}

const REMEMBERED = 1_000;

/** Finds or makes the contents that show cards: by their words, so that making one twice finds the first. */
export function createContents(call: Call) {
  const known = new Map<string, Promise<string>>();

  return function contentFor(
    settings: TwilioSettings,
    content: NewContent,
    signal: AbortSignal,
  ): Promise<string> {
    const name =
      OWN_CONTENT + createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 40);
    const key = `${settings.api_root} ${settings.account_sid} ${name}`;
    const making = known.get(key) ?? call(settings, (twilio) => findOrMake(twilio, name, content));
    if (known.size >= REMEMBERED) known.clear();
    known.set(key, making);
    making.catch(() => known.delete(key));
    return whileWanted(making, signal);
  };
}

export type ContentFor = ReturnType<typeof createContents>;

/** Several sends may wait for one content: the end of one ends its own waiting only. */
function whileWanted<T>(making: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: given, reject } = Promise.withResolvers<never>();
  const giveUp = () =>
    reject(new TwilioUnreachable('the send was ended', { written: false, isForbidden: false }));
  if (signal.aborted) giveUp();
  signal.addEventListener('abort', giveUp);
  return Promise.race([making, given]).finally(() => signal.removeEventListener('abort', giveUp));
}

async function findOrMake(twilio: Twilio, name: string, content: NewContent): Promise<string> {
  const found = await twilio.content.v2.contents.list({ contentName: name, limit: 1 });
  const [first] = found;
  if (first !== undefined) return first.sid;
  // The SDK sends what it is given, and its types spell the members otherwise than the API.
  const request = { friendly_name: name, language: 'en', ...content };
  const made = await twilio.content.v1.contents.create(request as never);
  return made.sid;
}

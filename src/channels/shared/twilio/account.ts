import type { Twilio } from 'twilio';
import type { Channel, Health, Setup } from '../../../core/adapter.ts';
import { SendRejected } from '../../../core/errors.ts';
import { hostOf } from '../host-of.ts';
import { callbackUrl, isCallbackTo } from './callback.ts';
import type { Call } from './client.ts';
import { refusesAccount, sendError, TwilioRefusal, TwilioUnreachable } from './errors.ts';
import type { TwilioSettings } from './settings.ts';

/** Where Twilio sends what customers write to a sender, and how to change that. */
export interface Registration {
  /** The sender as a person knows it. */
  name: string;
  /** The address that Twilio calls now. */
  url: string | null;
  register(url: string): Promise<unknown>;
}

/** Looks the sender up in the account; a text says why a person has to do it by hand. */
export type FindRegistration = (
  twilio: Twilio,
  channel: Channel<TwilioSettings>,
) => Promise<Registration | string>;

/** Tells Twilio to call our door for what customers write. Throws SendRejected when it refuses the account. */
export async function connectSender(
  call: Call,
  channel: Channel<TwilioSettings>,
  find: FindRegistration,
): Promise<Setup> {
  try {
    return await call(channel.settings, async (twilio) => {
      const done = [await activeAccount(twilio, channel)];
      const { doorUrl } = channel;
      if (doorUrl === undefined) return { done: [...done, READ_FROM_LIST], todo: [] };
      const found = await find(twilio, channel);
      if (typeof found === 'string') return { done, todo: [`${found} Its address: ${doorUrl}`] };
      await found.register(callbackUrl(doorUrl));
      return { done: [...done, tellOf(found, doorUrl)], todo: [] };
    });
  } catch (error) {
    throw sendError(error);
  }
}

const READ_FROM_LIST =
  'There is no public https address, so messages and their statuses are read from Twilio’s list every few seconds.';

function tellOf({ name, url }: Registration, doorUrl: string): string {
  const done = `Twilio sends what customers write to ${name} to this channel.`;
  if (url === null || url === '' || isCallbackTo(doorUrl, url)) return done;
  return `${done} Before, it went to ${hostOf(url)}.`;
}

async function activeAccount(twilio: Twilio, { settings }: Channel<TwilioSettings>): Promise<string> {
  const account = await twilio.api.v2010.accounts(settings.account_sid).fetch();
  if (account.status === 'active') return `The Twilio account is "${account.friendlyName}".`;
  throw new SendRejected(`The Twilio account is ${account.status}.`, { channelBroken: true });
}

/** Whether the account works and Twilio calls our door. */
export async function askSender(
  call: Call,
  channel: Channel<TwilioSettings>,
  find: FindRegistration,
): Promise<Health> {
  try {
    return await call(channel.settings, async (twilio) => {
      const account = await activeAccount(twilio, channel);
      const found = await find(twilio, channel);
      if (typeof found === 'string') return { ok: true, detail: `${account} ${found}` };
      const problem = channel.doorUrl === undefined ? undefined : elsewhere(found, channel.doorUrl);
      const works = `${account} ${found.name} works${channel.doorUrl === undefined ? ', read from the list' : ''}.`;
      return { ok: problem === undefined, detail: problem ?? works, facts: { sender: found.name } };
    });
  } catch (error) {
    return { ok: false, detail: whyNot(error) };
  }
}

function elsewhere({ name, url }: Registration, doorUrl: string): string | undefined {
  if (isCallbackTo(doorUrl, url)) return undefined;
  if (url === null || url === '') return `Twilio calls nobody for ${name}: save the channel again.`;
  return `Twilio sends what customers write to ${name} elsewhere, to ${hostOf(url)}: save the channel again.`;
}

function whyNot(error: unknown): string {
  if (refusesAccount(error) && error.status === 401)
    return 'Twilio does not accept the account SID or the token.';
  if (error instanceof TwilioRefusal || error instanceof TwilioUnreachable || error instanceof SendRejected)
    return error.message;
  throw error;
}

/** A messaging service that answers for its senders. */
export async function findService(twilio: Twilio, sid: string): Promise<Registration> {
  const service = await twilio.messaging.v1.services(sid).fetch();
  return {
    name: `the messaging service "${service.friendlyName}"`,
    url: service.useInboundWebhookOnNumber ? null : service.inboundRequestUrl,
    register: (url) =>
      twilio.messaging.v1.services(sid).update({
        inboundRequestUrl: url,
        inboundMethod: 'POST',
        useInboundWebhookOnNumber: false,
      }),
  };
}

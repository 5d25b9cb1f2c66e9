import { z } from 'zod';
import type { Channel, Health, Setup } from '../../../core/adapter.ts';
import { hostOf } from '../../shared/host-of.ts';
import { findBusinessAccount } from './account.ts';
import { classify, GraphRefusal, GraphUnreachable } from './errors.ts';
import type { Graph } from './graph.ts';
import type { CloudSettings } from './settings.ts';

const text = z.string().optional().catch(undefined);

const phoneNumber = z.object({
  id: z.string(),
  display_phone_number: text,
  verified_name: text,
  quality_rating: text,
  name_status: text,
  status: text,
  throughput: z.object({ level: text }).optional().catch(undefined),
  webhook_configuration: z
    .object({ phone_number: text, whatsapp_business_account: text, application: text })
    .optional()
    .catch(undefined),
});

const FIELDS =
  'id,display_phone_number,verified_name,quality_rating,name_status,status,throughput,webhook_configuration';

/** Subscribes the app to the account and gives the number our door, where the token may do so. */
export async function connect(
  graph: Graph,
  { settings }: Channel<CloudSettings>,
  doorUrl: string | undefined,
): Promise<Setup> {
  const number = await readNumber(graph, settings);
  const setup: Setup = { done: [`The number is ${nameOf(number)}.`], todo: [] };
  const account = await findBusinessAccount(graph, settings);
  if (account === undefined) {
    setup.todo.push(
      'Add business_account_id to the config (WhatsApp Manager shows it): without it the app cannot be subscribed and templates cannot be listed.',
    );
  } else {
    await tried(setup, SUBSCRIBE_BY_HAND, async () => {
      await graph(settings, { method: 'POST', path: `${account}/subscribed_apps`, json: {} });
      return "The app is subscribed to the account's webhooks.";
    });
  }
  if (doorUrl === undefined) {
    setup.todo.push(
      'Meta reaches only public https addresses: set PUBLIC_URL to one that leads here and save the channel again.',
    );
    return setup;
  }
  await tried(setup, byHand(doorUrl), async () => {
    const webhook_configuration = { override_callback_uri: doorUrl, verify_token: settings.verify_token };
    await graph(settings, {
      method: 'POST',
      path: settings.phone_number_id,
      json: { webhook_configuration },
    });
    return 'Meta sends what customers write to this channel.';
  });
  setup.todo.push(
    'Once per app, in its dashboard (WhatsApp → Configuration): subscribe to the fields messages, user_id_update and, if you also use the phone app, smb_message_echoes.',
  );
  return setup;
}

const SUBSCRIBE_BY_HAND =
  'The app could not be subscribed to the account: give the token the permission whatsapp_business_management and save the channel again.';

function byHand(doorUrl: string): string {
  return (
    `Enter the address by hand, in the app's dashboard (WhatsApp → Configuration): callback URL ${doorUrl}, ` +
    'verify token as in the config of this channel.'
  );
}

/** What the token may not do is left to a person; refused credentials and a Meta that does not answer are not. */
async function tried(setup: Setup, otherwise: string, work: () => Promise<string>): Promise<void> {
  try {
    setup.done.push(await work());
  } catch (error) {
    if (!(error instanceof GraphRefusal) || error.code === 190 || error.status >= 500) throw error;
    setup.todo.push(`${otherwise} (Meta says: ${error.description})`);
  }
}

async function readNumber(graph: Graph, settings: CloudSettings) {
  const query = { fields: FIELDS };
  return phoneNumber.parse(await graph(settings, { path: settings.phone_number_id, query }));
}

function nameOf({
  display_phone_number: number,
  verified_name: name,
  id,
}: z.infer<typeof phoneNumber>): string {
  return [number ?? id, name].filter(Boolean).join(', ');
}

/** Whether the token works, the number may send, and what customers write comes to us. */
export async function health(
  graph: Graph,
  { settings }: Channel<CloudSettings>,
  doorUrl: string | undefined,
): Promise<Health> {
  try {
    const number = await readNumber(graph, settings);
    const problem = problemOf(number, doorUrl);
    const { display_phone_number, verified_name, quality_rating, name_status, status, throughput } = number;
    return {
      ok: problem === undefined,
      detail: problem ?? `${nameOf(number)} works.`,
      facts: {
        display_phone_number,
        verified_name,
        quality_rating,
        name_status,
        status,
        throughput: throughput?.level,
      },
    };
  } catch (error) {
    if (!(error instanceof GraphRefusal || error instanceof GraphUnreachable)) throw error;
    const meaning = error instanceof GraphRefusal ? classify(error.code, error).meaning : undefined;
    return { ok: false, detail: meaning ?? error.message };
  }
}

const BLOCKED = new Set(['BANNED', 'RESTRICTED', 'DISCONNECTED', 'FLAGGED_FOR_REMOVAL']);

function problemOf(number: z.infer<typeof phoneNumber>, doorUrl: string | undefined): string | undefined {
  if (BLOCKED.has(number.status ?? ''))
    return `Meta says that the number is ${number.status?.toLowerCase()}.`;
  const { phone_number, whatsapp_business_account, application } = number.webhook_configuration ?? {};
  const registered = phone_number ?? whatsapp_business_account ?? application;
  if (doorUrl === undefined || registered === undefined || registered === doorUrl) return undefined;
  // One app may post all its numbers to the door of one of them.
  if (isDoorBeside(registered, doorUrl)) return undefined;
  return `What customers write goes to another address, at ${hostOf(registered)}.`;
}

function isDoorBeside(registered: string, doorUrl: string): boolean {
  return registered.replace(/[^/]+$/, '') === doorUrl.replace(/[^/]+$/, '');
}

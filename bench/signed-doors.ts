import { startMeta } from '../test/support/meta.ts';
import { startTwilio } from '../test/support/twilio.ts';
import type { Child } from './child.ts';
import { type Lab, type Subject, withGateway } from './lab.ts';
import { DOOR, DOOR_WARM_UP, expectStored, perSecond } from './measure.ts';
import type { Target } from './requests.ts';
import type { Measured } from './rows.ts';

/** The doors whose provider signs each body, held against the same floors as the first door. */
export async function measureSignedDoors(lab: Lab, load: Child): Promise<Measured> {
  return { 'twilio door': await measureTwilio(lab, load), 'meta door': await measureMeta(lab, load) };
}

async function measureTwilio(lab: Lab, load: Child): Promise<number> {
  const twilio = await startTwilio();
  try {
    return await lab.withDatabase((databaseUrl) =>
      withGateway(databaseUrl, async (subject) => {
        const rate = await perSecond(load, await twilioDoor(subject, twilio));
        await expectStored(subject, DOOR_WARM_UP + DOOR.count);
        return rate;
      }),
    );
  } finally {
    await twilio.close();
  }
}

async function twilioDoor(
  subject: Subject,
  twilio: Awaited<ReturnType<typeof startTwilio>>,
): Promise<Target> {
  const config = twilio.config(twilio.own('number', '+15550001111').name);
  const channel = await subject.call<{ id: string; webhook_url: string }>('POST', '/channels', {
    type: 'sms',
    config,
  });
  return {
    url: `${subject.url}/webhooks/sms/${channel.id}`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    signing: { provider: 'twilio', secret: config.auth_token ?? '', publicUrl: channel.webhook_url },
  };
}

async function measureMeta(lab: Lab, load: Child): Promise<number> {
  const meta = await startMeta();
  try {
    return await lab.withDatabase((databaseUrl) =>
      withGateway(databaseUrl, async (subject) => {
        const rate = await perSecond(load, await metaDoor(subject, meta));
        await expectStored(subject, DOOR_WARM_UP + DOOR.count);
        return rate;
      }),
    );
  } finally {
    await meta.close();
  }
}

async function metaDoor(subject: Subject, meta: Awaited<ReturnType<typeof startMeta>>): Promise<Target> {
  const { id } = await subject.call<{ id: string }>('POST', '/channels', {
    type: 'whatsapp',
    config: meta.config,
  });
  return {
    url: `${subject.url}/webhooks/whatsapp/${id}`,
    headers: { 'content-type': 'application/json' },
    signing: { provider: 'meta', secret: meta.appSecret, phoneNumberId: meta.phoneNumberId },
  };
}

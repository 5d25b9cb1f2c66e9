import { change, contactOf, encode, signatureOf, webhook } from '../test/support/meta/webhooks.ts';
import { type Range, textOf } from './updates.ts';

/** Bodies as Meta posts them: one text message each, by somebody whose number and id are both known. */
export function metaRequests(
  { from, count, senders }: Range,
  { secret, phoneNumberId }: { secret: string; phoneNumberId: string },
): { signature: string; body: string }[] {
  return Array.from({ length: count }, (_, n) => {
    const body = encode(metaWebhook(from + n, { sender: (from + n) % senders, phoneNumberId })).toString();
    return { signature: signatureOf(body, secret), body };
  });
}

function metaWebhook(n: number, { sender, phoneNumberId }: { sender: number; phoneNumberId: string }) {
  const person = {
    waId: `1555${String(1_000_000 + sender)}`,
    userId: `US.${10 ** 12 + sender}`,
    name: `Sender ${sender}`,
  };
  const message = {
    from: person.waId,
    from_user_id: person.userId,
    id: `wamid.${Buffer.from(`bench message ${n}`).toString('base64')}`,
    timestamp: String(Math.floor(Date.now() / 1_000)),
    type: 'text',
    text: { body: textOf(n) },
  };
  return webhook(change(phoneNumberId, { contacts: [contactOf(person)], messages: [message] }));
}

import type { TestGateway } from './gateway.ts';
import { type FakeTelegram, type FakeUpdate, startTelegram } from './telegram.ts';

/** A Telegram channel whose updates the test itself posts to the door, as Telegram would. */
export interface Door {
  telegram: FakeTelegram;
  channelId: string;
  /** Posts one update, or any body; resolves with the status of the answer. */
  post(update: FakeUpdate | string, options?: { url?: string; secret?: string }): Promise<number>;
  close(): Promise<void>;
}

// https, so that no gateway reads the bot by polling; nothing is ever asked there.
export const PUBLIC_URL = 'https://chat.example';

/** Connects a bot to a gateway that was started with PUBLIC_URL. */
export async function openDoor(gateway: TestGateway, token?: string): Promise<Door> {
  const telegram = await startTelegram(token === undefined ? {} : { token });
  const secret = 'the-secret-of-the-door';
  const created = await gateway.call<{ id: string }>('POST', '/api/v1/channels', {
    type: 'telegram',
    config: { ...telegram.config, secret_token: secret },
  });
  if (created.status !== 201) throw new Error(JSON.stringify(created.body));
  const channelId = created.body.id;
  return {
    telegram,
    channelId,
    async post(update, { url = gateway.url, secret: given = secret } = {}) {
      if (typeof update !== 'string') for (const chat of chatsOf(update)) telegram.know(chat);
      const response = await fetch(`${url}/webhooks/telegram/${channelId}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': given },
        body: typeof update === 'string' ? update : JSON.stringify(update),
      });
      await response.arrayBuffer();
      return response.status;
    },
    close: () => telegram.close(),
  };
}

function chatsOf(update: FakeUpdate): number[] {
  return Object.values(update).flatMap((value) => {
    const chat = (value as { chat?: { id: number } } | null)?.chat;
    return chat === undefined ? [] : [chat.id];
  });
}

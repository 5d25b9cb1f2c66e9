import { setTimeout as sleep } from 'node:timers/promises';
import { type Params, Refused } from './rules.ts';
import type { FakeChat, FakeUpdate } from './updates.ts';

export interface Webhook {
  url: string;
  secret: string | undefined;
  allowed: string[] | undefined;
}

interface InboxOptions {
  /** Where a public webhook address is really served. */
  route(url: string): string;
  /** The first pause after a webhook failed; it doubles. */
  retryMs: number;
}

// Sent only to those who ask for them by name.
const OPT_IN = new Set(['chat_member', 'message_reaction', 'message_reaction_count']);

/** The updates of one bot: pushed to its webhook, in order per chat until each is accepted, or kept for getUpdates. */
export function createInbox({ route, retryMs }: InboxOptions) {
  let webhook: Webhook = { url: '', secret: undefined, allowed: undefined };
  let pending: FakeUpdate[] = [];
  let polling: AbortController | undefined;
  let lastError: { date: number; message: string } | undefined;
  const queues = new Map<number, Promise<void>>();
  const closing = new AbortController();
  const answers: { update_id: number; status: number; body: string }[] = [];
  const waiting = new Set<() => void>();

  function push(update: FakeUpdate): void {
    if (!isWanted(update)) return;
    pending.push(update);
    for (const wake of waiting) wake();
    if (webhook.url !== '') enqueue(update);
  }

  function isWanted(update: FakeUpdate): boolean {
    const kind = Object.keys(update).find((key) => key !== 'update_id') ?? '';
    const allowed = webhook.allowed;
    return allowed === undefined || allowed.length === 0 ? !OPT_IN.has(kind) : allowed.includes(kind);
  }

  function enqueue(update: FakeUpdate): void {
    const chat = chatOf(update);
    const before = queues.get(chat) ?? Promise.resolve();
    queues.set(
      chat,
      before.then(() => deliver(update)).catch(() => {}),
    );
  }

  /** A failing update holds up those behind it in its chat, and no other chat. */
  async function deliver(update: FakeUpdate): Promise<void> {
    for (let pauseMs = retryMs; !closing.signal.aborted; pauseMs = Math.min(pauseMs * 2, retryMs * 64)) {
      if (webhook.url === '' || !pending.includes(update)) return;
      if (await post(update)) {
        pending = pending.filter((other) => other !== update);
        return;
      }
      await sleep(pauseMs, undefined, { signal: closing.signal });
    }
  }

  async function post(update: FakeUpdate): Promise<boolean> {
    const headers: Record<string, string> = { 'content-type': 'application/json' };
    if (webhook.secret !== undefined) headers['x-telegram-bot-api-secret-token'] = webhook.secret;
    try {
      const response = await fetch(route(webhook.url), {
        method: 'POST',
        headers,
        body: JSON.stringify(update),
        signal: closing.signal,
      });
      answers.push({ update_id: update.update_id, status: response.status, body: await response.text() });
      if (!response.ok)
        lastError = { date: now(), message: `Wrong response from the webhook: ${response.status}` };
      return response.ok;
    } catch (error) {
      lastError = { date: now(), message: error instanceof Error ? error.message : 'failed' };
      return false;
    }
  }

  async function getUpdates({
    offset,
    limit = 100,
    timeout = 0,
    allowed_updates,
  }: Params): Promise<FakeUpdate[]> {
    if (webhook.url !== '') {
      throw new Refused(
        409,
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
      );
    }
    polling?.abort();
    const mine = new AbortController();
    polling = mine;
    if (Array.isArray(allowed_updates)) webhook = { ...webhook, allowed: allowed_updates as string[] };
    if (typeof offset === 'number' && offset >= 0)
      pending = pending.filter(({ update_id }) => update_id >= offset);
    const deadline = Date.now() + Number(timeout) * 1000;
    while (pending.length === 0 && Date.now() < deadline && !mine.signal.aborted && !closing.signal.aborted) {
      await nextPush(Math.min(deadline - Date.now(), 100));
    }
    if (mine.signal.aborted) {
      throw new Refused(
        409,
        'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running',
      );
    }
    return pending.slice(0, Number(limit));
  }

  function nextPush(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, ms);
      function done() {
        clearTimeout(timer);
        waiting.delete(done);
        resolve();
      }
      waiting.add(done);
    });
  }

  return {
    answers,
    push,
    getUpdates,
    get pending() {
      return pending;
    },
    get webhook() {
      return webhook;
    },
    setWebhook({ url, secret_token, allowed_updates, drop_pending_updates }: Params) {
      const allowed = Array.isArray(allowed_updates) ? (allowed_updates as string[]) : webhook.allowed;
      webhook = { url: String(url), secret: secret_token as string | undefined, allowed };
      if (drop_pending_updates === true) pending = [];
      polling?.abort();
      if (webhook.url !== '') for (const update of pending) enqueue(update);
      return true;
    },
    webhookInfo: () => ({
      url: webhook.url,
      has_custom_certificate: false,
      pending_update_count: pending.length,
      ...(lastError ? { last_error_date: lastError.date, last_error_message: lastError.message } : {}),
      ...(webhook.allowed ? { allowed_updates: webhook.allowed } : {}),
    }),
    /** Resolves when every pushed update was accepted or confirmed. */
    async drained(timeoutMs = 10_000) {
      const deadline = Date.now() + timeoutMs;
      while (pending.length > 0) {
        if (Date.now() > deadline) throw new Error(`${pending.length} updates were not accepted in time`);
        await sleep(5);
      }
    },
    async close() {
      closing.abort();
      for (const wake of waiting) wake();
      await Promise.all(queues.values());
    },
  };
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}

/** The chat that an update is about; updates without one share a queue. */
function chatOf(update: FakeUpdate): number {
  const value = Object.entries(update).find(([key]) => key !== 'update_id')?.[1] as
    | { chat?: FakeChat; message?: { chat?: FakeChat } }
    | undefined;
  return value?.chat?.id ?? value?.message?.chat?.id ?? 0;
}

/** How often and when Twilio calls again what it could not reach; it is no part of what is signed. */
const RETRIES = '#rc=5&rp=5xx,ct,rt';

/** The door as Twilio is told it. */
export function callbackUrl(doorUrl: string): string {
  return doorUrl + RETRIES;
}

/** The door for the statuses of one part: by it a status finds its message even when our answer was lost. */
export function statusCallbackUrl(doorUrl: string, { id, part }: SentFrom): string {
  return `${doorUrl}?message=${id}&part=${part}${RETRIES}`;
}

/** Which message of ours, and which part of it. */
export interface SentFrom {
  id: string;
  part: number;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The message that a status callback's own address names. */
export function messageInUrl(url: string): SentFrom | undefined {
  const query = new URLSearchParams(/\?([^#]*)/.exec(url)?.[1] ?? '');
  const id = query.get('message') ?? '';
  const part = query.get('part') ?? '';
  return UUID.test(id) && /^\d{1,4}$/.test(part) ? { id, part: Number(part) } : undefined;
}

/** Whether Twilio calls this door, whatever of a message stands behind its address. */
export function isCallbackTo(doorUrl: string, url: string | null | undefined): boolean {
  return url?.replace(/[?#].*$/s, '') === doorUrl;
}

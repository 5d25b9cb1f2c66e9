import { expect } from 'vitest';
import type { TestGateway } from './gateway.ts';

/** Whatever agents keep to themselves carries this word; whatever customers may see carries the other. */
export const INTERNAL = 'INTERNAL';
export const PUBLIC = 'PUBLIC';

type Ask = (method: string, path: string, body?: unknown) => Promise<{ id: string; url: string }>;

/** All that agents do to a conversation and a customer must not see, and one answer that they must. */
export async function workInside(gateway: TestGateway, conversationId: string): Promise<void> {
  const ask: Ask = async (method, path, body) => {
    const answer = await gateway.call<{ id: string; url: string }>(method, `/api/v1${path}`, body);
    expect([path, answer.status < 300, answer.status < 300 ? '' : answer.body]).toEqual([path, true, '']);
    return answer.body;
  };
  const path = `/conversations/${conversationId}`;
  await writeNotes(ask, path);
  await pushAround(ask, path);
  const note = await ask('POST', `${path}/messages`, { content: `${INTERNAL} last note`, type: 'note' });
  const answer = { content: `${PUBLIC} answer` };
  const toNote = await gateway.call('POST', `/api/v1${path}/messages`, { ...answer, reply_to_id: note.id });
  expect(toNote.status).toBe(422);
  await ask('POST', `${path}/messages`, answer);
}

async function writeNotes(ask: Ask, path: string): Promise<void> {
  const later = new Date(Date.now() + 3_600_000).toISOString();
  const form = new FormData();
  form.set('file', new File([`${INTERNAL} bytes`], `${INTERNAL}.txt`, { type: 'text/plain' }));
  const file = await ask('POST', `${path}/upload`, form);
  const note = await ask('POST', `${path}/messages`, {
    content: `${INTERNAL} note`,
    html: `<b>${INTERNAL}</b>`,
    type: 'note',
    attachments: [{ url: file.url }],
  });
  await ask('PATCH', `/messages/${note.id}`, { content: `${INTERNAL} better note` });
  const gone = await ask('POST', `${path}/reply`, { message: `${INTERNAL} reply note`, type: 'note' });
  await ask('DELETE', `/messages/${gone.id}`);
  const answering = { content: `${INTERNAL} on a note`, type: 'note', reply_to_id: note.id };
  await ask('POST', `${path}/messages`, answering);
  const draft = await ask('POST', `${path}/messages`, { content: `${INTERNAL} draft`, send_at: later });
  await ask('PATCH', `/messages/${draft.id}`, { content: `${INTERNAL} better draft` });
  const dropped = await ask('POST', `${path}/messages`, { content: `${INTERNAL} dropped`, send_at: later });
  await ask('DELETE', `/messages/${dropped.id}`);
}

let teams = 0;

async function pushAround(ask: Ask, path: string): Promise<void> {
  const later = new Date(Date.now() + 3_600_000).toISOString();
  const team = await ask('POST', '/teams', {
    name: `${INTERNAL} team ${++teams}`,
    assignment: { mode: 'manual' },
  });
  await ask('POST', `${path}/assign`, { assignee_id: team.id });
  await ask('POST', `${path}/assign`, { assignee_id: null });
  await ask('POST', `${path}/tags`, { tags: [`${INTERNAL}-tag`] });
  await ask('POST', `${path}/handoff`, { reason: `${INTERNAL} reason` });
  await ask('PATCH', path, { custom_attributes: { secret: `${INTERNAL} attribute` }, priority: 'urgent' });
  await ask('POST', `${path}/snooze`, { until: later });
  await ask('PUT', `${path}/reopen`);
  await ask('PUT', `${path}/resolve`);
  await ask('PUT', `${path}/reopen`);
}

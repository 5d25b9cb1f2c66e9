import { describe, expect, it } from 'vitest';
import { EVENT_TYPES, type EventRow, type EventType } from '../../src/core/events.ts';
import { type MessageRow, type MessageView, viewMessage } from '../../src/core/views/message.ts';
import { agentFrames, visitorFrames } from '../../src/realtime/frames.ts';
import { createGate } from '../../src/realtime/gate.ts';
import type { Frame } from '../../src/realtime/protocol.ts';

function message(fields: Partial<MessageRow> = {}): MessageView {
  const at = new Date('2026-01-01T00:00:00Z');
  const row = {
    ...{ id: 'm', business_id: 'b', conversation_id: 'c', channel_id: 'ch', customer_id: null, seq: 1 },
    ...{
      direction: 'outbound',
      sender_type: 'agent',
      sender_id: 'a',
      sender_name: 'Ann',
      type: 'text',
      content: 'text',
    },
    ...{
      html: null,
      text_full: null,
      card: null,
      email: null,
      reactions: [],
      reply_to_id: null,
      client_message_id: null,
    },
    ...{
      external_id: null,
      metadata: { secret: 'METADATA' },
      status: 'queued',
      error: null,
      send_at: null,
      next_attempt_at: null,
    },
    ...{
      created_at: at,
      sent_at: null,
      delivered_at: null,
      read_at: null,
      edited_at: null,
      deleted_at: null,
    },
    ...fields,
  } as MessageRow;
  return viewMessage(row, { attachments: [] });
}

function event(type: EventType, data: EventRow['data']): EventRow {
  const at = new Date('2026-01-01T00:00:00Z');
  const ids = { business_id: 'b', conversation_id: 'c', customer_id: null, message_id: 'm' };
  return { seq: 7, id: 'e', ...ids, type, data, caused_by: null, occurred_at: at, created_at: at };
}

const names = (frames: Frame[]) => frames.map((frame) => frame.event);

describe('a visitor', () => {
  it.each(EVENT_TYPES)('hears nothing of a note or activity by %s', (type) => {
    for (const hidden of [
      { type: 'note', direction: 'internal', status: null },
      { type: 'activity', direction: 'internal', status: null },
      // Whatever else went wrong, either mark is enough.
      { type: 'note' },
      { direction: 'internal' },
    ] as Partial<MessageRow>[]) {
      expect(visitorFrames(event(type, { message: message(hidden), released: true }))).toEqual([]);
    }
  });

  it('hears nothing of a scheduled message before its time', () => {
    const scheduled = message({ seq: null, status: 'scheduled', send_at: new Date() });
    expect(visitorFrames(event('message.created', { message: scheduled }))).toEqual([]);
    expect(visitorFrames(event('message.updated', { message: scheduled }))).toEqual([]);
    expect(names(visitorFrames(event('message.updated', { message: message(), released: true })))).toEqual([
      'new_message',
    ]);
  });

  it('sees only what is named public', () => {
    const [frame] = visitorFrames(event('message.created', { message: message() }));
    expect(frame).toMatchObject({ event: 'new_message', payload: { id: 'm', seq: 1, content: 'text' } });
    expect(JSON.stringify(frame)).not.toMatch(/METADATA|html|email|error|metadata/);
  });

  it('forgets what was canceled, deleted or never sent', () => {
    expect(names(visitorFrames(event('message.deleted', { message: message() })))).toEqual([
      'message_deleted',
    ]);
    expect(names(visitorFrames(event('message.failed', { message: message() })))).toEqual([
      'message_deleted',
    ]);
    const canceled = message({ status: 'canceled' });
    expect(names(visitorFrames(event('message.updated', { message: canceled })))).toEqual([
      'message_deleted',
    ]);
  });

  it('hears nothing of conversations and people', () => {
    for (const type of EVENT_TYPES.filter((it) => !it.startsWith('message.'))) {
      expect(visitorFrames(event(type, { agent_id: 'a', status: 'live' }))).toEqual([]);
    }
  });
});

describe('an agent', () => {
  it('hears every event, with its cursor, after what it means', () => {
    for (const type of EVENT_TYPES) {
      const frames = agentFrames(event(type, { message: message() }), 'cursor');
      expect(frames.at(-1)).toMatchObject({ event: 'event', payload: { cursor: 'cursor', type } });
    }
    expect(names(agentFrames(event('message.created', { message: message({ type: 'note' }) }), 'x'))).toEqual(
      ['new_message', 'event'],
    );
  });

  it('is given the URL of an attachment without text as its content', () => {
    const attachments = [
      {
        id: 'f',
        name: 'a.png',
        type: 'image/png',
        size: 1,
        url: 'https://x.example/f',
        thumbnail_url: null,
        width: null,
        height: null,
        state: 'ready' as const,
        error: null,
      },
    ];
    const [frame] = agentFrames(
      event('message.received', { message: { ...message({ content: '' }), attachments } }),
      'x',
    );
    expect(frame?.payload['content']).toBe('https://x.example/f');
  });
});

describe('a gate', () => {
  const frame = (n: number): Frame => ({ event: 'event', payload: { n }, at: n });

  function gate(maxWaiting = 10) {
    const sent: number[] = [];
    let overflows = 0;
    const made = createGate({
      send: ({ payload }) => sent.push(payload['n'] as number),
      maxWaiting,
      onOverflow: () => {
        overflows += 1;
      },
    });
    return { ...made, sent, overflows: () => overflows };
  }

  it('keeps frames in order while it is held, and leaves out what was given', () => {
    const it = gate();
    it.pass(frame(1));
    it.hold({ restart: true });
    for (const n of [2, 3, 4]) it.pass(frame(n));
    expect(it.sent).toEqual([1]);
    it.open(({ at }) => at === 3);
    it.pass(frame(5));
    expect(it.sent).toEqual([1, 2, 4, 5]);
  });

  it('drops what waits when it begins anew, and says when too much does', () => {
    const it = gate(2);
    it.hold({ restart: true });
    it.pass(frame(1));
    it.hold({ restart: true });
    for (const n of [2, 3]) it.pass(frame(n));
    expect(it.overflows()).toBe(0);
    it.pass(frame(4));
    expect(it.overflows()).toBe(1);
    it.open();
    expect(it.sent).toEqual([2, 3, 4]);
  });
});

import { afterEach, expect, it } from 'vitest';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { type Scene, startScene } from './scene.ts';

let scene: Scene;
const others: TestGateway[] = [];

afterEach(async () => {
  for (const other of others.splice(0)) await other.stop();
  await scene.stop();
});

it('asks once for each message, however many processes there are', async () => {
  scene = await startScene();
  const second = { database_: scene.gateway.database };
  others.push(await startTestGateway(second), await startTestGateway(second));
  await scene.setHook({ mode: 'auto' });
  scene.hook.answer({ reply: 'Here.', confidence: 1 });
  const ids = await Promise.all(Array.from({ length: 30 }, (_, n) => scene.say(`Question ${n}`)));
  await eventually(() => {
    for (const id of ids) expect(scene.sent(id)).toEqual(['Here.']);
  });
  expect(scene.hook.asked).toHaveLength(30);
}, 60_000);

it('asks no second time after a restart, whatever is read again, and leaves nobody waiting', async () => {
  scene = await startScene();
  await scene.setHook({ mode: 'auto' });
  scene.hook.answer({ reply: 'Here.', confidence: 1 });
  const answered = await scene.say('Answered before');
  await eventually(() => expect(scene.sent(answered)).toEqual(['Here.']));
  const { pool } = scene.gateway;
  // As a process leaves it that died while it asked, before it had noted how far it had read.
  const cut = await scene.say('Cut off', { automatic: true });
  await pool`
    insert into ai_turns (id, business_id, conversation_id, message_id, state, mode, last_seq, asked_at)
    select gen_random_uuid(), business_id, conversation_id, id, 'asking', 'auto', seq, now()
    from messages where conversation_id = ${cut}`;
  await pool`insert into lanes (key, due_at, woken_at) values (${`ai:${cut}`}, now(), null)`;
  others.push(await startTestGateway({ database_: scene.gateway.database }));
  // Whoever reads next begins anew.
  await pool`update readers set seq = 0, day = '1970-01-01' where name = 'ai'`;
  await pool`delete from leases where key = 'reader:ai'`;
  await eventually(async () =>
    expect(await scene.conversation(cut)).toMatchObject({
      needs_human_handoff: true,
      handoff_reason: 'ai_unavailable',
    }),
  );
  await eventually(async () => {
    const [reader] = await pool<{ seq: number }[]>`select seq from readers where name = 'ai'`;
    expect(reader?.seq).toBeGreaterThan(0);
  });
  expect([scene.hook.of(cut), scene.hook.of(answered).length]).toEqual([[], 1]);
  expect(scene.sent(answered)).toEqual(['Here.']);
}, 60_000);

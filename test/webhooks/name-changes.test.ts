import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type NameServer, startNameServer } from '../support/name-server.ts';
import { type Bench, openBench } from './support/lanes.ts';
import { type Receiver, startReceiver } from './support/receiver.ts';

/*
 * A name that leads to a public address when it is looked at, and to a private one when it is used (DNS rebinding). Here
 * 127.0.0.2 stands for the public address, since the test's receiver hears there too; everything else of loopback is private.
 */
const PUBLIC = '127.0.0.2';
const PRIVATE = '127.0.0.1';

let names: NameServer;
let bench: Bench;
let receiver: Receiver;

beforeAll(async () => {
  names = await startNameServer();
  bench = await openBench({ lookup: names.lookup, allow: [PUBLIC] });
  receiver = await startReceiver('0.0.0.0');
});
afterAll(async () => {
  await bench.close();
  await receiver.close();
  await names.close();
});
beforeEach(() => {
  // A kept connection asks for no name.
  receiver.closeConnections();
  names.asked = 0;
  receiver.received.length = 0;
});

/** One event to an endpoint with this host, tried once more where that is due at once. */
async function deliverTo(host: string) {
  const { endpoint } = await bench.endpoint(`http://${host}:${receiver.port}/`);
  await bench.publish(1);
  await bench.work(endpoint.id);
  const [delivery] = await bench.deliveries(endpoint.id);
  await bench.pool`update webhook_endpoints set is_active = false where id = ${endpoint.id}`;
  return { endpoint, delivery };
}

describe('a name that changes its mind', () => {
  it('is asked once for a connection, which goes to what was judged', async () => {
    names.answers = [[PUBLIC], [PRIVATE]];
    const { delivery } = await deliverTo('once.test');
    expect(delivery).toMatchObject({ status: 'delivered' });
    expect(names.asked).toBe(1);
    expect(receiver.received[0]?.localAddress).toBe(PUBLIC);
  });

  it('is blocked when it leads inside later', async () => {
    names.answers = [[PUBLIC], [PRIVATE]];
    await deliverTo('later.test');
    receiver.closeConnections();
    const { delivery } = await deliverTo('later.test');
    expect(delivery).toMatchObject({ status: 'pending', last_outcome: 'blocked' });
    expect(receiver.received).toHaveLength(1);
  });

  it('reaches nothing but the public ones of its addresses', async () => {
    names.answers = [[PRIVATE, '169.254.169.254', '10.0.0.1', PUBLIC]];
    expect((await deliverTo('mixed.test')).delivery).toMatchObject({ status: 'delivered' });
    expect(receiver.received.map(({ localAddress }) => localAddress)).toEqual([PUBLIC]);
    names.answers = [[PRIVATE, '192.168.1.1']];
    expect((await deliverTo('inside.test')).delivery).toMatchObject({ last_outcome: 'blocked' });
    expect(receiver.received).toHaveLength(1);
  });

  it('is asked for as the DNS spells it, whatever letters it was written in', async () => {
    names.answers = [[PUBLIC]];
    expect((await deliverTo('Bücher.test')).delivery).toMatchObject({ status: 'delivered' });
    expect(receiver.received[0]?.headers.host).toBe(`xn--bcher-kva.test:${receiver.port}`);
  });

  it('that leads nowhere is an attempt that says so', async () => {
    names.answers = [[]];
    expect((await deliverTo('nowhere.test')).delivery).toMatchObject({
      last_outcome: 'dns',
      status: 'pending',
    });
  });
});

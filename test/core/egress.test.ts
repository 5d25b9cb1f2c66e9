import { lookup as systemLookup } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect as connectSocket } from 'node:net';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAddressRules } from '../../src/core/egress/address-rules.ts';
import { createLookup, type Lookup } from '../../src/core/egress/lookup.ts';
import { createEgress, EgressBlocked, type EgressGuard } from '../../src/core/egress.ts';
import { AppError } from '../../src/core/errors.ts';
import { startNameServer } from '../support/name-server.ts';

let server: Server;
let port: number;
let hits = 0;

beforeAll(async () => {
  server = createServer((incoming, response) => {
    hits += 1;
    if (incoming.url === '/redirect') response.writeHead(302, { location: `http://127.0.0.1:${port}/` });
    response.end('reached');
  });
  await new Promise<void>((resolve) => server.listen(0, '::', resolve));
  port = (server.address() as AddressInfo).port;
});

afterAll(() => new Promise((resolve) => server.close(resolve)));

async function withGuard<T>(
  options: Partial<Parameters<typeof createEgress>[0]>,
  use: (guard: EgressGuard) => Promise<T>,
) {
  const guard = createEgress({ allow: [], ...options });
  try {
    return await use(guard);
  } finally {
    await guard.close();
  }
}

async function fetchText(guard: EgressGuard, url: string): Promise<string> {
  const response = await request(url, { dispatcher: guard.dispatcher });
  return response.body.text();
}

const LOOPBACK_SPELLINGS = [
  '127.0.0.1',
  '2130706433',
  '0x7f.1',
  '0x7f000001',
  '0177.0.0.1',
  '127.1',
  '0',
  '0.0.0.0',
  '127.0.0.1.',
  '①②⑦.⓪.⓪.①',
  '[::1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[64:ff9b::7f00:1]',
  '[0:0:0:0:0:0:0:1]',
];

describe('the egress guard', () => {
  it.each(LOOPBACK_SPELLINGS)('refuses http://%s before anything is sent', async (host) => {
    const before = hits;
    await withGuard({}, async (guard) => {
      await expect(fetchText(guard, `http://${host}:${port}/`)).rejects.toThrow(EgressBlocked);
      expect(() => guard.vetUrl(`http://${host}:${port}/`, 'url')).toThrow(AppError);
    });
    expect(hits).toBe(before);
  });

  it('refuses names that answer private addresses, in both ways of connecting', async () => {
    await withGuard({}, async (guard) => {
      await expect(fetchText(guard, `http://localhost:${port}/`)).rejects.toThrow(EgressBlocked);
      await expect(guard.connect('localhost', port)).rejects.toThrow(EgressBlocked);
      await expect(guard.connect('127.0.0.1', port)).rejects.toThrow(EgressBlocked);
      await expect(guard.connect('::1', port)).rejects.toThrow(EgressBlocked);
      await expect(guard.connect('0x7f.1', port)).rejects.toThrow(EgressBlocked);
    });
  });

  it('reaches what the operator allows, by literal and by name', async () => {
    await withGuard({ allow: ['127.0.0.0/8', '::1'] }, async (guard) => {
      expect(await fetchText(guard, `http://127.0.0.1:${port}/`)).toBe('reached');
      expect(await fetchText(guard, `http://[::ffff:127.0.0.1]:${port}/`)).toBe('reached');
      expect(await fetchText(guard, `http://[::1]:${port}/`)).toBe('reached');
      expect(await fetchText(guard, `http://localhost:${port}/`)).toBe('reached');
      const socket = await guard.connect('localhost', port);
      expect(socket.remotePort).toBe(port);
      socket.destroy();
      await expect(fetchText(guard, `http://10.0.0.1:${port}/`)).rejects.toThrow(EgressBlocked);
    });
  });

  it('connects to the very addresses it vetted, however the name answers next', async () => {
    let asked = 0;
    const rebinding: Lookup = async () => {
      asked += 1;
      return [{ address: asked === 1 ? '127.0.0.2' : '127.0.0.1', family: 4 }];
    };
    // 127.0.0.2 stands for the public address: the server hears on it too.
    await withGuard({ allow: ['127.0.0.2/32'], lookup: rebinding }, async (guard) => {
      const socket = await guard.connect('rebinding.test', port);
      expect(socket.remoteAddress).toBe('127.0.0.2');
      expect(asked).toBe(1);
      socket.destroy();
      await expect(guard.connect('rebinding.test', port)).rejects.toThrow(EgressBlocked);
      await expect(fetchText(guard, `http://rebinding.test:${port}/`)).rejects.toThrow(EgressBlocked);
    });
  });

  it('goes only to the public ones of several addresses', async () => {
    const mixed: Lookup = async () => [
      { address: '127.0.0.1', family: 4 },
      { address: '169.254.169.254', family: 4 },
      { address: '127.0.0.2', family: 4 },
    ];
    await withGuard({ allow: ['127.0.0.2'], lookup: mixed }, async (guard) => {
      const socket = await guard.connect('mixed.test', port);
      expect(socket.remoteAddress).toBe('127.0.0.2');
      socket.destroy();
      expect(await fetchText(guard, `http://mixed.test:${port}/`)).toBe('reached');
    });
  });

  it('follows no redirect', async () => {
    await withGuard({ allow: ['127.0.0.0/8'] }, async (guard) => {
      const before = hits;
      const response = await request(`http://127.0.0.1:${port}/redirect`, { dispatcher: guard.dispatcher });
      await response.body.dump();
      expect(response.statusCode).toBe(302);
      expect(hits).toBe(before + 1);
    });
  });

  it('passes the error of a name that does not exist', async () => {
    const missing: Lookup = () => systemLookup('does-not-exist.invalid', { all: true });
    await withGuard({ lookup: missing }, async (guard) => {
      await expect(fetchText(guard, 'http://does-not-exist.invalid/')).rejects.toMatchObject({
        code: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/),
      });
    });
  });

  it('waits for names whose servers never answer, and holds up neither other names nor files', async () => {
    const names = await startNameServer();
    names.answers = [['127.0.0.2']];
    names.silence = /dead/;
    const lookup = createLookup({ servers: [names.address] });
    await withGuard({ allow: ['127.0.0.2'], lookup }, async (guard) => {
      const dead = Array.from({ length: 8 }, (_, n) => guard.connect(`dead-${n}.test`, port));
      const failed = Promise.allSettled(dead);
      const served = Promise.all([
        fetchText(guard, `http://live.test:${port}/`),
        readFile(import.meta.filename),
      ]);
      expect(await Promise.race([served.then(() => 'served'), failed.then(() => 'failed')])).toBe('served');
      for (const { status, reason } of (await failed) as PromiseRejectedResult[])
        expect([status, reason.code]).toEqual(['rejected', 'EAI_AGAIN']);
    });
    await names.close();
  });

  it('knows the names of the machine, and those that only it can complete', async () => {
    const names = await startNameServer();
    const lookup = createLookup({ servers: [names.address] });
    expect(await lookup('localhost')).toContainEqual({ address: '127.0.0.1', family: 4 });
    expect(names.asked).toBe(0);
    // No server knows it: the last word is the system's.
    await expect(lookup('does-not-exist.invalid')).rejects.toMatchObject({
      code: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/),
    });
    expect(names.asked).toBeGreaterThan(0);
    names.refusal = /invalid/;
    await expect(lookup('refused.invalid')).rejects.toMatchObject({ syscall: 'getaddrinfo' });
    names.silence = /localhost/;
    await lookup('app.localhost').catch((error) => expect(error.syscall).toBe('getaddrinfo'));
    await names.close();
  });

  it('names the field of a URL that can never be reached, and resolves no name', async () => {
    const never: Lookup = () => Promise.reject(new Error('asked'));
    await withGuard({ lookup: never }, async (guard) => {
      for (const url of [
        'not a url',
        'ftp://example.com/',
        'file:///etc/passwd',
        'http://user:pass@example.com/',
        'http://user@example.com/',
        'http://localhost/',
        'http://api.localhost:8080/',
        'http://169.254.169.254/latest/meta-data',
        'http://[fd00:ec2::254]/',
        `https://example.com/${'x'.repeat(2_048)}`,
      ]) {
        expect(() => guard.vetUrl(url, 'url')).toThrow(
          expect.objectContaining({
            code: 'validation_error',
            details: [{ field: 'url', message: expect.any(String) }],
          }),
        );
      }
      expect(guard.vetUrl('https://your-server.com/webhook', 'url').href).toBe(
        'https://your-server.com/webhook',
      );
      expect(guard.vetUrl('http://93.184.215.14:8080/', 'url').port).toBe('8080');
    });
  });

  it('refuses an exception that is no CIDR by the name of the variable', () => {
    expect(() => createEgress({ allow: ['10.0.0.0/99'] })).toThrow(/EGRESS_ALLOW: 10\.0\.0\.0\/99/);
  });
});

describe('ports and schemes', () => {
  it('are those that browsers allow', async () => {
    await withGuard({ allow: ['127.0.0.0/8'] }, async (guard) => {
      for (const reserved of [22, 25, 143, 587, 6000, 6667]) {
        const url = `http://127.0.0.1:${reserved}/`;
        expect(() => guard.vetUrl(url, 'url')).toThrow(
          expect.objectContaining({ details: [{ field: 'url', message: `must not use port ${reserved}` }] }),
        );
        await expect(fetchText(guard, url)).rejects.toThrow(EgressBlocked);
      }
      // Mail is no HTTP: its ports are its own.
      await expect(guard.connect('127.0.0.1', 25)).rejects.toThrow(/ECONNREFUSED/);
    });
  });

  it('are narrowed to those of the operator', async () => {
    await withGuard({ allow: ['127.0.0.0/8'], ports: [443, port] }, async (guard) => {
      expect(await fetchText(guard, `http://127.0.0.1:${port}/`)).toBe('reached');
      expect(guard.vetUrl('https://example.com/', 'url').port).toBe('');
      for (const url of ['http://example.com/', 'https://example.com:8443/'])
        expect(() => guard.vetUrl(url, 'url')).toThrow(AppError);
      await expect(fetchText(guard, 'http://127.0.0.1:8081/')).rejects.toThrow('must not use port 8081');
    });
  });

  it('are https alone where the operator says so, in what is stored already too', async () => {
    await withGuard({ allow: ['127.0.0.0/8'], httpsOnly: true }, async (guard) => {
      const url = `http://127.0.0.1:${port}/`;
      expect(() => guard.vetUrl(url, 'url')).toThrow(AppError);
      await expect(fetchText(guard, url)).rejects.toThrow('must begin with https://');
      expect(guard.vetUrl('https://example.com/', 'url').protocol).toBe('https:');
    });
  });
});

describe('a proxy', () => {
  const asked: string[] = [];
  let proxy: Server;
  let proxyUrl: string;

  beforeAll(async () => {
    proxy = createServer().on('connect', ({ url = '', headers }, socket) => {
      asked.push(`${url} ${headers['proxy-authorization'] ?? ''}`.trim());
      if (url.startsWith('127.0.0.9')) {
        socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
        return;
      }
      const peer = connectSocket(port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        peer.pipe(socket).pipe(peer);
      });
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    proxyUrl = `http://user:p%40ss@127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    proxy.closeAllConnections();
    return new Promise((resolve) => proxy.close(resolve));
  });

  it('is told addresses that were judged, and no names', async () => {
    const lookup: Lookup = async () => [
      { address: '10.0.0.1', family: 4 },
      { address: '127.0.0.2', family: 4 },
    ];
    await withGuard({ allow: ['127.0.0.0/8'], lookup, proxy: proxyUrl }, async (guard) => {
      expect(await fetchText(guard, `http://named.test:${port}/`)).toBe('reached');
      expect(await fetchText(guard, `http://127.0.0.3:${port}/`)).toBe('reached');
      const credentials = Buffer.from('user:p@ss').toString('base64');
      expect(asked.splice(0)).toEqual([
        `127.0.0.2:${port} Basic ${credentials}`,
        `127.0.0.3:${port} Basic ${credentials}`,
      ]);
    });
  });

  it('carries TLS as well, which it cannot look into', async () => {
    await withGuard({ allow: ['127.0.0.0/8'], proxy: proxyUrl }, async (guard) => {
      // Our stand-in speaks no TLS: that it is spoken to in TLS is what there is to see.
      await expect(fetchText(guard, `https://127.0.0.3:${port}/`)).rejects.toMatchObject({
        code: expect.stringMatching(/SSL|TLS|EPROTO/),
      });
      expect(asked.splice(0)).toHaveLength(1);
    });
  });

  it('is not asked for what may not be reached', async () => {
    const lookup: Lookup = async () => [{ address: '10.0.0.1', family: 4 }];
    await withGuard({ lookup, proxy: proxyUrl }, async (guard) => {
      await expect(fetchText(guard, 'http://inside.test/')).rejects.toThrow(EgressBlocked);
      await expect(fetchText(guard, 'http://[::ffff:127.0.0.1]/')).rejects.toThrow(EgressBlocked);
      expect(asked).toEqual([]);
    });
  });

  it('that refuses or is not there is told apart from whoever was to be reached', async () => {
    await withGuard({ allow: ['127.0.0.0/8'], proxy: proxyUrl }, async (guard) => {
      await expect(fetchText(guard, 'http://127.0.0.9/')).rejects.toMatchObject({ code: 'EGRESS_PROXY' });
    });
    await withGuard({ allow: ['127.0.0.0/8'], proxy: 'http://127.0.0.1:2' }, async (guard) => {
      await expect(fetchText(guard, `http://127.0.0.1:${port}/`)).rejects.toThrow(/proxy cannot be reached/);
    });
  });
});

describe('address rules', () => {
  const rules = createAddressRules([]);

  it.each([
    '0.1.2.3',
    '10.1.2.3',
    '100.64.0.1',
    '100.100.100.200',
    '127.255.255.255',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.192',
    '192.0.2.1',
    '192.88.99.1',
    '192.168.1.1',
    '198.18.0.1',
    '198.19.255.255',
    '198.51.100.7',
    '203.0.113.9',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '168.63.129.16',
    '::',
    '::1',
    '::127.0.0.1',
    '::ffff:10.0.0.1',
    '::ffff:0:10.0.0.1',
    '64:ff9b::a00:1',
    '64:ff9b:1::1',
    '100::1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::',
    '3fff::1',
    '5f00::1',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    'no address',
    '',
  ])('refuse %s', (address) => expect(rules.permits(address)).toBe(false));

  it.each([
    '1.1.1.1',
    '8.8.8.8',
    '100.63.255.255',
    '172.15.0.1',
    '172.32.0.1',
    '192.0.1.1',
    '198.20.0.1',
    '223.255.255.255',
    '::ffff:8.8.8.8',
    '64:ff9b::808:808',
    '2606:4700:4700::1111',
    '2a00:1450:4001::1',
    '2001:4860:4860::8888',
  ])('permit %s', (address) => expect(rules.permits(address)).toBe(true));
});

import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';

/* Mutual TLS: a receiver that listens to nobody who does not show a certificate it knows. */

interface Shown {
  client_certificate: { subject: string; fingerprint: string; expires_at: string } | null;
}

interface Failed {
  error: { details: { field: string }[] };
}

const ROUTE = '/api/v1/webhook-endpoints';
const usual = getCACertificates('default');
const server = newPair('receiver');
const [first, second, stranger] = [newPair('Acme'), newPair('Acme, renewed'), newPair('Stranger')];
const callers: string[] = [];
const receiver = createServer(
  { ...server, ca: [first.cert, second.cert], requestCert: true, rejectUnauthorized: true },
  (request, response) => {
    callers.push(String((request.socket as TLSSocket).getPeerCertificate().subject.CN));
    response.end();
  },
);
let gateway: TestGateway;
let url: string;

beforeAll(async () => {
  setDefaultCACertificates([...usual, server.cert]);
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  url = `https://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
  gateway = await startTestGateway();
});
afterAll(async () => {
  await gateway.stop();
  receiver.closeAllConnections();
  receiver.close();
  setDefaultCACertificates(usual);
});

/** A certificate that vouches for itself. */
function newPair(name: string): { key: string; cert: string } {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...curve, '-keyout', key, '-out', cert, ...subject], {
    stdio: 'ignore',
  });
  const pair = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  rmSync(folder, { recursive: true });
  return pair;
}

const asField = ({ cert, key }: { cert: string; key: string }) => ({ certificate: cert, private_key: key });

async function test(id: string): Promise<string> {
  const before = callers.length;
  expect((await gateway.call('POST', `${ROUTE}/${id}/test`)).status).toBe(202);
  return eventually(() => {
    const caller = callers[before];
    if (caller === undefined) throw new Error('nobody called yet');
    return caller;
  });
}

async function refusal(method: string, path: string, fields: object): Promise<string | undefined> {
  const { status, body } = await gateway.call<Failed>(method, path, fields);
  expect(status).toBe(422);
  return body.error.details[0]?.field;
}

describe('the certificate of a receiver', () => {
  it('must be vouched for, and be of the very name: else nothing is sent', async () => {
    let asked = 0;
    const unknown = createServer(stranger, () => (asked += 1));
    unknown.listen(0, '127.0.0.1');
    await once(unknown, 'listening');
    const { port } = unknown.address() as AddressInfo;
    const ofAnotherName = url.replace('127.0.0.1', 'localhost');
    for (const address of [`https://127.0.0.1:${port}/`, ofAnotherName]) {
      const { body } = await gateway.call<{ id: string }>('POST', ROUTE, { url: address, events: ['*'] });
      await gateway.call('POST', `${ROUTE}/${body.id}/test`);
      await eventually(async () => {
        const rows = await gateway.pool`select last_outcome from deliveries where endpoint_id = ${body.id}`;
        expect([...rows]).toEqual([{ last_outcome: 'tls' }]);
      });
      await gateway.call('DELETE', `${ROUTE}/${body.id}`);
    }
    expect([asked, callers]).toEqual([0, []]);
    unknown.close();
  });
});

describe('the certificate of an endpoint', () => {
  it('is shown to its receiver, changed and taken away, its key kept encrypted', async () => {
    const { body: endpoint } = await gateway.call<Shown & { id: string }>('POST', ROUTE, {
      url,
      events: ['*'],
      client_certificate: asField(first),
    });
    const { id, client_certificate: shown } = endpoint;
    const { fingerprint256, validToDate } = new X509Certificate(first.cert);
    expect(shown).toEqual({
      subject: 'CN=Acme',
      fingerprint: fingerprint256,
      expires_at: validToDate.toISOString(),
    });
    const [row] = await gateway.pool`select client_key from webhook_endpoints where id = ${id}`;
    expect(Buffer.from(row?.['client_key']).toString('latin1')).not.toContain('PRIVATE KEY');
    expect(await test(id)).toBe('Acme');

    await gateway.call('PATCH', `${ROUTE}/${id}`, { client_certificate: asField(second) });
    await eventually(async () => expect(await test(id)).toBe('Acme, renewed'));

    await gateway.call('PATCH', `${ROUTE}/${id}`, { client_certificate: asField(stranger) });
    await eventually(async () => {
      await gateway.call('POST', `${ROUTE}/${id}/test`);
      const failed = await gateway.pool`
        select from attempts a join deliveries d on d.id = a.subject_id
        where d.endpoint_id = ${id} and a.outcome in ('connect', 'tls')`;
      expect(failed).not.toHaveLength(0);
    });
    const gone = await gateway.call<Shown>('PATCH', `${ROUTE}/${id}`, { client_certificate: null });
    expect(gone.body.client_certificate).toBeNull();

    await gateway.call('PATCH', `${ROUTE}/${id}`, { client_certificate: asField(first) });
    const elsewhere = { url: 'https://example.com/' };
    expect(await refusal('PATCH', `${ROUTE}/${id}`, elsewhere)).toBe('client_certificate');
    await gateway.call('DELETE', `${ROUTE}/${id}`);
    expect(
      await gateway.pool`select from webhook_endpoints where id = ${id} and client_key is null`,
    ).toHaveLength(1);
  });

  it('is refused where it could not be shown', async () => {
    const field = 'client_certificate';
    const refused = (fields: object) =>
      refusal('POST', ROUTE, { url, events: ['*'], [field]: asField(first), ...fields });
    expect(await refused({ url: 'http://example.com/' })).toBe(field);
    expect(await refused({ [field]: asField({ ...first, cert: 'none' }) })).toBe(`${field}.certificate`);
    expect(await refused({ [field]: asField({ ...first, key: 'none' }) })).toBe(`${field}.private_key`);
    expect(await refused({ [field]: asField({ ...first, key: second.key }) })).toBe(`${field}.private_key`);
  });
});

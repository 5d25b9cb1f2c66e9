import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  checkMessage,
  checkShown,
  checkTemplate,
  checkUpload,
  GraphError,
  type Json,
  recipientOf,
} from './meta/rules.ts';
import { change, encode, signatureOf, wamid, webhook } from './meta/webhooks.ts';
import { readRequest } from './telegram/multipart.ts';

export * from './meta/webhooks.ts';

/** What goes wrong with a call: a refusal, an answer of something before Meta, or none after the message was taken. */
export type MetaFailure =
  | { status: number; code: number; details?: string; isTransient?: boolean }
  | { html: number }
  | 'hang'
  | 'drop';

/** A message that the stand-in took. */
export interface TakenMessage {
  id: string;
  to: string;
  type: string;
  text: string;
  body: Json;
}

interface MetaOptions {
  /** Where a public address is really served. */
  route?: (url: string) => string;
  phoneNumberId?: string;
  appSecret?: string;
}

interface StoredFile {
  bytes: Buffer;
  mimeType: string;
  sha256: string;
}

const DAY_MS = 86_400_000;
const MEDIA_URL_MS = 300_000;

export type FakeMeta = Awaited<ReturnType<typeof startMeta>>;

/** A Graph API over loopback, as strict as the original where our adapter could be wrong. */
export async function startMeta({
  route = (url) => url,
  phoneNumberId = String(10 ** 14 + Math.floor(Math.random() * 10 ** 14)),
  appSecret = randomBytes(16).toString('hex'),
}: MetaOptions = {}) {
  const token = `EAA${randomBytes(24).toString('hex')}`;
  const account = '102290129340398';
  const numbers = new Set([phoneNumberId]);
  const calls: { method: string; path: string; query: URLSearchParams; body: Json }[] = [];
  const taken: TakenMessage[] = [];
  const reactions: Json[] = [];
  const seen: Json[] = [];
  const templates: Json[] = [];
  const subscribed: string[] = [];
  const doors = new Map<string, string>();
  const lastWrote = new Map<string, number>();
  const aliases = new Map<string, string>();
  const files = new Map<string, StoredFile>();
  const locations = new Map<string, { id: string; until: number }>();
  const failures: { path: RegExp; failure: MetaFailure; times: number }[] = [];
  const known = { accounts: true };
  let elsewhere: string | undefined;
  let statusesFirst: string[] = [];
  let afterTaken: ((message: TakenMessage) => Promise<void>) | undefined;

  const server = createServer((request, response) => {
    respond(request, response).catch((error: unknown) => {
      if (!response.headersSent) answer(response, 500, { error: { message: String(error), code: 1 } });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { pathname, searchParams } = new URL(request.url ?? '/', url);
    const isAuthorised = request.headers.authorization === `Bearer ${token}`;
    if (pathname.startsWith('/lookaside/')) return sendFile(pathname, { request, response, isAuthorised });
    const [, version = '', ...rest] = pathname.split('/');
    const path = rest.join('/');
    const type = request.headers['content-type'] ?? '';
    // What does not say that it is JSON is read as a form, in which nothing is found.
    const isRead = /^(application\/json|multipart\/form-data)\b/.test(type);
    const { params, files: parts } = isRead
      ? readRequest(type, Buffer.concat(chunks))
      : { params: {}, files: new Map() };
    calls.push({ method: request.method ?? '', path, query: searchParams, body: params });
    const failure = takeFailure(path);
    try {
      if (!isAuthorised)
        throw new GraphError(401, 190, 'Invalid OAuth access token - Cannot parse access token');
      if (!/^v\d{1,2}\.\d$/.test(version))
        throw new GraphError(400, 2500, `Unknown path components: ${pathname}`);
      if (typeof failure === 'object' && 'html' in failure)
        return void response
          .writeHead(failure.html, { 'content-type': 'text/html' })
          .end('<html>Bad Gateway</html>');
      if (typeof failure === 'object') throw refusal(failure);
      const result = await perform({
        method: request.method ?? '',
        path,
        query: searchParams,
        body: params,
        parts,
      });
      if (failure === 'drop') return void request.socket.destroy();
      if (failure === 'hang') return;
      answer(response, 200, result);
    } catch (error) {
      if (!(error instanceof GraphError)) throw error;
      answer(response, error.status, error.body);
    }
  }

  function refusal({
    status,
    code,
    details = 'It was refused.',
    isTransient,
  }: {
    status: number;
    code: number;
    details?: string;
    isTransient?: boolean;
  }) {
    const error = new GraphError(status, code, details);
    if (isTransient)
      Object.defineProperty(error, 'body', { value: { error: { ...error.body.error, is_transient: true } } });
    return error;
  }

  function takeFailure(path: string): MetaFailure | undefined {
    const planned = failures.find((one) => one.times > 0 && one.path.test(path));
    if (planned !== undefined) planned.times -= 1;
    return planned?.failure;
  }

  interface Call {
    method: string;
    path: string;
    query: URLSearchParams;
    body: Json;
    parts: ReturnType<typeof readRequest>['files'];
  }

  async function perform(call: Call): Promise<unknown> {
    const [first = '', edge] = call.path.split('/');
    if (first === 'debug_token') return debugToken(call.query);
    if (first === account && known.accounts) return accountEdge(edge, call);
    if (numbers.has(first)) return numberEdge(first, edge, call);
    const file = files.get(first);
    if (file !== undefined && edge === undefined) return locate(first, file);
    throw new GraphError(
      400,
      100,
      `Unsupported ${call.method.toLowerCase()} request. Object with ID '${first}' does not exist`,
    );
  }

  function debugToken(query: URLSearchParams) {
    if (query.get('input_token') === null)
      throw new GraphError(400, 100, '(#100) The parameter input_token is required');
    const target_ids = known.accounts ? [account] : [];
    return {
      data: {
        app_id: '1',
        is_valid: true,
        granular_scopes: [{ scope: 'whatsapp_business_management', target_ids }],
      },
    };
  }

  function accountEdge(edge: string | undefined, { method, query }: Call): unknown {
    if (edge === 'phone_numbers') return { data: [...numbers].map((id) => ({ id })) };
    if (edge === 'subscribed_apps' && method === 'POST') {
      subscribed.push(account);
      return { success: true };
    }
    if (edge === 'message_templates') {
      const from = Number(query.get('after') ?? 0);
      const to = from + Math.min(Number(query.get('limit') ?? 25), 2);
      const next =
        to < templates.length ? { next: `${url}/next`, cursors: { before: '0', after: String(to) } } : {};
      return { data: templates.slice(from, to), paging: next };
    }
    throw new GraphError(400, 100, `Tried accessing nonexisting field (${edge})`);
  }

  async function numberEdge(id: string, edge: string | undefined, call: Call): Promise<unknown> {
    if (edge === undefined && call.method === 'GET') return numberNode(id);
    if (edge === undefined) return configure(id, call.body);
    if (edge === 'media') return keepUpload(call);
    if (edge === 'messages') return takeMessage(call.body);
    throw new GraphError(400, 100, `Tried accessing nonexisting field (${edge})`);
  }

  function numberNode(id: string) {
    const door = doors.get(id);
    return {
      id,
      display_phone_number: '+1 555-078-3881',
      verified_name: 'Lucky Shrub',
      quality_rating: 'GREEN',
      name_status: 'APPROVED',
      status: 'CONNECTED',
      throughput: { level: 'STANDARD' },
      ...(door === undefined ? {} : { webhook_configuration: { phone_number: door } }),
    };
  }

  /** Meta asks an address whether it knows the token before it takes it. */
  async function configure(id: string, body: Json): Promise<unknown> {
    const { override_callback_uri, verify_token } = (body['webhook_configuration'] ?? {}) as Json;
    const challenge = String(Math.floor(Math.random() * 1e9));
    const query = new URLSearchParams({
      'hub.mode': 'subscribe',
      'hub.challenge': challenge,
      'hub.verify_token': String(verify_token),
    });
    const response = await fetch(`${route(String(override_callback_uri))}?${query}`).catch(() => undefined);
    if (response?.status !== 200 || (await response.text()) !== challenge)
      throw new GraphError(
        400,
        2200,
        'Callback verification failed with the following errors: HTTP Status Code = 403',
      );
    doors.set(id, String(override_callback_uri));
    return { success: true };
  }

  function keepUpload({ body, parts }: Call): unknown {
    const file = parts.get('file');
    if (body['messaging_product'] !== 'whatsapp' || typeof body['type'] !== 'string' || file === undefined)
      throw new GraphError(400, 100, 'messaging_product, type and file are required');
    checkUpload(file, body['type']);
    return { id: store(file.bytes, file.type) };
  }

  function store(bytes: Buffer, mimeType: string): string {
    const id = String(10 ** 15 + files.size);
    files.set(id, { bytes, mimeType, sha256: createHash('sha256').update(bytes).digest('hex') });
    return id;
  }

  function locate(id: string, { bytes, mimeType, sha256 }: StoredFile) {
    const name = `/lookaside/${randomBytes(8).toString('hex')}`;
    locations.set(name, { id, until: Date.now() + MEDIA_URL_MS });
    return {
      messaging_product: 'whatsapp',
      url: elsewhere ?? url + name,
      mime_type: mimeType,
      sha256,
      file_size: bytes.length,
      id,
    };
  }

  function sendFile(
    path: string,
    {
      request,
      response,
      isAuthorised,
    }: { request: IncomingMessage; response: ServerResponse; isAuthorised: boolean },
  ): void {
    const location = locations.get(path);
    const file = location && location.until > Date.now() ? files.get(location.id) : undefined;
    if (!isAuthorised || !request.headers['user-agent']) return void response.writeHead(401).end();
    if (file === undefined) return void response.writeHead(404).end();
    const failure = takeFailure(path.slice(1));
    if (typeof failure === 'object')
      return void response.writeHead('html' in failure ? failure.html : failure.status).end();
    response
      .writeHead(200, { 'content-type': file.mimeType, 'content-length': file.bytes.length })
      .end(file.bytes);
  }

  async function takeMessage(body: Json): Promise<unknown> {
    if (body['status'] === 'read') return noteSeen(body);
    checkMessage(body);
    const to = recipientOf(body);
    const waId = aliases.get(to) ?? to;
    if (body['type'] === 'template') checkTemplate(body['template'] as Json, templates);
    else if ((lastWrote.get(waId) ?? 0) < Date.now() - DAY_MS)
      throw new GraphError(400, 131047, 'More than 24 hours have passed since the recipient last replied');
    checkFiles(body);
    if (body['type'] === 'reaction') {
      reactions.push({ to, ...(body['reaction'] as Json) });
      return accepted(to, waId, wamid());
    }
    const message = { id: wamid(), to, type: String(body['type']), text: wordsOf(body), body };
    taken.push(message);
    await afterTaken?.(message);
    return accepted(to, waId, message.id);
  }

  function accepted(to: string, waId: string, id: string) {
    const who = /^\d+$/.test(waId) ? { wa_id: waId } : { user_id: waId };
    return { messaging_product: 'whatsapp', contacts: [{ input: to, ...who }], messages: [{ id }] };
  }

  function noteSeen(body: Json): unknown {
    if (typeof body['message_id'] !== 'string') throw new GraphError(400, 131009, 'message_id is required');
    const typing = body['typing_indicator'] as Json | undefined;
    if (typing !== undefined && typing['type'] !== 'text')
      throw new GraphError(400, 100, 'typing_indicator.type');
    if (body['messaging_product'] !== 'whatsapp')
      throw new GraphError(400, 100, 'messaging_product is required');
    seen.push(body);
    return { success: true };
  }

  function checkFiles(body: Json): void {
    const kind = String(body['type']);
    const { id } = (body[kind] ?? {}) as Json;
    if (typeof id !== 'string' || kind === 'reaction') return;
    const file = files.get(id);
    if (file === undefined) throw new GraphError(400, 131053, 'Media upload error');
    checkShown(kind, file);
  }

  /** Posts a webhook as Meta does; resolves with the status of the answer. */
  async function post(door: string, body: unknown, secret = appSecret): Promise<number> {
    noteWriters(body);
    return postRaw(door, encode(body), secret);
  }

  async function postRaw(door: string, bytes: Buffer, secret = appSecret): Promise<number> {
    const response = await fetch(route(door), {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-hub-signature-256': signatureOf(bytes, secret) },
      body: new Uint8Array(bytes),
    });
    await response.arrayBuffer();
    return response.status;
  }

  /** Whoever wrote may be answered freely for a day. */
  function noteWriters(body: unknown): void {
    const text = JSON.stringify(body);
    for (const [, id = ''] of text.matchAll(/"(?:from|from_user_id|wa_id|user_id)":"([\w.]+)"/g))
      lastWrote.set(id, Date.now());
  }

  function statusOf(message: TakenMessage, status: string, fields: Json = {}): Json {
    return {
      id: message.id,
      status,
      timestamp: String(Math.floor(Date.now() / 1000)),
      recipient_id: message.to,
      ...(message.body['biz_opaque_callback_data'] === undefined
        ? {}
        : { biz_opaque_callback_data: message.body['biz_opaque_callback_data'] }),
      ...fields,
    };
  }

  return {
    url,
    token,
    appSecret,
    phoneNumberId,
    account,
    calls,
    taken,
    reactions,
    seen,
    templates,
    subscribed,
    doors,
    /** Settings of a channel whose number lives here. */
    config: {
      provider: 'cloud',
      phone_number_id: phoneNumberId,
      access_token: token,
      app_secret: appSecret,
      api_root: url,
    },
    post,
    /** The same with any bytes. */
    postRaw: (door: string, bytes: Buffer) => postRaw(door, bytes),
    /** Another number of the same account. */
    addNumber(id: string) {
      numbers.add(id);
      return {
        provider: 'cloud',
        phone_number_id: id,
        access_token: token,
        app_secret: appSecret,
        api_root: url,
      };
    },
    /** The next calls whose path matches fail. */
    fail(path: RegExp, failure: MetaFailure, times = 1): void {
      failures.push({ path, failure, times });
    },
    heal(): void {
      failures.length = 0;
    },
    /** A number that WhatsApp knows by another form. */
    knownAs(input: string, waId: string): void {
      aliases.set(input, waId);
      lastWrote.set(waId, Date.now());
    },
    know(...ids: string[]): void {
      for (const id of ids) lastWrote.set(id, Date.now());
    },
    forget(id: string): void {
      lastWrote.delete(id);
    },
    /** Tokens that were made without naming an account. */
    hideAccounts(hidden: boolean): void {
      known.accounts = !hidden;
    },
    addFile: store,
    /** Files are said to lie at an address that is not Meta's. */
    locateAt(address: string | undefined): void {
      elsewhere = address;
    },
    /** Posts statuses to this door before the call that sent the message is answered. */
    tellFirst(door: string, ...statuses: string[]): void {
      statusesFirst = statuses;
      afterTaken = async (message) => {
        for (const status of statusesFirst)
          await post(door, webhook(change(phoneNumberId, { statuses: [statusOf(message, status)] })));
      };
    },
    tellLater(): void {
      afterTaken = undefined;
    },
    /** Posts what became of a message. */
    tell: (door: string, message: TakenMessage, status: string, fields: Json = {}) =>
      post(door, webhook(change(phoneNumberId, { statuses: [statusOf(message, status, fields)] }))),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function wordsOf(body: Json): string {
  const payload = (body[String(body['type'])] ?? {}) as Json;
  const words = payload['body'] ?? payload['caption'] ?? payload['name'] ?? '';
  return typeof words === 'object' ? String((words as Json)['text']) : String(words);
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

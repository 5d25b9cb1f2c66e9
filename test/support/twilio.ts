import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  asResource,
  checkMessage,
  type FakeContent,
  type FakeMedia,
  type FakeMessage,
  type FakeSender,
  Refused,
  sidOf,
} from './twilio/account.ts';
import { violationsOf } from './twilio/openapi.ts';
import { signForm } from './twilio/sign.ts';

/** One request that reached the stand-in, whatever became of it. */
export interface TwilioCall {
  method: string;
  path: string;
  query: URLSearchParams;
  form: URLSearchParams;
  json: unknown;
}

/** What goes wrong with a request: a refusal, a lost answer, no answer, or words that are none of Twilio's. */
export type TwilioFailure =
  | { status: number; code: number; message?: string; headers?: Record<string, string> }
  | { html: number }
  | 'drop'
  | 'hang'
  /** Taken, told by its status callback first, and only then answered. */
  | 'status first';

interface TwilioOptions {
  /** Where a public address is really served. */
  route?: (url: string) => string;
  accountSid?: string;
}

export type FakeTwilio = Awaited<ReturnType<typeof startTwilio>>;

const FORM = 'application/x-www-form-urlencoded';

/** Twilio over loopback: every request is held against its published OpenAPI documents and the rules beyond them. */
export async function startTwilio({ route = (url) => url, accountSid = sidOf('AC') }: TwilioOptions = {}) {
  const account = {
    sid: accountSid,
    tokens: [sidOf('')],
    keys: new Map<string, string>(),
    senders: [] as FakeSender[],
    contents: [] as FakeContent[],
    stopped: new Set<string>(),
    suspended: false,
  };
  const messages: FakeMessage[] = [];
  const calls: TwilioCall[] = [];
  const violations: string[] = [];
  const failures: { path: RegExp; failure: TwilioFailure; times: number }[] = [];
  const typing: string[] = [];
  const mediaRequests: { host: string; authorization: string | undefined }[] = [];

  const server = createServer((request, response) => void respond(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  // Where Twilio's redirects lead: another host, which must learn no credentials.
  const cdn = createServer(serveFile);
  await new Promise<void>((resolve) => cdn.listen(0, '127.0.0.1', resolve));
  const cdnUrl = `http://127.0.0.1:${(cdn.address() as AddressInfo).port}`;

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    const at = new URL(request.url ?? '/', url);
    try {
      if (/\/Media\/ME\w+$/.test(at.pathname)) {
        redirectToFile(request, response, at);
        return;
      }
      checkCredentials(request);
      const call = noteCall(request, at, body);
      const failure = takeFailure(at.pathname, call.method);
      if (typeof failure === 'object' && 'html' in failure) {
        response.writeHead(failure.html, { 'content-type': 'text/html' }).end('<html>Bad Gateway</html>');
        return;
      }
      if (typeof failure === 'object')
        throw new Refused(failure.status, failure.code, failure.message ?? 'Refused', failure.headers);
      const [status, result] = execute(call);
      if (failure === 'drop') request.socket.destroy();
      if (failure === 'drop' || failure === 'hang') return;
      if (failure === 'status first') await tell((result as { sid: string }).sid, 'delivered');
      answer(response, status, result);
    } catch (error) {
      if (!(error instanceof Refused)) {
        answer(response, 500, { message: String(error), status: 500 });
        return;
      }
      const { status, code, message, headers } = error;
      answer(
        response,
        status,
        { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status },
        headers,
      );
    }
  }

  function checkCredentials(request: IncomingMessage): void {
    const [user, password] = basicOf(request);
    const isKey = user !== '' && account.keys.get(user) === password;
    const isAccount = user === account.sid && account.tokens.includes(password);
    if (!isKey && !isAccount) throw new Refused(401, 20003, 'Authenticate');
  }

  function noteCall(request: IncomingMessage, at: URL, body: string): TwilioCall {
    const contentType = request.headers['content-type'] ?? '';
    const method = request.method ?? '';
    const wrong = violationsOf({ method, url: at, contentType, body });
    violations.push(...wrong);
    const isJson = contentType.startsWith('application/json');
    const call = {
      method,
      path: at.pathname,
      query: at.searchParams,
      form: new URLSearchParams(isJson ? '' : body),
      json: isJson ? JSON.parse(body) : undefined,
    };
    calls.push(call);
    if (wrong.length > 0) throw new Refused(400, 20001, wrong.join('; '));
    return call;
  }

  function takeFailure(path: string, method: string): TwilioFailure | undefined {
    const planned = failures.find((one) => one.times > 0 && one.path.test(`${method} ${path}`));
    if (planned) planned.times -= 1;
    return planned?.failure;
  }

  const operations: [RegExp, (call: TwilioCall, found: string[]) => [number, unknown]][] = [
    [/^GET \/2010-04-01\/Accounts\/(AC\w+)\.json$/, () => [200, accountResource()]],
    [/^POST .*\/Messages\.json$/, ({ form }) => [201, asResource(accept(form), account.sid)]],
    [/^GET .*\/Messages\.json$/, ({ query }) => [200, listMessages(query)]],
    [/^GET .*\/Messages\/(\w+)\/Media\.json$/, (_, [sid]) => [200, listMedia(sid ?? '')]],
    [/^GET .*\/IncomingPhoneNumbers\.json$/, ({ query }) => [200, listNumbers(query)]],
    [
      /^POST .*\/IncomingPhoneNumbers\/(\w+)\.json$/,
      ({ form }, [sid]) => [200, updateNumber(sid ?? '', form)],
    ],
    [/^GET .*\/SMS\/ShortCodes\.json$/, ({ query }) => [200, listShortCodes(query)]],
    [/^POST .*\/SMS\/ShortCodes\/(\w+)\.json$/, ({ form }, [sid]) => [200, updateNumber(sid ?? '', form)]],
    [/^GET \/v1\/Services\/(MG\w+)$/, (_, [sid]) => [200, serviceOf(sid ?? '')]],
    [/^POST \/v1\/Services\/(MG\w+)$/, ({ form }, [sid]) => [200, updateService(sid ?? '', form)]],
    [/^GET \/v2\/Channels\/Senders$/, () => [200, listSenders()]],
    [/^POST \/v2\/Channels\/Senders\/(XE\w+)$/, ({ json }, [sid]) => [202, updateSender(sid ?? '', json)]],
    [/^POST \/v2\/Indicators\/Typing\.json$/, ({ form }) => [200, type(form)]],
    [/^GET \/v2\/Content$/, ({ query }) => [200, listContents(query)]],
    [/^GET \/v1\/ContentAndApprovals$/, () => [200, listApprovals()]],
    [/^POST \/v1\/Content$/, ({ json }) => [201, createContent(json)]],
  ];

  function execute(call: TwilioCall): [number, unknown] {
    for (const [pattern, run] of operations) {
      const found = pattern.exec(`${call.method} ${call.path}`);
      if (found !== null) return run(call, found.slice(1));
    }
    throw new Refused(404, 20404, `The requested resource ${call.path} was not found`);
  }

  function accountResource() {
    return {
      sid: account.sid,
      friendly_name: 'Test account',
      status: account.suspended ? 'suspended' : 'active',
    };
  }

  function accept(form: URLSearchParams): FakeMessage {
    checkMessage(form, account);
    const mediaUrls = form.getAll('MediaUrl');
    const message: FakeMessage = {
      sid: sidOf(mediaUrls.length > 0 ? 'MM' : 'SM'),
      direction: 'outbound-api',
      from: form.get('From'),
      to: form.get('To') ?? '',
      body: form.get('Body') ?? '',
      service: form.get('MessagingServiceSid'),
      status: form.has('MessagingServiceSid') ? 'accepted' : 'queued',
      errorCode: null,
      errorMessage: null,
      sentAt: new Date(),
      media: [],
      mediaUrls,
      contentSid: form.get('ContentSid'),
      contentVariables: form.get('ContentVariables'),
      statusCallback: form.get('StatusCallback'),
    };
    messages.push(message);
    return message;
  }

  function listMessages(query: URLSearchParams) {
    const [after, before] = [query.get('DateSent>'), query.get('DateSent<')];
    const matching = messages.filter(
      (it) =>
        (!query.has('To') || it.to === query.get('To')) &&
        (!query.has('From') || it.from === query.get('From')) &&
        (after === null || it.sentAt >= new Date(after)) &&
        (before === null || it.sentAt <= new Date(before)),
    );
    const size = Number(query.get('PageSize') ?? 50);
    const page = Number(query.get('Page') ?? 0);
    const newest = [...matching].reverse();
    const rest = new URLSearchParams(query);
    rest.set('Page', String(page + 1));
    const hasMore = newest.length > (page + 1) * size;
    return {
      messages: newest.slice(page * size, (page + 1) * size).map((it) => asResource(it, account.sid)),
      next_page_uri: hasMore ? `/2010-04-01/Accounts/${account.sid}/Messages.json?${rest}` : null,
      page,
      page_size: size,
    };
  }

  function listMedia(sid: string) {
    const media = messages.find((it) => it.sid === sid)?.media ?? [];
    const list = media.map((it) => ({
      sid: it.sid,
      content_type: it.contentType,
      parent_sid: sid,
      account_sid: account.sid,
      uri: `/2010-04-01/Accounts/${account.sid}/Messages/${sid}/Media/${it.sid}.json`,
    }));
    return { media_list: list, next_page_uri: null, page: 0, page_size: 50 };
  }

  function senderOf(sid: string): FakeSender {
    const sender = account.senders.find((it) => it.sid === sid);
    if (sender === undefined) throw new Refused(404, 20404, 'The requested resource was not found');
    return sender;
  }

  const numberResource = ({ sid, name, url: smsUrl, overruled }: FakeSender) => ({
    sid,
    phone_number: name,
    short_code: name,
    sms_url: smsUrl ?? '',
    sms_application_sid: overruled ? sidOf('AP') : '',
  });

  function listNumbers(query: URLSearchParams) {
    const found = account.senders.filter(
      (it) => it.kind === 'number' && (!query.has('PhoneNumber') || it.name === query.get('PhoneNumber')),
    );
    return { incoming_phone_numbers: found.map(numberResource), next_page_uri: null, page: 0, page_size: 50 };
  }

  function listShortCodes(query: URLSearchParams) {
    const found = account.senders.filter(
      (it) => it.kind === 'short code' && it.name === query.get('ShortCode'),
    );
    return { short_codes: found.map(numberResource), next_page_uri: null, page: 0, page_size: 50 };
  }

  function updateNumber(sid: string, form: URLSearchParams) {
    const sender = senderOf(sid);
    sender.url = form.get('SmsUrl') ?? sender.url;
    if (form.get('SmsApplicationSid') === '') sender.overruled = false;
    return numberResource(sender);
  }

  function serviceOf(sid: string) {
    const service = senderOf(sid);
    return {
      sid,
      friendly_name: 'Support',
      inbound_request_url: service.url,
      use_inbound_webhook_on_number: service.overruled,
    };
  }

  function updateService(sid: string, form: URLSearchParams) {
    const service = senderOf(sid);
    service.url = form.get('InboundRequestUrl') ?? service.url;
    service.overruled = form.get('UseInboundWebhookOnNumber') === 'true';
    return serviceOf(sid);
  }

  const senderResource = ({ sid, name, url: callback, statusUrl }: FakeSender) => ({
    sid,
    sender_id: name,
    status: 'ONLINE',
    webhook: { callback_url: callback, callback_method: 'POST', status_callback_url: statusUrl },
  });

  function listSenders() {
    const senders = account.senders.filter((it) => it.kind === 'whatsapp').map(senderResource);
    return { senders, meta: { page: 0, page_size: 50, key: 'senders', next_page_url: null } };
  }

  function updateSender(sid: string, json: unknown) {
    const { webhook } = json as { webhook?: { callback_url?: string; status_callback_url?: string } };
    const sender = senderOf(sid);
    sender.url = webhook?.callback_url ?? sender.url;
    sender.statusUrl = webhook?.status_callback_url ?? sender.statusUrl;
    return senderResource(sender);
  }

  function type(form: URLSearchParams) {
    const sid = form.get('messageId') ?? '';
    if (!messages.some((it) => it.sid === sid && it.direction === 'inbound'))
      throw new Refused(400, 20001, 'The message does not exist');
    typing.push(sid);
    return { success: true };
  }

  const contentResource = ({ approval: _, ...content }: FakeContent) => ({
    ...content,
    account_sid: account.sid,
  });

  function listContents(query: URLSearchParams) {
    const named = query.get('ContentName');
    const contents = account.contents.filter((it) => named === null || it.friendly_name === named);
    return {
      contents: contents.map(contentResource),
      meta: { page: 0, page_size: 50, key: 'contents', next_page_url: null },
    };
  }

  function listApprovals() {
    const contents = account.contents.map((it) => ({
      ...contentResource(it),
      approval_requests: {
        name: it.friendly_name,
        category: 'UTILITY',
        status: it.approval,
        rejection_reason: '',
      },
    }));
    return { contents, meta: { page: 0, page_size: 50, key: 'contents', next_page_url: null } };
  }

  function createContent(json: unknown) {
    const given = json as Pick<FakeContent, 'friendly_name' | 'language' | 'types'> & Partial<FakeContent>;
    const content = { ...given, variables: given.variables ?? {}, approval: 'unsubmitted', sid: sidOf('HX') };
    account.contents.push(content);
    return contentResource(content);
  }

  function redirectToFile(request: IncomingMessage, response: ServerResponse, at: URL): void {
    const [user, password] = basicOf(request);
    mediaRequests.push({ host: 'twilio', authorization: request.headers.authorization });
    // Files want the account's own token; a key does not open them.
    const isKnown = user === account.sid && account.tokens.includes(password);
    const media = mediaAt(at.pathname);
    const isThere = media !== undefined && media.missing-- <= 0;
    if (!isKnown) answer(response, 401, { code: 20003, message: 'Authenticate', status: 401 });
    else if (!isThere) answer(response, 404, { code: 20404, message: 'not found', status: 404 });
    else response.writeHead(307, { location: `${cdnUrl}/${media.sid}?signed=1` }).end();
  }

  function mediaAt(path: string): FakeMedia | undefined {
    const sid = path.split('/').pop();
    return messages.flatMap((it) => it.media).find((it) => it.sid === sid);
  }

  function serveFile(request: IncomingMessage, response: ServerResponse): void {
    mediaRequests.push({ host: 'cdn', authorization: request.headers.authorization });
    const media = mediaAt(new URL(request.url ?? '/', 'http://cdn').pathname);
    if (media === undefined) unknownFile(response);
    else
      response
        .writeHead(200, { 'content-type': media.contentType, 'content-length': media.bytes.length })
        .end(media.bytes);
  }

  /** Posts a form to an address as Twilio does: signed, without what stands behind the #. */
  async function post(to: string, params: Record<string, string>): Promise<number> {
    const form = new URLSearchParams(params);
    const address = to.replace(/#.*$/s, '');
    const answered = await fetch(route(address), {
      method: 'POST',
      headers: {
        'content-type': FORM,
        'x-twilio-signature': signForm(account.tokens[0] ?? '', address, form),
        'i-twilio-idempotency-token': sidOf(''),
      },
      body: String(form),
    });
    await answered.arrayBuffer();
    return answered.status;
  }

  /** Tells what became of a message of ours, at the address that it named. */
  async function tell(sid: string, status: string, extra: Record<string, string> = {}): Promise<number> {
    const message = messages.find((it) => it.sid === sid);
    if (message === undefined) throw new Error(`there is no message ${sid}`);
    if (message.statusCallback === null) return 0;
    return post(message.statusCallback, {
      MessageSid: sid,
      MessageStatus: status,
      SmsSid: sid,
      SmsStatus: status,
      AccountSid: account.sid,
      ApiVersion: '2010-04-01',
      From: message.from ?? '',
      To: message.to,
      ...extra,
    });
  }

  return {
    url,
    account,
    messages,
    calls,
    violations,
    typing,
    mediaRequests,
    /** The settings that lead here, for a sender of this account. */
    config: (from: string) => ({
      account_sid: account.sid,
      auth_token: account.tokens[0],
      from,
      api_root: url,
    }),
    /** What was taken of ours. */
    sent: () => messages.filter((it) => it.direction === 'outbound-api'),
    own(kind: FakeSender['kind'], name: string): FakeSender {
      const prefix = { number: 'PN', 'short code': 'SC', whatsapp: 'XE', service: 'MG' }[kind];
      const sid = kind === 'service' ? name : sidOf(prefix);
      const sender = { kind, sid, name, url: null, statusUrl: null, overruled: false };
      account.senders.push(sender);
      return sender;
    },
    /** A customer writes. Resolves with the message and what our door answered (0: nobody was called). */
    async receive(
      { from, to, body = '', media = [], at = new Date() }: IncomingText,
      extra: Record<string, string> = {},
      { called = true } = {},
    ) {
      const sender = account.senders.find(({ name }) => name === to);
      const message: FakeMessage = {
        sid: sidOf(media.length > 0 ? 'MM' : 'SM'),
        direction: 'inbound',
        from,
        to,
        body,
        service: null,
        status: 'received',
        errorCode: null,
        errorMessage: null,
        sentAt: at,
        media: media.map((it) => ({ sid: sidOf('ME'), missing: 0, ...it })),
        mediaUrls: [],
        contentSid: null,
        contentVariables: null,
        statusCallback: null,
      };
      messages.push(message);
      if (!called || sender?.url == null) return { message, status: 0 };
      return {
        message,
        status: await post(sender.url, inboundParams(message, { account: account.sid, url, extra })),
      };
    },
    /** Posts the same message once more. */
    again: (message: FakeMessage, extra: Record<string, string> = {}) =>
      post(
        account.senders.find(({ name }) => name === message.to)?.url ?? '',
        inboundParams(message, { account: account.sid, url, extra }),
      ),
    post,
    tell,
    /** The next requests whose "METHOD /path" matches fail. */
    fail(path: RegExp, failure: TwilioFailure, times = 1): void {
      failures.push({ path, failure, times });
    },
    async close() {
      for (const one of [server, cdn]) {
        one.closeAllConnections();
        await new Promise<void>((resolve) => one.close(() => resolve()));
      }
    },
  };
}

export interface IncomingText {
  from: string;
  to: string;
  body?: string;
  media?: { contentType: string; bytes: Buffer; missing?: number }[];
  at?: Date;
}

function inboundParams(
  message: FakeMessage,
  { account, url, extra }: { account: string; url: string; extra: Record<string, string> },
): Record<string, string> {
  const media = message.media.flatMap(({ sid, contentType }, n): [string, string][] => [
    [`MediaUrl${n}`, `${url}/2010-04-01/Accounts/${account}/Messages/${message.sid}/Media/${sid}`],
    [`MediaContentType${n}`, contentType],
  ]);
  return {
    ToCountry: 'US',
    SmsMessageSid: message.sid,
    NumMedia: String(message.media.length),
    SmsSid: message.sid,
    SmsStatus: 'received',
    Body: message.body,
    To: message.to,
    NumSegments: '1',
    MessageSid: message.sid,
    AccountSid: account,
    From: message.from ?? '',
    ApiVersion: '2010-04-01',
    ...Object.fromEntries(media),
    ...extra,
  };
}

function basicOf(request: IncomingMessage): [string, string] {
  const [, encoded = ''] = /^Basic (.+)$/.exec(request.headers.authorization ?? '') ?? [];
  const [user = '', ...rest] = Buffer.from(encoded, 'base64').toString().split(':');
  return [user, rest.join(':')];
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function unknownFile(response: ServerResponse): void {
  response.writeHead(404).end();
}

function answer(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

import type { Browser, Page, WebSocketRoute } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { browserMissing, startBrowser } from '../support/browser.ts';
import { type Server, startServer } from '../support/server.ts';

describe.skipIf(browserMissing())('the demo page', () => {
  let server: Server;
  let browser: Browser;
  let page: Page;
  let complaints: string[];
  let requested: string[];

  beforeAll(async () => {
    [server, browser] = await Promise.all([startServer(), startBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  beforeEach(async () => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    context.setDefaultTimeout(15_000);
    page = await context.newPage();
    complaints = [];
    requested = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('request', (request) => requested.push(request.url()));
    page.on('websocket', (socket) => requested.push(socket.url()));
  });
  afterEach(() => page.context().close());

  const open = async () => {
    await page.goto(server.demoUrl);
    await visitor().getByText('connected', { exact: true }).waitFor();
    await agent().getByText('connected', { exact: true }).waitFor();
  };
  const visitor = () => page.getByRole('region', { name: 'Visitor' });
  const agent = () => page.getByRole('region', { name: 'Agent' });
  const events = () => page.getByRole('region', { name: 'Events', exact: true });
  const write = async (text: string) => {
    await page.getByLabel('Message of the visitor').fill(text);
    await page.getByRole('button', { name: 'Send' }).click();
  };
  const reply = async (text: string) => {
    await page.getByLabel('Reply of the agent').fill(text);
    await page.getByLabel('Reply of the agent').press('Enter');
  };
  const messagesIn = (side: ReturnType<typeof agent>) => side.locator('.message .bubble').allTextContents();

  const call = async (method: string, path: string, body?: object) => {
    const response = await fetch(`${server.url}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${server.credentials.api_key}`,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    return response.json() as Promise<{ data: [{ id: string }] }>;
  };
  const newest = async () => (await call('GET', '/conversations/?limit=1')).data[0].id;

  it('shows the whole loop: a visitor writes, the event appears, an agent replies, the visitor reads it', async () => {
    await open();
    await write('Where is my order?');
    await visitor().getByText('sent').waitFor();
    await agent().locator('.message').getByText('Where is my order?').waitFor();
    await events().getByText('conversation.created').waitFor();
    await events().getByText('message.received').waitFor();

    await reply('It arrives on Thursday.');
    await visitor().locator('.message').getByText('It arrives on Thursday.').waitFor();
    await agent().locator('.message').getByText('read').waitFor();
    expect(await messagesIn(agent())).toEqual(await messagesIn(visitor()));
    expect(complaints).toEqual([]);
  });

  it('keeps a note on the side of the team', async () => {
    await open();
    await write('Hello');
    await agent().locator('.message').getByText('Hello').waitFor();
    await page.getByLabel('Note').check();
    await reply('A difficult customer');
    await agent().locator('.message.note').waitFor();
    await page.getByLabel('Note').uncheck();
    await reply('Good morning');
    await visitor().locator('.message').getByText('Good morning').waitFor();
    expect(await messagesIn(visitor())).toEqual(['Hello', 'Good morning']);
  });

  it('asks with buttons, and takes the pressed one for the answer', async () => {
    await open();
    await write('I would like a bicycle');
    await agent().locator('.message').getByText('I would like a bicycle').waitFor();
    await reply('Which colour? [Red] [Blue]');
    await visitor().getByRole('button', { name: 'Blue' }).click();
    await agent().locator('.message .bubble').getByText('Blue', { exact: true }).waitFor();
    expect(await messagesIn(agent())).toEqual(['I would like a bicycle', 'Which colour?', 'Blue']);
    expect(complaints).toEqual([]);
  });

  it('shows a picture on both sides', async () => {
    await open();
    await write('Show me');
    await agent().locator('.message').getByText('Show me').waitFor();
    const path = `/conversations/${await newest()}`;
    const png = await sharp({ create: { width: 90, height: 60, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    const form = new FormData();
    form.set('file', new File([new Uint8Array(png)], 'red.png', { type: 'image/png' }));
    const headers = { authorization: `Bearer ${server.credentials.api_key}` };
    const uploaded = await fetch(`${server.url}/api/v1${path}/upload`, {
      method: 'POST',
      headers,
      body: form,
    });
    await call('POST', `${path}/messages`, { content: 'Here', attachments: [await uploaded.json()] });
    for (const side of [visitor(), agent()]) {
      const picture = side.getByRole('img', { name: 'red.png' });
      await picture.waitFor();
      await expect.poll(() => picture.evaluate((img: { naturalWidth: number }) => img.naturalWidth)).toBe(90);
    }
    expect(complaints).toEqual([]);
  });

  it('resolves a conversation, which reopens when the visitor writes again', async () => {
    await open();
    await write('Thanks');
    await agent().locator('.message').getByText('Thanks').waitFor();
    await page.getByRole('button', { name: 'Resolve' }).click();
    await page.getByRole('button', { name: 'Reopen' }).waitFor();
    await write('One more thing');
    await events().getByText('conversation.reopened').waitFor();
    await page.getByRole('button', { name: 'Resolve' }).waitFor();
  });

  it('knows the visitor again after a reload, and forgets them when asked', async () => {
    await open();
    await write('Do you remember me?');
    await visitor().getByText('sent').waitFor();
    await page.reload();
    await visitor().locator('.message').getByText('Do you remember me?').waitFor();
    await page.getByRole('button', { name: 'New visitor' }).click();
    await visitor().getByText('Say hello').waitFor();
    expect(await messagesIn(visitor())).toEqual([]);
  });

  it('sends what was written while the connection was away, once', async () => {
    const sockets: WebSocketRoute[] = [];
    await page.routeWebSocket(/socket\.io/, (socket) => {
      socket.connectToServer();
      sockets.push(socket);
    });
    await open();
    await write('First');
    await visitor().getByText('sent').waitFor();

    await page.route('**/socket.io/?*', (route) => route.abort());
    await Promise.all(sockets.map((socket) => socket.close()));
    await visitor().getByText('connecting').waitFor();
    await write('Second');
    await visitor().getByText('sending').waitFor();
    await page.unroute('**/socket.io/?*');
    await agent().locator('.message').getByText('Second').waitFor();
    await visitor().getByText('sending').waitFor({ state: 'detached' });
    expect(await messagesIn(visitor())).toEqual(['First', 'Second']);
    expect(await messagesIn(agent())).toEqual(['First', 'Second']);
  });

  it('goes on with the next conversation when one was closed, and catches up in that', async () => {
    await open();
    await write('Before');
    await visitor().getByText('sent').waitFor();
    await call('PUT', `/conversations/${await newest()}/close`);
    await write('After');
    await expect.poll(() => messagesIn(visitor())).toEqual(['After']);
    await page.reload();
    await visitor().locator('.message').getByText('After').waitFor();
    expect(await messagesIn(visitor())).toEqual(['After']);
  });

  it('leaves the focus where it is, whatever comes in', async () => {
    await open();
    await write('Choose for me');
    await visitor().getByText('sent').waitFor();
    const path = `/conversations/${await newest()}/messages`;
    await call('POST', path, {
      type: 'card',
      card: { title: 'Which colour?', actions: [{ label: 'Blue' }] },
    });
    await visitor().getByRole('button', { name: 'Blue' }).focus();
    await call('POST', path, { content: 'There is no hurry.' });
    await agent().locator('.message').getByText('read').nth(1).waitFor();
    expect(await page.evaluate('document.activeElement?.textContent')).toBe('Blue');

    await agent().locator('[aria-current=true]').focus();
    await call('POST', path, { content: 'Still there?' });
    await agent().locator('.message').getByText('read').nth(2).waitFor();
    expect(await page.evaluate('document.activeElement?.ariaCurrent')).toBe('true');
  });

  it('works by http under a name of the network, where browsers have less to offer', async () => {
    await page.addInitScript('delete Crypto.prototype.randomUUID');
    await open();
    await write('From the next desk');
    await visitor().getByText('sent').waitFor();
    expect(complaints).toEqual([]);
  });

  it('shows markup as the text that it is', async () => {
    await open();
    const markup = '<img src=x onerror="document.title = 1"><b>bold</b>';
    await write(markup);
    await agent().locator('.message .bubble').getByText(markup).waitFor();
    expect(await page.locator('.message img, .message b').count()).toBe(0);
    expect(await page.title()).toBe('Tributary demo');
  });

  it('never puts the key into a URL', async () => {
    await open();
    const key = new URL(server.demoUrl).hash.slice(1);
    expect(requested.filter((url) => url.split('#')[0]?.includes(key))).toEqual([]);
    expect(await page.content()).not.toContain(key);
  });

  it('says what to do when the link has no key', async () => {
    await page.goto(`${server.url}/demo`);
    await page.getByRole('alert').getByText('Open the link').waitFor();
    for (const side of ['Visitor', 'Agent'])
      expect(await page.locator(`[aria-label=${side}]`).getAttribute('inert')).toBe('');
  });

  it('fits a narrow screen', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await open();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
  });
});

describe('where the demo page is served', () => {
  it('runs scripts of its own only', async () => {
    const server = await startServer();
    try {
      const { headers, status } = await fetch(`${server.url}/demo`);
      expect(status).toBe(200);
      expect(headers.get('content-security-policy')).toContain("script-src 'self';");
      expect((await fetch(`${server.url}/demo/..%2f..%2fpackage.json`)).status).toBe(404);
      const proxied = { 'x-forwarded-for': '203.0.113.7' };
      expect((await fetch(`${server.url}/demo`, { headers: proxied })).status).toBe(404);
    } finally {
      await server.stop();
    }
  });
});

import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { closeAll, connect } from '../realtime/sockets.ts';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { expectAsPrinted } from '../support/printed.ts';
import { until } from '../support/until.ts';
import { type Receiver, startReceiver } from '../webhooks/support/receiver.ts';

// Every request and payload of product B's page on conversations, as printed there: host, ids and credentials aside.

let gateway: TestGateway;
let receiver: Receiver;
let agent: { id: string; api_key: string };
/** John Doe's, who wrote "Hi, I need help". */
let conversationId: string;
let visitor: Awaited<ReturnType<typeof connect>>;

beforeAll(async () => {
  gateway = await startTestGateway();
  receiver = await startReceiver();
  const invited = await gateway.call<{ id: string; api_key: string }>('POST', '/api/v1/team/invite', {
    email: 'agent@example.com',
    name: 'Support Agent',
    role: 'admin',
  });
  agent = invited.body;
});
afterAll(async () => {
  await gateway.stop();
  await receiver.close();
});

beforeEach(async () => {
  visitor = await connect(gateway.url, { business_id: gateway.businessId });
  const asked = await visitor.ask('client_message', {
    content: 'Hi, I need help',
    customer_data: { name: 'John Doe', email: 'john@example.com' },
  });
  conversationId = asked['conversation_id'] as string;
  return closeAll;
});

interface Init {
  method?: string;
  headers: Record<string, string>;
  body?: string;
}

/** The samples' own `fetch`, which knows our host, the conversation, the tag and the key. */
async function fetch(printedPath: string, init: Init) {
  const path = printedPath.replace('{conversationId}', conversationId).replace('{tagId}', 'billing');
  const headers = { ...init.headers };
  if ('X-API-Key' in headers) headers['X-API-Key'] = agent.api_key;
  const response = await globalThis.fetch(gateway.url + path, { ...init, headers });
  expect([path, response.status, response.ok]).toEqual([path, response.status, true]);
  // biome-ignore lint/suspicious/noExplicitAny: samples take apart whatever they get
  return { json: () => response.json() as Promise<any> };
}

async function theConversation() {
  const response = await fetch('/api/support/conversations/{conversationId}', {
    headers: {
      'X-API-Key': 'your-api-key',
    },
  });
  return (await response.json()).data;
}

function reply(body: object) {
  return fetch('/api/support/conversations/{conversationId}/reply', {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      'X-API-Key': 'your-api-key',
    },
    body: JSON.stringify(body),
  });
}

function act(verb: string, body: object) {
  return fetch(`/api/support/conversations/{conversationId}/${verb}`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      'X-API-Key': 'your-api-key',
    },
    body: JSON.stringify(body),
  });
}

describe('the operations', () => {
  it('list conversations', async () => {
    const response = await fetch('/api/support/conversations', {
      headers: {
        'X-API-Key': 'your-api-key',
      },
    });
    const { success, data, meta } = await response.json();
    expect(success).toBe(true);
    expect(data[0]).toMatchObject({ id: conversationId, status: 'open', inboxId: gateway.channelId });
    expect(meta).toEqual({ page: 1, limit: 50, total: data.length, hasMore: false });
  });

  it('list them by each documented parameter', async () => {
    await act('assign', { assigneeId: agent.id });
    const { visitor: john } = await theConversation();
    const parameters = [
      'status=open',
      `inboxId=${gateway.channelId}`,
      `assigneeId=${agent.id}`,
      `visitorId=${john.id}`,
      'page=1',
      'limit=1',
    ];
    for (const parameter of [...parameters, parameters.join('&')]) {
      const response = await fetch(`/api/support/conversations?${parameter}`, {
        headers: { 'X-API-Key': 'your-api-key' },
      });
      const { data } = await response.json();
      expect([parameter, data[0].id]).toEqual([parameter, conversationId]);
    }
  });

  it('get a conversation', async () => {
    await reply({ message: 'How can I help?', type: 'reply' });
    await act('assign', { assigneeId: agent.id });
    await act('tags', { tags: ['billing', 'urgent'] });
    const data = await theConversation();
    expectAsPrinted(data, {
      id: 'conv-123',
      status: 'open',
      inboxId: 'inbox-123',
      visitor: {
        id: 'visitor-123',
        name: 'John Doe',
        email: 'john@example.com',
      },
      assignee: {
        id: 'user-123',
        name: 'Support Agent',
      },
      messages: [
        {
          id: 'msg-1',
          type: 'visitor',
          content: 'Hi, I need help',
          createdAt: '2024-01-15T10:00:00Z',
        },
        {
          id: 'msg-2',
          type: 'agent',
          content: 'How can I help?',
          createdAt: '2024-01-15T10:05:00Z',
          author: { id: 'user-123', name: 'Support Agent' },
        },
      ],
      tags: ['billing', 'urgent'],
      createdAt: '2024-01-15T10:00:00Z',
      updatedAt: '2024-01-15T10:05:00Z',
    });
    expect(data).toMatchObject({
      id: conversationId,
      status: 'open',
      inboxId: gateway.channelId,
      visitor: { name: 'John Doe', email: 'john@example.com' },
      assignee: { id: agent.id, name: 'Support Agent' },
      messages: [
        { type: 'visitor', content: 'Hi, I need help' },
        { type: 'agent', content: 'How can I help?', author: { id: agent.id, name: 'Support Agent' } },
      ],
      tags: ['billing', 'urgent'],
    });
  });

  it('reply to a conversation', async () => {
    await reply({
      message: 'Thanks for reaching out! Let me help you with that.',
      type: 'reply', // 'reply' | 'note'
    });
    const heard = await visitor.next('new_message', (it) => it['sender_type'] === 'agent');
    expect(heard['content']).toBe('Thanks for reaching out! Let me help you with that.');
  });

  it('add an internal note, which only the team sees', async () => {
    await reply({
      message: 'Customer seems confused about pricing. Escalate to sales?',
      type: 'note',
    });
    await reply({ message: 'A word to the visitor', type: 'reply' });
    await visitor.next('new_message', (it) => it['content'] === 'A word to the visitor');
    expect(JSON.stringify(visitor.heard)).not.toContain('Escalate');
    const { messages } = await theConversation();
    expect(messages.map((message: { type: string }) => message.type)).toEqual(['visitor', 'note', 'agent']);
  });

  it('assign a conversation', async () => {
    await act('assign', {
      assigneeId: agent.id,
    });
    expect((await theConversation()).assignee).toEqual({ id: agent.id, name: 'Support Agent' });
  });

  it('update the status', async () => {
    await fetch('/api/support/conversations/{conversationId}', {
      method: 'PUT',
      headers: {
        'Content-Type': 'application/json',
        'X-API-Key': 'your-api-key',
      },
      body: JSON.stringify({
        status: 'resolved',
      }),
    });
    expect((await theConversation()).status).toBe('resolved');
  });

  it('snooze a conversation: a time that has passed wakes it, one to come does not', async () => {
    await act('snooze', {
      until: '2024-01-16T09:00:00Z',
    });
    expect((await theConversation()).status).toBe('open');
    await act('snooze', { until: '2099-01-16T09:00:00Z' });
    expect((await theConversation()).status).toBe('snoozed');
  });

  it('add tags and remove one', async () => {
    await act('tags', {
      tags: ['billing', 'urgent'],
    });
    expect((await theConversation()).tags).toEqual(['billing', 'urgent']);
    await fetch('/api/support/conversations/{conversationId}/tags/{tagId}', {
      method: 'DELETE',
      headers: {
        'X-API-Key': 'your-api-key',
      },
    });
    expect((await theConversation()).tags).toEqual(['urgent']);
  });
});

describe('the message types', () => {
  const last = async () => (await theConversation()).messages.at(-1);

  it('text', async () => {
    await act('messages', {
      type: 'text',
      content: 'Hello, how can I help?',
    });
    expect(await last()).toMatchObject({ type: 'agent', content: 'Hello, how can I help?' });
  });

  it('attachment', async () => {
    receiver.answer = (_request, response) => {
      response.setHeader('content-type', 'application/pdf');
      response.end('%PDF-1.4 an invoice');
    };
    await act('messages', {
      type: 'attachment',
      content: 'Here is the document you requested.',
      attachments: [
        {
          name: 'invoice.pdf',
          url: `http://127.0.0.1:${receiver.port}/invoice.pdf`,
          type: 'application/pdf',
          size: 102400,
        },
      ],
    });
    const { content, attachments } = await eventually(async () => {
      const message = await last();
      expect(message.attachments[0].state).toBe('ready');
      return message;
    });
    expect(content).toBe('Here is the document you requested.');
    expectAsPrinted(attachments, [
      { name: 'invoice.pdf', url: 'https://...', type: 'application/pdf', size: 102400 },
    ]);
    receiver.answer = (_request, response) => void response.end();
  });

  it('card, whose content reads back as the object', async () => {
    const content = {
      title: 'Order #12345',
      description: 'Your order has been shipped',
      actions: [
        { label: 'Track Package', url: 'https://...' },
        { label: 'View Order', action: 'view_order' },
      ],
    };
    await act('messages', {
      type: 'card',
      content,
    });
    expect(await last()).toMatchObject({ type: 'agent', content });
  });
});

describe('conversation events', () => {
  it('arrive at a plain WebSocket', async () => {
    const heard: [string, { id: string; conversationId?: string }][] = [];
    const console = {
      log: (title: string, data: (typeof heard)[number][1]) => void heard.push([title, data]),
    };
    // The socket may still hear the end of what was under way when it came.
    const ours = () => heard.filter(([, { id, conversationId: of = id }]) => of === conversationId);
    const url = `${gateway.url.replace('http', 'ws')}/support/conversations/live`;
    // WebSocket connection
    const ws = new WebSocket(url, ['bearer', agent.api_key]);
    ws.onmessage = (event) => {
      const { type, data } = JSON.parse(event.data);
      switch (type) {
        case 'conversation.created':
          console.log('New conversation:', data);
          break;
        case 'message.received':
          console.log('New message:', data);
          break;
        case 'conversation.updated':
          console.log('Conversation updated:', data);
          break;
      }
    };
    await new Promise((resolve) => {
      ws.onopen = resolve;
    });
    const asked = await visitor.ask('client_message', { content: 'Something else', new: true });
    conversationId = asked['conversation_id'] as string;
    await act('tags', { tags: ['billing'] });
    await until(() => ours().length >= 3);
    expect(ours()).toMatchObject([
      ['New conversation:', { id: conversationId, status: 'open', visitor: { name: 'John Doe' } }],
      ['New message:', { conversationId, type: 'visitor', content: 'Something else' }],
      ['Conversation updated:', { id: conversationId, tags: ['billing'] }],
    ]);
    ws.close();
  });
});

describe('the metrics', () => {
  it('are computed, in the printed shape', async () => {
    await reply({ message: 'How can I help?', type: 'reply' });
    await fetch('/api/support/conversations/{conversationId}', {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json', 'X-API-Key': 'your-api-key' },
      body: JSON.stringify({ status: 'resolved' }),
    });
    await fetch('/api/v1/conversations/{conversationId}/csat', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-API-Key': 'your-api-key' },
      body: JSON.stringify({ score: 4 }),
    });
    await eventually(async () => {
      const response = await fetch('/api/support/analytics/conversations', {
        headers: {
          'X-API-Key': 'your-api-key',
        },
      });
      const { data } = await response.json();
      expectAsPrinted(data, {
        totalConversations: 500,
        openConversations: 25,
        resolvedToday: 45,
        avgFirstResponseTime: 120, // seconds
        avgResolutionTime: 3600, // seconds
        csat: 4.5,
      });
      expect(data.csat).toBe(4);
      expect(data.resolvedToday).toBeGreaterThan(0);
      expect(data.totalConversations).toBeGreaterThan(data.resolvedToday);
    });
  });
});

describe('webhooks', () => {
  const events = [
    'conversation.created',
    'conversation.assigned',
    'conversation.resolved',
    'message.received',
  ];

  async function subscribe(url: string) {
    const response = await fetch('/api/support/webhooks', {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        'X-API-Key': 'your-api-key',
      },
      body: JSON.stringify({
        url,
        events,
      }),
    });
    return (await response.json()).data;
  }

  it('are configured', async () => {
    expect(await subscribe('https://your-server.com/webhook')).toMatchObject({
      url: 'https://your-server.com/webhook',
      events,
    });
  });

  it('carry the printed payload, signed', async () => {
    const { secret } = await subscribe(receiver.url);
    receiver.received.length = 0;
    await visitor.ask('client_message', { content: 'I need help with billing', new: true });
    const isReceived = ({ body }: { body: string }) => JSON.parse(body).event === 'message.received';
    await until(() => receiver.received.some(isReceived));
    const { body, headers } = receiver.received.find(isReceived) ?? { body: '', headers: {} };
    expect(new Webhook(secret).verify(body, headers as Record<string, string>)).toBeTruthy();
    const payload = JSON.parse(body);
    const printed = {
      event: 'message.received',
      timestamp: '2024-01-15T10:00:00Z',
      conversation: {
        id: 'conv-123',
        status: 'open',
      },
      message: {
        id: 'msg-123',
        type: 'visitor',
        content: 'I need help with billing',
      },
      visitor: {
        id: 'visitor-123',
        email: 'john@example.com',
      },
    };
    expectAsPrinted(payload, printed);
    expect(Object.keys(payload)).toEqual(Object.keys(printed));
    expect(payload).toMatchObject({
      event: 'message.received',
      conversation: { status: 'open' },
      message: { type: 'visitor', content: 'I need help with billing' },
      visitor: { email: 'john@example.com' },
    });
  });
});

describe('canned responses', () => {
  it('are created as printed, and their four variables are filled in', async () => {
    const response = await fetch('/api/support/canned-responses', {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        'X-API-Key': 'your-api-key',
      },
      body: JSON.stringify({
        title: 'Greeting',
        shortcut: '/hello',
        content: 'Hi {{visitor.name}}! Thanks for reaching out. How can I help you today?',
      }),
    });
    const { success, data } = await response.json();
    expect([success, data.shortcut]).toEqual([true, '/hello']);
    const filled = await gateway.call<{ content: string; missing: string[] }>(
      'POST',
      `/api/v1/canned-responses/${data.id}/render`,
      { conversation_id: conversationId },
    );
    expect(filled.body.content).toBe('Hi John Doe! Thanks for reaching out. How can I help you today?');
    const printed = '{{visitor.name}}|{{visitor.email}}|{{agent.name}}|{{company.name}}';
    await gateway.call('PATCH', `/api/v1/canned-responses/${data.id}`, { content: printed });
    const path = `/api/v1/canned-responses/${data.id}/render`;
    const all = await gateway.call<{ content: string }>(
      'POST',
      path,
      { conversation_id: conversationId },
      { key: agent.api_key },
    );
    const { body: business } = await gateway.call<{ name: string }>('GET', '/api/v1/business');
    expect(all.body.content).toBe(`John Doe|john@example.com|Support Agent|${business.name}`);
  });
});

describe('automation rules', () => {
  // Printed as objects; they are what the route takes.
  const autoAssignment = {
    trigger: 'conversation.created',
    conditions: [{ field: 'visitor.plan', operator: 'equals', value: 'enterprise' }],
    actions: [
      { type: 'assign', assigneeId: 'priority-team-id' },
      { type: 'addTag', tag: 'enterprise' },
    ],
  };
  const autoReply = {
    trigger: 'message.received',
    conditions: [{ field: 'message.content', operator: 'contains', value: 'refund' }],
    actions: [
      {
        type: 'reply',
        message: 'I see you have a question about refunds. Let me connect you with our billing team.',
      },
      { type: 'addTag', tag: 'refund-request' },
    ],
  };

  async function create(rule: object) {
    const response = await fetch('/api/support/automation-rules', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-API-Key': 'your-api-key' },
      body: JSON.stringify(rule),
    });
    return (await response.json()).data;
  }

  it('assign automatically, as printed', async () => {
    const team = await gateway.call<{ id: string }>('POST', '/api/v1/teams', {
      name: 'Priority',
      members: [agent.id],
    });
    const text = JSON.stringify(autoAssignment).replace('priority-team-id', team.body.id);
    const rule = await create(JSON.parse(text));
    expect(rule).toMatchObject({ ...JSON.parse(text), name: null, isActive: true });
    const customer = await gateway.call<{ id: string }>('POST', '/api/v1/customers', {
      custom_attributes: { plan: 'enterprise' },
    });
    const opened = await gateway.call<{ id: string }>('POST', '/api/v1/conversations', {
      business_id: gateway.businessId,
      customer_id: customer.body.id,
    });
    conversationId = opened.body.id;
    await eventually(async () => {
      const { body } = await gateway.call<object>('GET', `/api/v1/conversations/${conversationId}`);
      expect(body).toMatchObject({ team_id: team.body.id, tags: ['enterprise'] });
    });
  });

  it('reply automatically, as printed', async () => {
    await create(autoReply);
    const listed = await fetch('/api/support/automation-rules', { headers: { 'X-API-Key': 'your-api-key' } });
    expect((await listed.json()).data.at(-1)).toMatchObject(autoReply);
    await visitor.ask('client_message', {
      content: 'How do I get a REFUND?',
      conversation_id: conversationId,
    });
    await eventually(async () => {
      const { messages, tags } = await theConversation();
      expect(tags).toEqual(['refund-request']);
      expect(messages.at(-1)).toMatchObject({ type: 'system', content: autoReply.actions[0]?.message });
    });
  });
});

import { expect, it } from 'vitest';
import { webchatAdapter } from '../../../src/channels/webchat/adapter.ts';

const parse = (config: Record<string, unknown>) => webchatAdapter.settings.safeParse(config);

it('needs nothing, and looks like something then', () => {
  expect(parse({}).data).toMatchObject({
    allowed_origins: [],
    primary_color: '#2563eb',
    show_online_badge: true,
  });
});

it('keeps origins as browsers send them', () => {
  const { data } = parse({
    allowed_origins: ['https://Shop.example/cart?x=1', 'http://localhost:8080', '*'],
  });
  expect(data?.allowed_origins).toEqual(['https://shop.example', 'http://localhost:8080', '*']);
});

it.each([
  { allowed_origins: ['shop.example'] },
  { allowed_origins: ['javascript:alert(1)'] },
  { primary_color: 'red' },
  { primary_color: '#12345' },
  { logo_url: 'data:image/png;base64,x' },
  { identity_secret: 'short' },
  { alowed_origins: [] },
])('refuses %j', (config) => {
  expect(parse(config).success).toBe(false);
});

it('gives every visitor a thread, and nobody else', () => {
  const visitorId = '019a0000-0000-7000-8000-000000000001';
  expect(webchatAdapter.threadKeyFor?.(visitorId)).toBe(`visitor:${visitorId}`);
  expect(webchatAdapter.threadKeyFor?.('vic@x.example')).toBeUndefined();
});

import { describe, expect, it } from 'vitest';
import { emailAdapter } from '../../../src/channels/email/adapter.ts';
import { compose, type Letter } from '../../../src/channels/email/compose.ts';
import { emailSettings } from '../../../src/channels/email/settings.ts';
import { createTokens } from '../../../src/channels/email/tokens.ts';
import { createEgress } from '../../../src/core/egress.ts';
import type { Correspondence, EarlierMessage, OutboundMessage } from '../../../src/core/envelope.ts';
import { SendRejected } from '../../../src/core/errors.ts';
import { createSecrets } from '../../../src/core/secrets.ts';
import { outbound, outboundFile } from '../../support/outbound.ts';

const secrets = createSecrets(['a secret of the tests, long enough']);
const tokens = createTokens((text) => secrets.signatures('reply', text));
const NOON = new Date('2026-05-06T12:00:00Z');

function letter(fields: Partial<OutboundMessage> = {}, config: Record<string, unknown> = {}): Letter {
  const smtp = { host: 'mail.shop.test' };
  const settings = emailSettings.parse({ address: 'support@shop.test', smtp, ...config });
  const channel = { id: 'channel', businessId: 'business', settings };
  const message = outbound({ threadKey: 'to:ada@customer.test', ...fields });
  return compose(message, channel, tokens)[0]?.payload as unknown as Letter;
}

function correspondence(fields: Partial<Correspondence> = {}): Correspondence {
  return {
    subject: 'A lamp',
    recipient: { address: 'ada@customer.test', name: 'Ada' },
    writtenBy: 'agent',
    writtenAt: NOON,
    lastAutomaticAt: undefined,
    earlier: [],
    ...fields,
  };
}

function earlier(fields: Partial<EarlierMessage> = {}): EarlierMessage {
  return {
    isInbound: true,
    externalId: '<one@customer.test>',
    isAnswered: false,
    senderName: 'Ada',
    content: 'Is it green?',
    html: undefined,
    writtenAt: new Date(NOON.getTime() - 3_600_000),
    email: { from: 'ada@customer.test', references: [] },
    metadata: {},
    ...fields,
  };
}

function refusal(fields: Partial<Correspondence>, config = {}): string | undefined {
  try {
    letter({ correspondence: correspondence(fields) }, config);
    return undefined;
  } catch (error) {
    return error instanceof SendRejected ? error.code : String(error);
  }
}

describe('a letter', () => {
  it('says Re: once, in whatever language the customer’s program does', () => {
    const subjectAfter = (subject: string) =>
      letter({ correspondence: correspondence({ subject, earlier: [earlier()] }) }).subject;
    expect(subjectAfter('A lamp')).toBe('Re: A lamp');
    for (const subject of ['Re: A lamp', 'AW: A lamp', 'Sv: A lamp', '回复：灯']) {
      expect(subjectAfter(subject)).toBe(subject);
    }
    expect(subjectAfter('')).toBe('Re:');
    expect(letter({ correspondence: correspondence() }).subject).toBe('A lamp');
    expect(
      letter({ email: { subject: 'Mine' }, correspondence: correspondence({ earlier: [earlier()] }) })
        .subject,
    ).toBe('Mine');
  });

  it('answers the message that the agent answers, else the newest of a person', () => {
    const older = earlier({ externalId: '<older@customer.test>', isAnswered: true });
    const away = earlier({ externalId: '<away@customer.test>', metadata: { automatic: true } });
    const ours = earlier({ isInbound: false, externalId: '<ours@shop.test>' });
    const answering = (list: EarlierMessage[]) =>
      letter({ correspondence: correspondence({ earlier: list }) });
    expect(answering([away, earlier(), older]).inReplyTo).toBe('<older@customer.test>');
    expect(answering([away, ours, earlier()]).inReplyTo).toBe('<one@customer.test>');
    expect(answering([ours]).inReplyTo).toBe('<ours@shop.test>');
    expect(answering([ours, earlier()]).references).toEqual(['<ours@shop.test>', '<one@customer.test>']);
  });

  it('shows images by their place, name or id, and sends the others as files', () => {
    const [a, b, c] = [
      outboundFile('image/png', { name: 'a.png' }),
      outboundFile('image/png'),
      outboundFile('image/png'),
    ];
    const html = `<img src="attachment:0"><img src='cid:${b.id}'><img src="cid:a.png"><img src="cid:elsewhere">`;
    const { html: shown, inline } = letter({ html, attachments: [a, b, c] });
    expect(Object.keys(inline).sort()).toEqual([a.id, b.id].sort());
    expect(shown).toBe(
      `<img src="cid:${inline[a.id]}"><img src='cid:${inline[b.id]}'><img src="cid:${inline[a.id]}"><img src="cid:elsewhere">`,
    );
  });

  it('is tried for a day', () => {
    const signatures = (text: string) => secrets.signatures('reply', text);
    const { retryAfterMs = [] } = emailAdapter({ egress: createEgress({ allow: [] }), signatures });
    const hours = retryAfterMs.reduce((sum, wait) => sum + wait, 0) / 3_600_000;
    expect(hours).toBeGreaterThan(23);
    expect(hours).toBeLessThanOrEqual(24);
  });

  it('refuses a copy to what is no address', () => {
    expect(() => letter({ email: { cc: ['not an address'] } })).toThrow('no email address');
  });

  it('counts what base64 adds to the size', () => {
    const attachments = [outboundFile('application/pdf', { sizeBytes: 20 * 1024 * 1024 })];
    expect(() => letter({ attachments })).toThrow(
      'The mail would have 27.4 MB; at most 25.0 MB may be sent.',
    );
    expect(letter({ attachments }, { max_message_bytes: 40 * 1024 * 1024 }).inline).toEqual({});
  });
});

describe('a program of ours', () => {
  const minutesAgo = (minutes: number) => new Date(NOON.getTime() - minutes * 60_000);

  it('answers a person once within the period, and a person of the business as often as they write', () => {
    const answers = { earlier: [earlier()], lastAutomaticAt: minutesAgo(59) };
    expect(refusal({ ...answers, writtenBy: 'system' })).toBe('automatic_limit');
    expect(refusal({ ...answers, writtenBy: 'system', lastAutomaticAt: minutesAgo(61) })).toBeUndefined();
    expect(refusal({ ...answers, writtenBy: 'system' }, { automatic_answer_minutes: 30 })).toBeUndefined();
    expect(refusal({ ...answers, writtenBy: 'system' }, { automatic_answer_minutes: 0 })).toBeUndefined();
    expect(refusal({ ...answers, writtenBy: 'agent' })).toBeUndefined();
    expect(refusal({ ...answers, writtenBy: 'bot' })).toBeUndefined();
  });

  it('answers no program, and nobody who wants no automatic answer', () => {
    for (const metadata of [{ automatic: true }, { no_auto_reply: true }]) {
      const list = [earlier({ isInbound: false }), earlier({ metadata }), earlier()];
      expect(refusal({ writtenBy: 'system', earlier: list })).toBe('automatic_mail');
      expect(refusal({ writtenBy: 'bot', earlier: list })).toBe('automatic_mail');
      expect(refusal({ writtenBy: 'agent', earlier: list })).toBeUndefined();
    }
  });

  it('tells an answer from what it writes of itself', () => {
    const headers = (fields: Partial<Correspondence>) =>
      letter({ correspondence: correspondence(fields) }).headers;
    expect(headers({ writtenBy: 'system', earlier: [earlier()] })['Auto-Submitted']).toBe('auto-replied');
    expect(headers({ writtenBy: 'system' })['Auto-Submitted']).toBe('auto-generated');
    expect(headers({ writtenBy: 'agent' })).toEqual({});
  });
});

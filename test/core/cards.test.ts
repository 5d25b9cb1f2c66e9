import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CardLimits,
  cardText,
  choiceId,
  readChoice,
  readChoiceId,
  showCard,
} from '../../src/core/cards.ts';
import type { Card } from '../../src/core/envelope.ts';
import { newId } from '../../src/core/id.ts';

const id = newId();
const whatsapp: CardLimits = {
  buttons: { most: 3, labelLength: 20 },
  links: { most: 1, labelLength: 20 },
  list: { most: 10, labelLength: 24, descriptionLength: 72 },
};
const telegram: CardLimits = {
  buttons: { most: 100, labelLength: 200 },
  links: { most: 100, labelLength: 200 },
  mixed: true,
};

const choices = (...labels: string[]) => labels.map((label) => ({ label }));
const colours: Card = { title: 'Which colour?', actions: choices('Red', 'Blue') };

describe('a card', () => {
  it('is numbered text where nothing else can be shown', () => {
    const card: Card = {
      title: 'Your order',
      description: 'It is on its way.',
      actions: [
        { label: 'Track', url: 'https://example.com/t' },
        { label: 'Cancel', action: 'cancel:77', description: 'free of charge' },
        { label: 'Talk to us' },
      ],
    };
    const lines = 'Track: https://example.com/t\n1. Cancel – free of charge\n2. Talk to us';
    expect(cardText(card)).toBe(`Your order\nIt is on its way.\n\n${lines}`);
    expect(cardText(card, 'In our own words')).toBe(`In our own words\n\n${lines}`);
    expect(showCard({ id, card }, {})).toEqual({
      title: 'Your order',
      body: `It is on its way.\n\n${lines}`,
      buttons: [],
    });
    expect(cardText({ title: 'Only a title' })).toBe('Only a title');
  });

  it('has its actions as buttons where they fit, each with the id of its choice', () => {
    const card: Card = {
      ...colours,
      actions: [...choices('Red'), { label: 'See', url: 'https://e.example' }],
    };
    expect(showCard({ id, card }, telegram)).toEqual({
      title: 'Which colour?',
      body: '',
      buttons: [
        { label: 'Red', id: `choice:${id}:1` },
        { label: 'See', url: 'https://e.example' },
      ],
    });
    expect(showCard({ id, card }, whatsapp)).toEqual({
      title: 'Which colour?',
      body: 'See: https://e.example',
      buttons: [{ label: 'Red', id: `choice:${id}:1` }],
    });
  });

  it('becomes a list where it asks for one, or has more choices than there may be buttons', () => {
    const many: Card = { title: 'Size', actions: choices('S', 'M', 'L', 'XL') };
    expect(showCard({ id, card: many }, whatsapp)).toMatchObject({
      body: '',
      buttons: [],
      list: { open: 'Options', sections: [{ rows: [{ label: 'S' }, {}, {}, { id: `choice:${id}:4` }] }] },
    });
    const sectioned: Card = {
      title: 'Menu',
      layout: 'list',
      list_label: 'Eat',
      actions: [
        { label: 'Soup', section: 'First', description: 'x'.repeat(100) },
        { label: 'Cake', section: 'Last' },
        { label: 'Salad', section: 'First' },
      ],
    };
    const { list } = showCard({ id, card: sectioned }, whatsapp);
    expect(list?.open).toBe('Eat');
    expect(list?.sections.map(({ title, rows }) => [title, rows.map(({ label }) => label)])).toEqual([
      ['First', ['Soup', 'Salad']],
      ['Last', ['Cake']],
    ]);
    expect(list?.sections[0]?.rows[0]?.description).toHaveLength(72);
    expect(list?.sections[1]?.rows[0]?.id).toBe(`choice:${id}:2`);
  });

  it('is numbered rather than cut when a label is too long or there are too many', () => {
    const long: Card = { title: 'T', actions: choices('A label that is much too long', 'B') };
    expect(showCard({ id, card: long }, whatsapp)).toMatchObject({
      body: '1. A label that is much too long\n2. B',
      buttons: [],
    });
    const eleven: Card = {
      title: 'T',
      actions: choices(...Array.from({ length: 11 }, (_, n) => `Row ${n}`)),
    };
    expect(showCard({ id, card: eleven }, whatsapp).body.split('\n')).toHaveLength(11);
  });

  it('loses no label on any channel', () => {
    const action = fc.record(
      { label: fc.string({ minLength: 1, maxLength: 40 }), url: fc.webUrl() },
      { requiredKeys: ['label'] },
    );
    const actions = fc.uniqueArray(action, { maxLength: 20, selector: ({ label }) => label });
    fc.assert(
      fc.property(actions, fc.constantFrom(whatsapp, telegram, {}), (drawn, limits) => {
        const card = { title: 'T', actions: drawn } as Card;
        const shown = showCard({ id, card }, limits);
        const rows = shown.list?.sections.flatMap((section) => section.rows) ?? [];
        const native = [...shown.buttons, ...rows].map(({ label }) => label);
        for (const { label } of drawn)
          expect(native.includes(label) || shown.body.includes(label)).toBe(true);
        expect(cardText(card)).toContain(drawn.at(-1)?.label ?? '');
      }),
    );
  });
});

describe('an answer', () => {
  it.each([
    ['Blue', 2],
    [' blue. ', 2],
    ['ＢＬＵＥ', 2],
    ['2', 2],
    ['2.', 2],
    ['(2)', 2],
    ['#1', 1],
    ['2️⃣', 2],
    ['٢', 2],
    ['२', 2],
    ['2. Blue', 2],
    ['2) blue', 2],
    ['Blue\n\nSent from my phone', 2],
  ])('%j is a choice', (text, number) => {
    expect(readChoice(id, colours, text)).toMatchObject({ message_id: id, number });
  });

  it.each(['3', '0', '22', 'blueish', '1. Blue', 'Red or blue?', '', '2 of them please', '-1'])(
    '%j is none',
    (text) => {
      expect(readChoice(id, colours, text)).toBeUndefined();
    },
  );

  it('is its label before it is a number', () => {
    const scores: Card = { title: 'How was it?', actions: choices('5', '4', '3') };
    expect(readChoice(id, scores, '4')).toEqual({ message_id: id, number: 2, label: '4', action: '4' });
    expect(readChoice(id, scores, '1')).toMatchObject({ label: '5' });
  });

  it('is its label in the quotes, capitals and letters of any keyboard', () => {
    const card: Card = { title: 'Where?', actions: choices("I don't know", 'Große Straße', 'İstanbul') };
    expect(readChoice(id, card, 'I don’t know')).toMatchObject({ number: 1 });
    expect(readChoice(id, card, '„GROSSE STRASSE“')).toMatchObject({ number: 2 });
    expect(readChoice(id, card, 'istanbul')).toMatchObject({ number: 3 });
  });

  it('names no link', () => {
    const card: Card = {
      title: 'T',
      actions: [
        { label: 'See', url: 'https://e.example' },
        { label: 'Go', action: 'go' },
      ],
    };
    expect(readChoice(id, card, '1')).toEqual({ message_id: id, number: 1, label: 'Go', action: 'go' });
    expect(readChoice(id, card, 'See')).toBeUndefined();
  });

  it('by button carries an id that every provider has room for', () => {
    expect(Buffer.byteLength(choiceId(id, 20))).toBeLessThanOrEqual(64);
    expect(readChoiceId(choiceId(id, 20))).toEqual({ messageId: id, number: 20 });
    for (const foreign of ['', 'choice', 'choice:1:1', `choice:${id}:0`, `choice:${id}:x`, `other:${id}:1`])
      expect(readChoiceId(foreign)).toBeUndefined();
  });
});

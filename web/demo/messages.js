import { element, timeOfDay } from './dom.js';

/**
 * A list of messages on the page, kept in the order of `seq`, each once. `describe` says how one looks to its reader;
 * `choose` makes the choices of cards buttons.
 */
export function messageList(node, { describe, empty, choose }) {
  const shown = new Map();
  draw();

  return {
    /** Adds these or brings them up to date. */
    put(messages) {
      for (const message of messages) shown.set(message.id, { ...shown.get(message.id), ...message });
      draw();
    },
    remove(id) {
      if (shown.delete(id)) draw();
    },
    clear() {
      shown.clear();
      draw();
    },
    has: (id) => shown.has(id),
  };

  function draw() {
    const ordered = [...shown.values()].sort((a, b) => place(a) - place(b));
    node.replaceChildren(...ordered.map((message) => item(message, describe(message), choose)));
    if (ordered.length === 0) node.append(element('li', { className: 'empty', text: empty }));
    node.scrollTop = node.scrollHeight;
  }
}

// What has no place yet was just written here and stands at the end.
function place({ seq }) {
  return seq ?? Number.MAX_SAFE_INTEGER;
}

function item(message, { className, meta }, choose) {
  const time = timeOfDay(message.created_at);
  return element('li', { className: `message ${className}` }, [
    element('div', { className: 'bubble', text: textOf(message) }),
    ...(message.card ? [actionsOf(message, choose)] : []),
    ...(message.attachments ?? []).filter(({ url }) => url).map(fileOf),
    element('div', { className: 'meta', text: [time, ...meta].join(' · ') }),
  ]);
}

/** A card's links, and its choices with the number that a customer without buttons would type. */
function actionsOf({ id, card }, choose) {
  let number = 0;
  const buttons = (card.actions ?? []).map(({ label, url }) => {
    if (url) return element('a', { text: label, href: url, target: '_blank', rel: 'noopener noreferrer' });
    number += 1;
    const button = element('button', { type: 'button', className: 'plain', text: label });
    button.disabled = choose === undefined;
    const choice = { message_id: id, number };
    button.addEventListener('click', () => choose({ label, choice }));
    return button;
  });
  return element('div', { className: 'actions' }, buttons);
}

/** A file as a link, a picture as itself. */
function fileOf({ name, url, thumbnail_url }) {
  const shown = thumbnail_url ? [element('img', { src: thumbnail_url, alt: name })] : [];
  const text = thumbnail_url ? '' : name;
  return element('a', { className: 'file', text, href: url, rel: 'noopener noreferrer' }, shown);
}

function textOf({ content, card, attachments = [] }) {
  if (card) return [card.title, card.description].filter(Boolean).join('\n');
  return content || attachments.map(({ name }) => name).join(', ');
}

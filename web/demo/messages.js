import { arrange, element, timeOfDay } from './dom.js';

/** Who reads further up than this is left there when something new comes. */
const NEAR_END_PX = 80;

/**
 * A list of messages on the page, kept in the order of `seq`, each once. `describe` says how one looks to its reader;
 * `choose` makes the choices of cards buttons.
 */
export function messageList(node, { describe, empty, choose }) {
  const shown = new Map();
  const items = new Map();
  const nothing = element('li', { className: 'empty', text: empty });
  draw();

  return {
    /** Adds these or brings them up to date. */
    put(messages) {
      for (const message of messages) shown.set(message.id, { ...shown.get(message.id), ...message });
      draw();
    },
    remove(id) {
      items.delete(id);
      if (shown.delete(id)) draw();
    },
    clear() {
      shown.clear();
      items.clear();
      draw();
    },
    has: (id) => shown.has(id),
    toEnd,
  };

  function draw() {
    const wasAtEnd = node.scrollHeight - node.scrollTop - node.clientHeight < NEAR_END_PX;
    const ordered = [...shown.values()].sort((a, b) => place(a) - place(b));
    arrange(node, ordered.length === 0 ? [nothing] : ordered.map(drawItem));
    if (wasAtEnd) toEnd();
  }

  function toEnd() {
    node.scrollTop = node.scrollHeight;
  }

  // A message keeps its node, and what it says is only touched when it changed: a receipt is not read out again.
  function drawItem(message) {
    const { className, meta } = describe(message);
    const item = items.get(message.id) ?? element('li');
    items.set(message.id, item);
    item.className = `message ${className}`;
    const said = JSON.stringify(saidIn(message));
    if (item.dataset.said !== said)
      item.replaceChildren(...bodyOf(message, choose), element('div', { className: 'meta' }));
    item.dataset.said = said;
    item.lastElementChild.textContent = [timeOfDay(message.created_at), ...meta].join(' · ');
    return item;
  }
}

// What has no place yet was just written here and stands at the end.
function place({ seq }) {
  return seq ?? Number.MAX_SAFE_INTEGER;
}

// Not the addresses of files: they are signed anew each time.
function saidIn(message) {
  const files = (message.attachments ?? []).map(({ id, state }) => [id, state]);
  return [textOf(message), message.card, files];
}

function bodyOf(message, choose) {
  const text = textOf(message);
  return [
    ...(text ? [element('div', { className: 'bubble', text })] : []),
    ...(message.card ? [actionsOf(message, choose)] : []),
    ...(message.attachments ?? []).filter(({ url }) => url).map(fileOf),
  ];
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
function fileOf({ name, url, thumbnail_url, width, height }) {
  // With its size known beforehand, a picture that loads later moves nothing.
  const size = width && height ? { width, height } : {};
  const shown = thumbnail_url ? [element('img', { src: thumbnail_url, alt: name, ...size })] : [];
  const text = thumbnail_url ? '' : name;
  return element('a', { className: 'file', text, href: url, rel: 'noopener noreferrer' }, shown);
}

function textOf({ content, card, attachments = [] }) {
  if (card) return [card.title, card.description].filter(Boolean).join('\n');
  const unseen = attachments.filter(({ url }) => !url).map(({ name }) => name);
  // Without words of its own a message has the address of its file, which is shown as one already.
  return attachments.some(({ url }) => url === content) ? '' : content || unseen.join(', ');
}

import { element, timeOfDay } from './dom.js';

/** A list of messages on the page, kept in the order of `seq`, each once. `describe` says how one looks to its reader. */
export function messageList(node, { describe, empty }) {
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
    node.replaceChildren(...ordered.map((message) => item(message, describe(message))));
    if (ordered.length === 0) node.append(element('li', { className: 'empty', text: empty }));
    node.scrollTop = node.scrollHeight;
  }
}

// What has no place yet was just written here and stands at the end.
function place({ seq }) {
  return seq ?? Number.MAX_SAFE_INTEGER;
}

function item(message, { className, meta }) {
  const time = timeOfDay(message.created_at);
  return element('li', { className: `message ${className}` }, [
    element('div', { className: 'bubble', text: textOf(message) }),
    element('div', { className: 'meta', text: [time, ...meta].join(' · ') }),
  ]);
}

function textOf({ content, attachments = [] }) {
  return content || attachments.map(({ name }) => name).join(', ');
}

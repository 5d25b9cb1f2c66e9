import { arrange, element, nameOf, timeOfDay } from './dom.js';

/** The conversations of the business, the newest activity on top. */
export function conversationList(node, { onSelect }) {
  const shown = new Map();
  const entries = new Map();
  let selectedId;

  return {
    /** Adds these or brings them up to date. */
    put(conversations) {
      for (const conversation of conversations) {
        shown.set(conversation.id, { ...shown.get(conversation.id), ...conversation });
      }
      draw();
    },
    select(id) {
      selectedId = id;
      draw();
    },
  };

  function draw() {
    const ordered = [...shown.values()].sort((a, b) => (a.last_message_at < b.last_message_at ? 1 : -1));
    arrange(node, ordered.map(drawEntry));
  }

  function drawEntry({ id, customer, channel_type, status, last_message_at, unread_count }) {
    const entry = entries.get(id) ?? newEntry(id);
    const button = entry.firstElementChild;
    const isUnread = unread_count > 0 && id !== selectedId;
    button.className = isUnread ? 'unread' : '';
    button.setAttribute('aria-current', String(id === selectedId));
    button.replaceChildren(
      element('strong', { text: nameOf(customer) }),
      element('span', { text: `${channel_type} · ${status}` }),
      element('span', { text: timeOfDay(last_message_at) }),
      ...(isUnread
        ? [element('b', { text: String(unread_count), 'aria-label': `${unread_count} unread` })]
        : []),
    );
    return entry;
  }

  function newEntry(id) {
    const button = element('button', { type: 'button' });
    button.addEventListener('click', () => onSelect(id));
    const entry = element('li', {}, [button]);
    entries.set(id, entry);
    return entry;
  }
}

import { element, timeOfDay } from './dom.js';

/** The conversations of the business, the newest activity on top. */
export function conversationList(node, { onSelect }) {
  const shown = new Map();
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
    node.replaceChildren(...ordered.map((conversation) => element('li', {}, [entry(conversation)])));
  }

  function entry({ id, customer, channel_type, status, last_message_at, unread_count }) {
    const isUnread = unread_count > 0 && id !== selectedId;
    const button = element(
      'button',
      { type: 'button', className: isUnread ? 'unread' : '', 'aria-current': String(id === selectedId) },
      [
        element('strong', { text: customer?.name ?? 'Visitor' }),
        element('span', { text: `${channel_type} · ${status}` }),
        element('span', { text: timeOfDay(last_message_at), 'data-unread': String(unread_count) }),
      ],
    );
    button.addEventListener('click', () => onSelect(id));
    return button;
  }
}

import { byId, element, timeOfDay } from './dom.js';

const KEPT = 200;

/** Shows an event on top of the stream; its whole body opens on a click. */
export function showEvent({ type, data, occurred_at }) {
  const stream = byId('events');
  stream.querySelector('.empty')?.remove();
  stream.prepend(eventItem(type, data, occurred_at ?? Date.now()));
  while (stream.children.length > KEPT) stream.lastElementChild.remove();
}

/** Says what will appear here before anything has. */
export function showNoEvents() {
  byId('events').replaceChildren(
    element('li', { className: 'empty', text: 'Each thing that happens appears here at once.' }),
  );
}

function eventItem(type, data, occurredAt) {
  const seconds = { hour: '2-digit', minute: '2-digit', second: '2-digit' };
  const summary = element('summary', {}, [
    element('span', { text: type }),
    element('time', { text: timeOfDay(occurredAt, seconds) }),
    element('span', { className: 'gist', text: gistOf(type, data) }),
  ]);
  const body = element('pre', { text: JSON.stringify(data, null, 2) });
  return element('li', { 'data-noun': type.split('.')[0] }, [element('details', {}, [summary, body])]);
}

function gistOf(type, { message, conversation, customer }) {
  if (type.startsWith('message.')) return message?.content || message?.status || '';
  if (type.startsWith('conversation.')) return [conversation?.channel_type, conversation?.status].join(' · ');
  return customer?.name ?? customer?.email ?? '';
}

import { io } from '/socket.io/socket.io.esm.min.js';
import { byId, showState, typingLine, uniqueId, watchTyping } from './dom.js';
import { messageList } from './messages.js';

/** The left side: a visitor of a web site, who knows the business and the channel and nothing else. */
export function startVisitor({ businessId, channelId }) {
  const tokenKey = `tributary-visitor-${channelId}`;
  const messages = messageList(byId('visitor-messages'), {
    describe: describeForVisitor,
    empty: 'Say hello. Your message becomes a conversation on the right.',
    choose: ({ label, choice }) => say({ content: label, choice }),
  });
  const showTyping = typingLine(byId('visitor-typing'), 'The team is typing…');
  const unsent = new Map();
  let conversationId;
  let lastSeq = 0;

  const socket = io({
    auth: (give) => {
      const token = localStorage.getItem(tokenKey);
      give({ business_id: businessId, channel_id: channelId, ...(token && { visitor_token: token }) });
    },
  });
  socket.on('connect', () => showState(byId('visitor-state'), true));
  socket.on('disconnect', () => showState(byId('visitor-state'), false));
  socket.on('connect_error', beginAnewWhenRefused);
  socket.on('session', resume);
  socket.on('new_message', show);
  socket.on('message_updated', show);
  socket.on('message_deleted', ({ message_id }) => messages.remove(message_id));
  socket.on('delivered', ({ message_id, delivered_at }) => update({ id: message_id, delivered_at }));
  socket.on('read', ({ message_id, read_at }) => update({ id: message_id, read_at }));
  socket.on('typing', ({ is_typing }) => showTyping(is_typing));

  const stopTyping = watchTyping(byId('visitor-text'), (isTyping) => {
    if (conversationId) socket.emit('typing', { conversation_id: conversationId, is_typing: isTyping });
  });
  byId('visitor-form').addEventListener('submit', submit);
  byId('visitor-anew').addEventListener('click', beginAnew);

  function resume({ visitor_token, conversations }) {
    localStorage.setItem(tokenKey, visitor_token);
    conversationId ??= newestOf(conversations);
    if (conversationId) void catchUp();
    for (const message of unsent.values()) void transmit(message);
  }

  async function catchUp() {
    const answer = await socket.emitWithAck('sync', { conversation_id: conversationId, after_seq: lastSeq });
    if (answer.error) return;
    for (const message of answer.messages) show(message);
    if (answer.has_more) await catchUp();
  }

  function show(message) {
    turnTo(message.conversation_id);
    lastSeq = Math.max(lastSeq, message.seq);
    if (message.client_message_id) settle(message.client_message_id);
    messages.put([message]);
    if (message.sender_type === 'customer') return;
    showTyping(false);
    socket.emit('read', { conversation_id: conversationId, up_to_seq: message.seq });
  }

  // After one that was closed another begins, and counts from one.
  function turnTo(id) {
    if (id === conversationId) return;
    if (conversationId) messages.clear();
    conversationId = id;
    lastSeq = 0;
  }

  function update(message) {
    if (messages.has(message.id)) messages.put([message]);
  }

  function submit(event) {
    event.preventDefault();
    const input = byId('visitor-text');
    const content = input.value.trim();
    if (content === '') return;
    input.value = '';
    stopTyping();
    say({ content });
  }

  function say(said) {
    const message = { client_message_id: uniqueId(), ...said };
    unsent.set(message.client_message_id, message);
    messages.put([own(message)]);
    messages.toEnd();
    if (socket.connected) void transmit(message);
  }

  // Without an answer it is sent again after the next connect: the same client_message_id is one message.
  async function transmit(message) {
    const answer = await socket
      .timeout(10_000)
      .emitWithAck('client_message', message)
      .catch(() => undefined);
    if (answer === undefined) return;
    settle(message.client_message_id);
    if (answer.error) return messages.put([{ ...own(message), reason: answer.error.message }]);
    turnTo(answer.conversation_id);
    lastSeq = Math.max(lastSeq, answer.seq);
    messages.put([{ ...own(message), id: answer.message_id, seq: answer.seq }]);
  }

  function settle(clientMessageId) {
    if (unsent.delete(clientMessageId)) messages.remove(clientMessageId);
  }

  // A token that expired or was revoked is of no more use.
  function beginAnewWhenRefused() {
    if (socket.active || !localStorage.getItem(tokenKey)) return;
    beginAnew();
  }

  function beginAnew() {
    localStorage.removeItem(tokenKey);
    conversationId = undefined;
    lastSeq = 0;
    unsent.clear();
    messages.clear();
    socket.disconnect().connect();
  }
}

function newestOf(conversations = []) {
  return conversations.toSorted((a, b) => Date.parse(b.last_message_at) - Date.parse(a.last_message_at))[0]
    ?.id;
}

// As the list shows it until the gateway has given it an id and a place.
function own(message) {
  return { ...message, id: message.client_message_id, sender_type: 'customer', created_at: Date.now() };
}

function describeForVisitor(message) {
  if (message.sender_type !== 'customer') return { className: '', meta: [message.sender?.name ?? 'Team'] };
  if (message.reason) return { className: 'mine failed', meta: [message.reason] };
  return { className: 'mine', meta: [message.seq ? 'sent' : 'sending'] };
}

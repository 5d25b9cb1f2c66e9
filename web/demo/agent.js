import { io } from '/socket.io/socket.io.esm.min.js';
import { conversationList } from './conversations.js';
import { byId, nameOf, showState, typingLine, watchTyping } from './dom.js';
import { showEvent } from './events.js';
import { messageList } from './messages.js';

/** The right side: an agent, who hears everything of the business and answers through the API. */
export function startAgent({ api, token, businessId, showProblem }) {
  const messages = messageList(byId('agent-messages'), {
    describe: describeForAgent,
    empty: 'Conversations come up here as customers write.',
  });
  const list = conversationList(byId('conversations'), { onSelect: (id) => attempt(() => select(id)) });
  const showTyping = typingLine(byId('agent-typing'), 'The customer is typing…');
  let cursor;
  let selected;
  // Whose answer is awaited: of two selections under way the later one counts.
  let wanted;

  const socket = io({
    // A manager of its own: this side and the visitor's are two people.
    forceNew: true,
    auth: (give) => give({ business_id: businessId, token, ...(cursor && { after: cursor }) }),
  });
  socket.on('connect', () => showState(byId('agent-state'), true));
  socket.on('disconnect', () => showState(byId('agent-state'), false));
  socket.on('connect_error', (error) => socket.active || showProblem(error.message));
  socket.on('ready', (ready) => attempt(() => begin(ready)));
  socket.on('event', (event) => attempt(() => hear(event)));
  socket.on('typing', ({ conversation_id, is_typing }) => {
    if (conversation_id === selected?.id) showTyping(is_typing);
  });

  const stopTyping = watchTyping(byId('agent-text'), (isTyping) => {
    if (selected && !isNote()) socket.emit('typing', { conversation_id: selected.id, is_typing: isTyping });
  });
  byId('agent-form').addEventListener('submit', (event) => {
    event.preventDefault();
    void attempt(submit);
  });
  byId('agent-note').addEventListener('change', showMode);
  byId('agent-resolve').addEventListener('click', () => attempt(resolveOrReopen));

  async function begin(ready) {
    cursor = ready.cursor;
    const { data } = await api.get('/conversations/?limit=50');
    list.put(data);
    const newest = wanted ?? data[0]?.id;
    if (newest) await select(newest);
  }

  async function hear(event) {
    cursor = event.cursor;
    showEvent(event);
    const { conversation, message } = event.data;
    if (conversation) list.put([conversation]);
    if (conversation && turnsTo(event.type)) return select(conversation.id);
    if (selected === undefined) return;
    if (conversation?.id === selected.id) showConversation(conversation);
    if (message?.conversation_id === selected.id) showMessage(event.type, message);
  }

  // A new conversation opens by itself, unless somebody is writing in another.
  function turnsTo(type) {
    if (selected === undefined) return true;
    return type === 'conversation.created' && byId('agent-text').value === '';
  }

  function showMessage(type, message) {
    messages.put([message]);
    if (type !== 'message.received') return;
    showTyping(false);
    void attempt(() => markRead(message));
  }

  async function select(id) {
    wanted = id;
    const conversation = await api.get(`/conversations/${id}`);
    if (wanted !== id) return;
    if (selected?.id !== id) messages.clear();
    messages.put(conversation.messages);
    showConversation(conversation);
    list.select(id);
    socket.emit('join_conversation', { conversation_id: id });
    byId('agent-form').hidden = false;
    byId('agent-resolve').hidden = false;
    if (conversation.unread_count > 0) await markRead(conversation.messages.at(-1));
  }

  async function markRead(message) {
    await api.post(`/conversations/${message.conversation_id}/read`, { up_to_seq: message.seq });
    list.put([{ id: message.conversation_id, unread_count: 0 }]);
  }

  function showConversation(conversation) {
    selected = conversation;
    const { channel_type, status, customer } = conversation;
    byId('agent-subject').textContent = [nameOf(customer), channel_type, status].join(' · ');
    byId('agent-resolve').textContent = isOver(conversation) ? 'Reopen' : 'Resolve';
  }

  async function submit() {
    const input = byId('agent-text');
    const content = input.value.trim();
    if (content === '' || selected === undefined) return;
    const said = isNote() ? { type: 'note', content } : cardOrText(content);
    const message = await api.post(`/conversations/${selected.id}/messages`, said);
    input.value = '';
    stopTyping();
    // Its event may have been quicker and tells more.
    if (!messages.has(message.id)) messages.put([message]);
    messages.toEnd();
  }

  async function resolveOrReopen() {
    const action = isOver(selected) ? 'reopen' : 'resolve';
    showConversation(await api.put(`/conversations/${selected.id}/${action}`));
  }

  async function attempt(work) {
    try {
      await work();
      byId('problem').hidden = true;
    } catch (error) {
      showProblem(error.message);
    }
  }
}

// "Which colour? [Red] [Blue]" asks with buttons.
function cardOrText(content) {
  const [, title, choices] = /^(.*?\S)\s*((?:\[[^\]]+\]\s*)+)$/s.exec(content) ?? [];
  if (title === undefined) return { content };
  const actions = [...choices.matchAll(/\[([^\]]+)\]/g)].map(([, label]) => ({ label }));
  return { type: 'card', card: { title, actions } };
}

function isNote() {
  return byId('agent-note').checked;
}

function isOver({ status }) {
  return status === 'resolved' || status === 'closed';
}

function showMode() {
  byId('agent-form').classList.toggle('noting', isNote());
  byId('agent-text').placeholder = isNote() ? 'Only the team sees this…' : 'Reply… (Yes or no? [Yes] [No])';
  byId('agent-send').textContent = isNote() ? 'Add note' : 'Reply';
}

function describeForAgent({ type, sender_type, sender, status, error, direction }) {
  if (type === 'note') return { className: 'mine note', meta: [sender?.name ?? 'Agent', 'note'] };
  if (sender_type === 'customer') return { className: '', meta: [sender?.name ?? 'Visitor'] };
  const className = status === 'failed' ? 'mine failed' : 'mine';
  const outcome = error?.message ?? status ?? direction;
  return { className, meta: [sender?.name ?? sender_type, outcome] };
}

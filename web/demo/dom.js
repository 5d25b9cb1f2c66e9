/** The element with this id, which the page is sure to have. */
export function byId(id) {
  return document.getElementById(id);
}

/** A new element. Text is always set as text, so whatever a customer writes stays text. */
export function element(tag, { text, className, ...attributes } = {}, children = []) {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (className !== undefined) node.className = className;
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** Makes these the node's children and touches only what is not in its place: what has the focus keeps it. */
export function arrange(node, wanted) {
  const focused = node.contains(document.activeElement) ? document.activeElement : undefined;
  const kept = new Set(wanted);
  for (const child of [...node.children]) if (!kept.has(child)) child.remove();
  wanted.forEach((child, index) => {
    const standing = node.children[index];
    if (standing !== child) node.insertBefore(child, standing ?? null);
  });
  if (focused !== document.activeElement) focused?.focus({ preventScroll: true });
}

/** An id that nobody else has: randomUUID is missing where the page came by http under another name than localhost. */
export function uniqueId() {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
}

/** What a customer is called, and anonymous ones apart from each other. */
export function nameOf(customer) {
  return customer?.name ?? (customer ? `Visitor ${customer.id.slice(-4)}` : 'Visitor');
}

/** A time of day as the reader writes it. */
export function timeOfDay(iso, options = { hour: '2-digit', minute: '2-digit' }) {
  return new Date(iso).toLocaleTimeString([], options);
}

/** Shows whether a socket is up. */
export function showState(node, isConnected) {
  node.textContent = isConnected ? 'connected' : 'connecting';
  node.dataset.on = String(isConnected);
}

/** Tells of typing at most every few seconds, and once when it ended. */
export function watchTyping(input, tell) {
  let toldAt = 0;
  const stop = () => {
    if (toldAt !== 0) tell(false);
    toldAt = 0;
  };
  input.addEventListener('input', () => {
    if (input.value === '') return stop();
    if (Date.now() - toldAt < 2_000) return;
    toldAt = Date.now();
    tell(true);
  });
  input.addEventListener('blur', stop);
  return stop;
}

/** A line that says who types and forgets it when nothing more is heard. */
export function typingLine(node, words) {
  let timer;
  return (isTyping) => {
    clearTimeout(timer);
    node.textContent = isTyping ? words : '';
    if (isTyping) timer = setTimeout(() => (node.textContent = ''), 6_000);
  };
}

import { startAgent } from './agent.js';
import { createApi } from './api.js';
import { byId, showState } from './dom.js';
import { showNoEvents } from './events.js';
import { startVisitor } from './visitor.js';

const WEB_CHAT = 'webchat';

// The fragment of a URL stays in the browser: no server and no log sees the key.
const token = location.hash.slice(1);
window.addEventListener('hashchange', () => location.reload());
start().catch((error) => showProblem(error.message));

async function start() {
  showNoEvents();
  if (token === '')
    throw new Error('Open the link that Tributary printed at its first start: it ends in #, then a key.');
  const api = createApi(token);
  const [business, channels] = await Promise.all([api.get('/business'), api.get('/channels')]);
  byId('business').textContent = business.name;
  begin('agent');
  startAgent({ api, token, businessId: business.id, showProblem });
  const channel = channels.data.find(({ type, is_active }) => type === WEB_CHAT && is_active);
  if (channel === undefined)
    throw new Error('There is no active web-chat channel, so the left side has nowhere to write.');
  begin('visitor');
  startVisitor({ businessId: business.id, channelId: channel.id });
}

// Until then a side takes no words, which nobody would get.
function begin(side) {
  document.querySelector(`.${side}`).inert = false;
  showState(byId(`${side}-state`), false);
}

function showProblem(message) {
  const problem = byId('problem');
  problem.textContent = message;
  problem.hidden = false;
}

import type { History } from './history.ts';

type Questions = Record<string, (past: History) => string>;

/** The lists that an inbox asks for, each with the filter or sort that makes it a query of its own. */
export const LISTS: Questions = {
  'newest activity': () => '/conversations',
  open: () => '/conversations?status=open&limit=25',
  closed: () => '/conversations?status=closed',
  'of one agent': ({ agentId }) => `/conversations?assignee_id=${agentId}`,
  'of nobody': () => '/conversations?assignee_id=none',
  'of a busy channel': () => '/conversations?channel_type=telegram',
  'of a quiet channel': ({ rareChannelId }) => `/conversations?channel_id=${rareChannelId}`,
  'of one customer': ({ customerId }) => `/conversations?customer_id=${customerId}`,
  'with a frequent tag': () => '/conversations?tag=frequent',
  'with a rare tag': () => '/conversations?tag=rare',
  'waiting for a person': () => '/conversations?needs_human_handoff=true',
  'updated lately': ({ lately }) => `/conversations?updated_since=${lately}`,
  'oldest activity': () => '/conversations?sort=last_message_at',
  'newest first': () => '/conversations?sort=-created_at',
  'oldest first': () => '/conversations?sort=created_at',
  'last changed': () => '/conversations?sort=-updated_at',
  'by a part of an address': ({ email }) => `/conversations?q=${email.slice(0, 12)}`,
  'by a name that many have': () => '/conversations?q=customer',
  'one conversation': ({ conversationId }) => `/conversations/${conversationId}`,
  'messages of one': ({ conversationId }) => `/conversations/${conversationId}/messages?limit=5`,
  customers: () => '/customers',
  'customers by email': ({ email }) => `/customers?email=${email}`,
  'customers by a part of an address': ({ email }) => `/customers?q=${email.slice(0, 12)}`,
  'customers by a name that many have': () => '/customers?q=customer',
};

/** What an agent looks for. */
export const SEARCHES: Questions = {
  'a word in 5 %': () => '/search?q=warranty',
  'a rare word': ({ order }) => `/search?q=${order}`,
  'a pair of words': ({ order }) => `/search?q=order+${order}`,
  'three letters inside of words': () => '/search?q=rra',
  'a word in 5 %, of open conversations': () => '/search?q=warranty&status=open',
};

/** What there is of it is little: nothing of it may be missing. */
export const WHOLE = ['a rare word', 'a pair of words'];

/** What is counted of the last 90 days. */
export const REPORTS: Questions = {
  overview: () => '/analytics/overview?days=90',
  'in a few numbers': () => '/analytics/conversations',
  "in the support dialect's numbers": () => '/support/analytics/conversations',
  'per agent': () => `/analytics/report?group_by=agent&from=${daysAgo(89)}`,
  'per tag': () => `/analytics/report?group_by=tag&from=${daysAgo(89)}`,
  'per day, working hours, of a zone': () =>
    `/analytics/report?group_by=day&working_hours=true&timezone=Europe/Berlin&from=${daysAgo(89)}`,
};

function daysAgo(days: number): string {
  return new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
}

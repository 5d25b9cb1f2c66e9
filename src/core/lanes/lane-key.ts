/** What is done in a lane: sending in a conversation, delivering to an endpoint, fetching an attachment, answering by AI. */
export type LaneName = 'send' | 'deliver' | 'fetch' | 'ai';

/** The lane of one conversation, endpoint or attachment. */
export function laneKey(name: LaneName, id: string): string {
  return `${name}:${id}`;
}

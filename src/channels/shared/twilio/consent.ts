import type { ConsentChange } from '../../../core/envelope.ts';
import type { Params } from './body.ts';

type Said = Pick<ConsentChange, 'consent' | 'onlyAfterStop'>;

const STOP: Said = { consent: 'stop' };
const START: Said = { consent: 'start' };
const HELP: Said = { consent: 'help' };

/** What these words mean wherever they stand alone. */
const EVERYWHERE: Record<string, Said> = {
  stop: STOP,
  stopall: STOP,
  unsubscribe: STOP,
  optout: STOP,
  start: START,
  unstop: START,
  help: HELP,
};

/** The words that Twilio itself obeys in text messages besides; elsewhere they are mere answers. */
const IN_TEXT_MESSAGES: Record<string, Said> = {
  cancel: STOP,
  end: STOP,
  quit: STOP,
  revoke: STOP,
  yes: { consent: 'start', onlyAfterStop: true },
  info: HELP,
};

const TOLD: Record<string, Said> = { STOP, START, HELP };

/**
 * What a customer's message says about being written to; undefined for all but a few. A messaging service that minds
 * its own words tells us what it understood.
 */
export function readConsent(
  params: Params,
  { isTextMessage }: { isTextMessage: boolean },
): { said: Said; keyword: string } | undefined {
  const keyword = (params.get('Body') ?? '').trim();
  const told = TOLD[params.get('OptOutType')?.toUpperCase() ?? ''];
  if (told !== undefined) return { said: told, keyword };
  const word = keyword.toLowerCase();
  const said = own(EVERYWHERE, word) ?? (isTextMessage ? own(IN_TEXT_MESSAGES, word) : undefined);
  return said === undefined ? undefined : { said, keyword };
}

/** A customer may also write "constructor". */
function own(words: Record<string, Said>, word: string): Said | undefined {
  return Object.hasOwn(words, word) ? words[word] : undefined;
}

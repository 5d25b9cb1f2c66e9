/**
 * `reject`: trying again changes nothing · `later`: somebody may try again later · `retry`: it may pass by itself ·
 * `wait`: too fast, or too many today · `account`: nothing leaves this sender until somebody mends the account ·
 * `stop`: the reader told Twilio to let nothing of ours through.
 */
export type Action = 'reject' | 'later' | 'retry' | 'wait' | 'account' | 'stop';

const ERROR_CODES: Readonly<Record<number, readonly [Action, meaning: string]>> = {
  10001: ['account', 'The Twilio account is not active.'],
  12300: ['reject', 'Twilio takes no files of this type.'],
  14107: ['wait', 'Twilio takes messages from this sender only more slowly.'],
  20003: ['account', 'Twilio does not accept the account SID or the token.'],
  20005: ['account', 'The Twilio account is not active.'],
  20404: ['reject', 'Twilio does not know what the request names.'],
  20429: ['wait', 'Twilio takes only fewer requests at a time.'],
  20500: ['retry', 'Twilio has a problem of its own.'],
  20503: ['retry', 'Twilio is not available at the moment.'],
  21211: ['reject', 'The number is no valid phone number.'],
  21212: ['account', 'The sender in the settings is no valid number.'],
  21266: ['reject', 'The number is the sender’s own.'],
  21408: ['reject', 'The Twilio account may not send to this country: allow it under "Geo permissions".'],
  21603: ['account', 'The settings name no sender.'],
  21606: ['reject', 'The sender cannot send messages to this number.'],
  21608: ['reject', 'A trial account sends only to numbers that were verified in the Twilio console.'],
  21609: [
    'account',
    'Twilio does not take PUBLIC_URL for its callbacks: its host name may hold no underscore.',
  ],
  21610: ['stop', 'The customer has answered STOP, so Twilio lets nothing through until they answer START.'],
  21611: ['wait', 'The queue of this sender is full at Twilio.'],
  21612: ['reject', 'There is no route from the sender to this number.'],
  21614: ['reject', 'The number is no mobile number.'],
  21617: ['reject', 'The text is longer than Twilio takes.'],
  21620: ['reject', 'Twilio cannot use the address of the file: it must be public.'],
  21635: ['reject', 'The number is a landline.'],
  21654: ['reject', 'The template does not exist in this Twilio account.'],
  21655: ['reject', 'The template does not exist in this Twilio account.'],
  21656: ['reject', 'The parameters do not fit the template.'],
  21701: ['account', 'The messaging service in the settings does not exist.'],
  21703: ['account', 'The messaging service has no sender that could send.'],
  21704: ['account', 'The messaging service has no sender.'],
  30001: ['retry', 'The queue of this sender is full at Twilio.'],
  30002: ['account', 'The Twilio account is suspended.'],
  30003: ['later', 'The phone could not be reached: it is off, out of reach or blocks this sender.'],
  30004: ['reject', 'The message was blocked, by the customer or by the network.'],
  30005: ['reject', 'The number does not exist or is not in use any more.'],
  30006: ['reject', 'The number is a landline or its network takes no messages.'],
  30007: ['reject', 'The network took the message for unwanted and filtered it.'],
  30008: ['later', 'The network could not deliver it and does not say why.'],
  30011: ['reject', 'The network takes no files for this number.'],
  30017: ['later', 'The network is overloaded.'],
  30018: ['reject', 'The network of this number takes messages of registered senders only.'],
  30019: ['reject', 'The files are larger than the network takes.'],
  30022: ['wait', 'The network takes only fewer messages of this sender a minute.'],
  30023: ['wait', 'The network takes no more messages of this sender today.'],
  30032: ['account', 'The toll-free number is not verified.'],
  30034: ['reject', 'The number is not registered for messages to the United States (A2P 10DLC).'],
  30036: ['later', 'It waited for its turn until it was no longer valid.'],
  63001: ['account', 'WhatsApp does not accept the sender’s registration.'],
  63003: ['reject', 'The number is not on WhatsApp.'],
  63005: ['reject', 'WhatsApp did not accept what is in the message.'],
  63007: ['account', 'The sender in the settings is none of this Twilio account.'],
  63010: ['retry', 'WhatsApp has a problem of its own.'],
  63012: ['retry', 'WhatsApp has a problem of its own.'],
  63013: ['reject', 'The message goes against WhatsApp’s rules.'],
  63015: [
    'later',
    'The customer has not joined the WhatsApp sandbox: they have to send it the word for joining first.',
  ],
  63016: ['reject', 'More than 24 hours have passed since the customer wrote: only a template may be sent.'],
  63018: ['wait', 'WhatsApp takes messages from this sender only more slowly.'],
  63019: [
    'reject',
    'WhatsApp could not fetch the file: its address must be public and its type one that WhatsApp takes.',
  ],
  63020: ['account', 'WhatsApp has not invited the business, or its display name is not approved.'],
  63021: ['reject', 'WhatsApp did not accept what is in the message.'],
  63022: ['reject', 'WhatsApp could not check the customer’s number.'],
  63024: ['reject', 'The number cannot receive WhatsApp messages.'],
  63025: ['reject', 'WhatsApp has this message already.'],
  63027: ['reject', 'The template does not exist in this language.'],
  63028: ['reject', 'The number of parameters does not fit the template.'],
  63029: ['later', 'The customer’s phone did not receive the template.'],
  63030: ['reject', 'A parameter is not one that the template takes.'],
  63031: ['reject', 'The number is the sender’s own.'],
  63032: ['later', 'WhatsApp lets this customer receive no more such messages for now.'],
  63033: ['reject', 'The customer does not want messages of this business.'],
  63036: ['reject', 'The customer’s phone cannot show this message.'],
  63038: ['wait', 'The account has sent as many messages as it may today.'],
  63040: ['reject', 'WhatsApp has refused the template.'],
  63041: ['reject', 'WhatsApp has paused the template because of its quality.'],
  63042: ['reject', 'WhatsApp has switched the template off because of its quality.'],
  63049: ['later', 'WhatsApp chose not to deliver this marketing message.'],
  63051: ['account', 'WhatsApp has locked the business account.'],
};

/** What Twilio's code means for a message; undefined for one that is not listed, whose answer's status tells more. */
export function actionFor(code: number | undefined): Action | undefined {
  return code === undefined ? undefined : ERROR_CODES[code]?.[0];
}

const OUR_CODES: Readonly<Record<number, string>> = { 63016: 'window_closed', 21610: 'opted_out' };

/** Our own word for what a code says, where there is one, and whether trying again may help. */
export function ourWords(code: number | undefined): { code?: string; retryable: boolean } {
  const ours = code === undefined ? undefined : OUR_CODES[code];
  return { ...(ours === undefined ? {} : { code: ours }), retryable: isRetryable(code) };
}

/** Whether a message that failed so may still be sent, by somebody who tries it again. */
function isRetryable(code: number | undefined): boolean {
  const action = actionFor(code);
  return action !== 'reject' && action !== 'stop';
}

/** What a code means in plain words; what Twilio itself says of one that is not known. */
export function meaningOf(code: number | undefined, said: string | undefined): string {
  const known = code === undefined ? undefined : ERROR_CODES[code]?.[1];
  return known ?? (said || 'Twilio could not deliver the message.');
}

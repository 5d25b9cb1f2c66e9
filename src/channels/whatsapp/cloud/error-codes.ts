/**
 * What an error of Meta's means for the message. `rate`: wait and try again. `outage`: try again, a few times.
 * `hold`: somebody may try again after hours. `reject`: this message never. `account`: nothing of this number.
 */
export type ErrorAction = 'rate' | 'outage' | 'hold' | 'reject' | 'account';

interface KnownError {
  action: ErrorAction;
  meaning: string;
  /** Our own word for it, where there is one. */
  code?: string;
}

const KNOWN: Record<number, KnownError> = {
  0: account('Meta does not accept the access token.'),
  1: outage('Meta had a failure.'),
  2: outage('Meta is overloaded or down.'),
  3: account('The app lacks a permission.'),
  4: rate('The app makes too many calls.'),
  10: account('The app lacks a permission.'),
  33: account('The phone number is gone.'),
  100: reject('Meta does not accept a parameter.'),
  190: account('The access token has expired or was revoked.'),
  368: account('The WhatsApp account is blocked for violating a policy.'),
  80007: rate('The WhatsApp account makes too many calls.'),
  130429: rate('The number sends too many messages at once.'),
  130472: reject("The customer's number is part of an experiment of Meta's."),
  130497: reject('The WhatsApp account may not write to customers in this country.'),
  131000: outage('Meta could not send it, without a reason.'),
  131005: account('The app lacks a permission.'),
  131008: reject('A parameter is missing.'),
  131009: reject('Meta does not accept the value of a parameter.'),
  131016: outage('The service is not available at the moment.'),
  131021: reject('The number cannot write to itself.'),
  131026: reject('The message cannot be delivered: the number may not use WhatsApp.'),
  131030: reject('The number is not on the allow list of this test number.'),
  131031: account('The WhatsApp account is locked.'),
  131037: account('The display name of the number is not approved.'),
  131042: account('The payment method of the WhatsApp account has a problem.'),
  131045: account('The number is not registered with the Cloud API.'),
  131047: {
    ...reject('More than 24 hours have passed since the customer wrote: only a template may be sent.'),
    code: 'window_closed',
  },
  131048: hold('Too many customers have blocked or reported this number: Meta holds its messages back.'),
  131049: hold(
    'Meta holds it back, so that the customer does not get too many such messages. Try again in a day.',
  ),
  131050: reject('The customer wants no marketing messages of this business.'),
  131051: reject('Meta does not know this type of message.'),
  131052: reject("The customer's file could not be downloaded."),
  131053: reject('The file could not be uploaded.'),
  131056: rate('Too many messages to this customer in a short time.'),
  131057: outage('The account is in maintenance.'),
  131062: reject('This template needs a phone number, which the customer hides.'),
  131063: reject('This message cannot be sent to a customer who hides the phone number.'),
  131064: hold('The limit of messages to customers who hide their number is reached.'),
  132000: reject('The number of parameters is not that of the template.'),
  132001: reject('The template does not exist in this language or is not approved.'),
  132005: reject('The filled template is too long.'),
  132007: reject('The template violates a policy.'),
  132008: reject('A parameter does not have the format that the template asks for.'),
  132012: reject('A parameter does not have the format that the template asks for.'),
  132015: reject('The template is paused for its low quality.'),
  132016: reject('The template is disabled for its low quality.'),
  132068: reject('The flow is blocked.'),
  132069: hold('The flow is throttled.'),
  133010: account('The number is not registered with the Cloud API.'),
  133016: hold('The number was registered too often.'),
  137000: reject("The customer's identity has changed."),
};

function rate(meaning: string): KnownError {
  return { action: 'rate', meaning };
}

function outage(meaning: string): KnownError {
  return { action: 'outage', meaning };
}

function hold(meaning: string): KnownError {
  return { action: 'hold', meaning };
}

function reject(meaning: string): KnownError {
  return { action: 'reject', meaning };
}

function account(meaning: string): KnownError {
  return { action: 'account', meaning };
}

/** What is documented of a code; permissions have a hundred codes of one meaning. */
export function knownError(code: number): KnownError | undefined {
  return KNOWN[code] ?? (code >= 200 && code <= 299 ? account('The app lacks a permission.') : undefined);
}

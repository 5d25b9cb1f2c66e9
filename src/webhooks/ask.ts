import type { Ask } from '../core/ai/ask.ts';
import type { EgressGuard } from '../core/egress.ts';
import { post } from './request.ts';
import { createSigner, signatureHeaders } from './sign.ts';

const HEADERS = {
  'content-type': 'application/json',
  accept: 'application/json',
  'user-agent': 'Tributary-AI/1',
};
// The longest reply that is taken, in any script and however it is escaped.
const ANSWER_BYTES = 200_000;

/** Asks a server of the business's own, signed as deliveries are, and through the same guard. */
export function createAsk({ egress }: { egress: Pick<EgressGuard, 'dispatcher'> }): Ask {
  return ({ url, secret, id, body, timeoutMs }, signal) => {
    const timestamp = Math.floor(Date.now() / 1_000);
    const headers = { ...HEADERS, ...signatureHeaders({ id, timestamp, body }, [createSigner(secret)]) };
    return post(
      egress.dispatcher,
      { url: new URL(url), headers, body },
      { timeoutMs, signal, maxBytes: ANSWER_BYTES },
    );
  };
}

import type { Channels, LoadedChannel } from '../channels.ts';
import { AppError, RateLimited, SendRejected } from '../errors.ts';

/** What somebody hears whose wish a provider did not fulfil, while they wait for it. */
export async function refuseAsProvider(
  channels: Pick<Channels, 'markBroken'>,
  { row }: LoadedChannel,
  error: unknown,
): Promise<never> {
  if (error instanceof SendRejected && error.channelBroken) await channels.markBroken(row.id, error.message);
  if (error instanceof SendRejected) throw new AppError('conflict', error.message, { cause: error });
  if (error instanceof RateLimited) {
    const retryAfterSeconds = Math.max(1, Math.ceil(error.retryAfterMs / 1000));
    throw new AppError('rate_limited', error.message, { retryAfterSeconds, cause: error });
  }
  throw new AppError('unavailable', 'The provider did not answer as it should; try again.', { cause: error });
}

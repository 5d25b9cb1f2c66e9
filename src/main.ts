import { type Config, readConfig } from './core/config.ts';
import { createLog } from './core/log.ts';
import { banner } from './core/start/banner.ts';
import { spareMemory } from './core/start/spare-memory.ts';
import { startFailure } from './core/start/start-failure.ts';
import { startGateway } from './gateway.ts';

const STOP_WITHIN_MS = 15_000;
// Ctrl-C reaches us twice under npm: from the terminal, and forwarded by npm. That is one wish, not two.
const SAME_SIGNAL_MS = 1_000;

await main();

async function main(): Promise<void> {
  const stopping = stopSignal();
  let config: Config | undefined;
  try {
    config = readConfig();
    const log = createLog(config.logLevel);
    const gateway = await startGateway(config, log);
    spareMemory();
    process.stdout.write(banner(config, gateway.url, gateway.firstRun));
    log.info({ signal: await stopping }, 'stopping');
    await gateway.stop();
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${startFailure(error, config)}\n`);
    process.exit(1);
  }
}

/** Resolves with the first signal. A later one, or the end of the time there is, ends the process at once. */
function stopSignal(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let firstAt: number | undefined;
  const onSignal = (signal: string) => {
    if (firstAt !== undefined && Date.now() - firstAt > SAME_SIGNAL_MS) process.exit(1);
    firstAt ??= Date.now();
    setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref();
    resolve(signal);
  };
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  return promise;
}

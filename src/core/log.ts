import { type DestinationStream, type Logger, pino, stdSerializers } from 'pino';

export type Log = Logger;

/** The process's log: JSON lines on stdout. Settings, tokens and message text are never logged; these paths catch a slip. */
export function createLog(level: string, destination?: DestinationStream): Log {
  const options = {
    level,
    base: { pid: process.pid },
    serializers: { error: stdSerializers.err },
    redact: { paths: SECRET_PATHS, censor: '[secret]' },
  };
  return destination ? pino(options, destination) : pino(options);
}

const SECRET_NAMES = [
  'token',
  'secret',
  'secrets',
  'password',
  'authorization',
  'api_key',
  'apiKey',
  'content',
  'cookie',
];
const SECRET_PATHS = SECRET_NAMES.flatMap((name) => [name, `*.${name}`]).concat('*["x-api-key"]');

import { registerHooks } from 'node:module';

/*
 * The Postgres driver, mended. When a connection dies in the middle of a transaction, postgres 3.4.9 goes on with that
 * transaction's next statements: on a socket that is gone, which ends the whole process (porsager/postgres issues 1066,
 * 1154, 1208), or on the connection that somebody else has made of it by then. And what the connection was about to
 * write, waited for or had just heard is left to the new one, whose queries then hang or get one another's answers.
 * Here a dead connection's statements fail, and a new one begins anew. A release that does the same makes this file
 * superfluous; one that merely differs is refused at the start.
 */
const MENDS: Record<string, [found: string, mended: string][]> = {
  '/postgres/src/connection.js': [
    [
      'function execute(q) {',
      "function execute(q) {\n    if (socket === null || socket.destroyed) return queryError(q, Errors.connection('CONNECTION_CLOSED', options)), true",
    ],
    [
      'terminated = false\n    backendParameters',
      'terminated = false\n    query = results = errorResponse = null\n    result = new Result()\n    backendParameters',
    ],
    // Without the semicolon the line above would call what it returns.
    ['!hadError && (query || sent.length)', ';(query || sent.length)'],
    // A connection that dies while it learns the types would end the process as well: nobody waits for that query.
    ['return fetchArrayTypes()', 'return fetchArrayTypes().catch(() => {})'],
    // A transaction that begins while the socket is full was never told that it has: its statements ran outside it, and
    // those of others inside.
    [
      '&& (!q.options.onexecute || q.options.onexecute(connection))',
      '&& !q.options.onexecute || q.options.onexecute && q.options.onexecute(connection)',
    ],
    ['const x = socket.write(chunk, fn)', 'const x = socket !== null && socket.write(chunk, fn)'],
    [
      'incomings = null\n    clearImmediate(nextWriteTimer)',
      'incomings = null\n    clearImmediate(nextWriteTimer)\n    chunk = nextWriteTimer = null',
    ],
  ],
  '/postgres/src/index.js': [
    ['let savepoints = 0', 'let gone = null, savepoints = 0'],
    [
      '(_, reject) => connection.onclose = reject)',
      '(_, reject) => connection.onclose = e => { gone = e; reject(e) })',
    ],
    [
      'q.catch(e => uncaughtError || (uncaughtError = e))',
      'q.catch(e => uncaughtError || (uncaughtError = e))\n        if (gone) return q.reject(gone)',
    ],
  ],
};

const hooks = registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const file = Object.keys(MENDS).find((path) => url.endsWith(path));
    return file === undefined ? loaded : { ...loaded, source: mended(file, String(loaded.source)) };
  },
});

/** The driver: use it through connect.ts. */
export const { default: driver } = await import('postgres');
hooks.deregister();

function mended(file: string, source: string): string {
  return (MENDS[file] ?? []).reduce((text, [found, replacement]) => {
    if (text.split(found).length !== 2)
      throw new Error(`node_modules${file} is not the one that we know how to mend.`);
    return text.replace(found, () => replacement);
  }, source);
}

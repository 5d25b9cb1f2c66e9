// Long lists of messages or templates come to some megabytes.
const MOST_BYTES = 16 * 1024 * 1024;

/** The text of a provider's answer. Who chose the server may have chosen one whose answer never ends. */
export async function answerText(body: AsyncIterable<Uint8Array>, mostBytes = MOST_BYTES): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > mostBytes) throw new Error(`the answer is longer than ${mostBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

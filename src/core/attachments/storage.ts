import type { Readable } from 'node:stream';

/** Where bytes are kept, one object a key. Several processes may share it. */
export interface Storage {
  /** Keeps a whole local file under the key, durably, before it resolves. The local file may be gone then. */
  put(key: string, path: string): Promise<void>;
  /** The bytes, or a part of them. Throws FileGone. */
  open(key: string, range?: Span): Promise<Readable>;
  /** No error where there is nothing. */
  remove(key: string): Promise<void>;
  close(): void;
}

/** A part of a file, both ends included. */
export interface Span {
  start: number;
  end: number;
}

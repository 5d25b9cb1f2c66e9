/** There is no file under this key: it was removed, or never came to be. */
export class FileGone extends Error {
  constructor(key: string, options: ErrorOptions = {}) {
    super(`there is no file ${key}`, options);
    this.name = 'FileGone';
  }
}

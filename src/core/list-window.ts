/** Which rows of a list are wanted. */
export interface ListWindow {
  /** The sort key of the last row of the page before. */
  after: string[] | undefined;
  /** How many rows to pass over, for who counts pages instead. */
  offset: number;
  /** How many rows, at most. */
  fetch: number;
}

import { z } from 'zod';
import { AppError } from '../core/errors.ts';
import type { ListWindow } from '../core/list-window.ts';
import type { Secrets } from '../core/secrets.ts';
import { wholeNumber } from './validate.ts';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 100;

/** The query of every list; spread its shape into a list's own filters. */
export const pageQuery = z.object({
  limit: wholeNumber(1)
    .default(DEFAULT_LIMIT)
    .transform((limit) => Math.min(limit, MAX_LIMIT))
    .meta({ description: 'How many, 1 to 100; more is read as 100.' }),
  cursor: z
    .string()
    .optional()
    .meta({ description: '`meta.next_cursor` of the page before; empty for the first.' }),
  page: wholeNumber(1, 1_000_000).optional().meta({ description: 'Counts from 1; `cursor` is faster.' }),
});

/** The answer of every list. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({
    data: z.array(item),
    meta: z.object({ next_cursor: z.string().nullable(), has_more: z.boolean() }),
  });
}

/** Which rows a page asks for: one more than it shows tells whether there are more. */
export interface PageWindow extends ListWindow {
  /** Whose cursors lead on here. */
  list: string;
  limit: number;
}

/** Opens the cursor, which leads on in the list of this name only, and says which rows are asked for. */
export function pageWindow(
  query: { limit: number; cursor?: string | undefined; page?: number | undefined },
  secrets: Secrets,
  list: string,
): PageWindow {
  const { cursor = '' } = query;
  const after = cursor === '' ? undefined : openCursor(cursor, secrets, list);
  const offset = after === undefined ? ((query.page ?? 1) - 1) * query.limit : 0;
  return { list, limit: query.limit, fetch: query.limit + 1, after, offset };
}

interface PageOptions<Row, View> {
  window: PageWindow;
  secrets: Secrets;
  /** The columns that the list is sorted by; times as Postgres' own text, since a Date loses microseconds. */
  keyOf(row: Row): string[];
  view(row: Row): View;
}

/** Up to `fetch` rows as a page. */
export function page<Row, View>(rows: Row[], { window, secrets, keyOf, view }: PageOptions<Row, View>) {
  const shown = rows.slice(0, window.limit);
  const last = shown.at(-1);
  const hasMore = rows.length > window.limit;
  const next_cursor = hasMore && last !== undefined ? sealCursor(window, secrets, keyOf(last)) : null;
  return { data: shown.map(view), meta: { next_cursor, has_more: hasMore } };
}

/** What leads on behind the row of this key. */
export function sealCursor({ list }: Pick<PageWindow, 'list'>, secrets: Secrets, key: string[]): string {
  return secrets.seal('cursor', JSON.stringify([list, ...key]));
}

function openCursor(cursor: string, secrets: Secrets, list: string): string[] {
  const [name, ...key] = stringsIn(secrets.open('cursor', cursor)) ?? [];
  if (name === list) return key;
  const details = [{ field: 'cursor', message: 'is none that this list gave out' }];
  throw new AppError('invalid_request', 'The cursor is not valid.', { details });
}

/** Undefined for what another of our cursors holds: those of events are no lists. */
function stringsIn(text: string | undefined): string[] | undefined {
  if (!text?.startsWith('[')) return undefined;
  return z.array(z.string()).safeParse(JSON.parse(text)).data;
}

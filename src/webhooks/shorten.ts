// Larger bodies are what receivers refuse first.
const MAX_BODY_BYTES = 65_536;

// Room for what is said about the parts that were left out.
const ROOM_BYTES = 4_096;
const KEPT_CHARACTERS = 1_024;

type Tree = Record<string, unknown>;

/** A part of a payload that may be left out. */
interface Part {
  path: string;
  bytes: number;
  leaveOut(): void;
}

/**
 * The payload as text of at most 64 KB. What does not fit is left out, the largest first, and named: of a text only its
 * beginning is kept, a list or an object is empty. Ids and states always stay.
 */
export function limitedText(payload: object, wholeUrl: () => string | null): string {
  const text = JSON.stringify(payload);
  const bytes = Buffer.byteLength(text);
  return bytes <= MAX_BODY_BYTES ? text : JSON.stringify(shortened(payload, bytes, wholeUrl()));
}

function shortened(payload: object, bytes: number, whole_url: string | null): object {
  const tree = structuredClone(payload) as Tree;
  const omitted: { path: string; bytes: number }[] = [];
  let left = bytes;
  for (const part of partsOf(tree).sort((a, b) => b.bytes - a.bytes)) {
    if (left <= MAX_BODY_BYTES - ROOM_BYTES) break;
    part.leaveOut();
    omitted.push({ path: part.path, bytes: part.bytes });
    left = Buffer.byteLength(JSON.stringify(tree));
  }
  return { ...tree, omitted, whole_url };
}

function partsOf(tree: Tree, path = ''): Part[] {
  return Object.entries(tree).flatMap(([key, value]): Part[] => {
    const here = path === '' ? key : `${path}.${key}`;
    if (isEntity(key, value)) return partsOf(value, here);
    const shorter = emptied(value);
    if (shorter === undefined) return [];
    const bytes = Buffer.byteLength(JSON.stringify(value));
    return [{ path: here, bytes, leaveOut: () => void Object.assign(tree, { [key]: shorter }) }];
  });
}

/** What has an id is kept as far as it can be; anything else is a value of its own. */
function isEntity(key: string, value: unknown): value is Tree {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return key === 'data' || 'id' in value;
}

/** A shorter value of the same type; undefined for what is short by nature. */
function emptied(value: unknown): unknown {
  if (typeof value === 'string') {
    return value.length > KEPT_CHARACTERS ? value.slice(0, KEPT_CHARACTERS).toWellFormed() : undefined;
  }
  if (Array.isArray(value)) return [];
  return typeof value === 'object' && value !== null ? {} : undefined;
}

import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

interface Operation {
  responses: Record<string, { content?: Record<string, { schema: object }> }>;
}

interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object> };
}

export interface Answered {
  method: string;
  path: string;
  status: number;
  contentType: string | null;
  body: unknown;
}

/** Holds every answer against the OpenAPI document: its status is named there, and its JSON has that shape and no other field. */
export type Described = (answered: Answered) => void;

let described: Described | undefined;

/** One for all gateways of a process: they answer with the same document. */
export async function describedBy(fetchDocument: () => Promise<unknown>): Promise<Described> {
  described ??= createDescribed((await fetchDocument()) as Document);
  return described;
}

const DOCUMENT = 'openapi';

function createDescribed(document: Document): Described {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema(closed(document) as object, DOCUMENT);
  const routes = routesOf(document);
  const validators = new Map<string, ValidateFunction>();

  function validatorOf(pointer: string): ValidateFunction {
    const known = validators.get(pointer) ?? ajv.compile({ $ref: `${DOCUMENT}#${pointer}` });
    validators.set(pointer, known);
    return known;
  }

  return (answered) => {
    const operation = operationOf(routes, answered);
    if (operation === undefined) return;
    const { status, body } = answered;
    const name = `${answered.method} ${operation.template} ${status}`;
    const response = operation.responses[status];
    if (response === undefined) throw new Error(`the description does not name ${name}`);
    if (!answered.contentType?.startsWith('application/json')) return;
    if (response.content?.['application/json'] === undefined)
      throw new Error(`the description names no JSON for ${name}`);
    const validate = validatorOf(`${operation.pointer}/responses/${status}/content/application~1json/schema`);
    if (validate(body)) return;
    throw new Error(
      `${name} is not as described: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(body)}`,
    );
  };
}

/** What is described for the method at the address; undefined where nothing is. */
function operationOf(routes: ReturnType<typeof routesOf>, { method, path }: Answered) {
  const bare = path.split('?')[0]?.replace(/(.)\/$/, '$1') ?? '';
  const route = routes.find(({ pattern }) => pattern.test(bare));
  const verb = method.toLowerCase();
  const responses = route?.item[verb]?.responses;
  if (route === undefined || responses === undefined) return undefined;
  return { template: route.template, responses, pointer: `/paths/${escaped(route.template)}/${verb}` };
}

/** Those without a name in them first: `/teams/mine` is not `/teams/{id}`. */
function routesOf({ paths }: Document) {
  return Object.entries(paths)
    .map(([template, item]) => ({
      template,
      item,
      pattern: new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
    }))
    .sort((a, b) => a.template.split('{').length - b.template.split('{').length);
}

function escaped(key: string): string {
  return encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'));
}

/** An object of an answer has the fields that are described, and no other. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== 'object' || value === null) return value;
  const copy = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, closed(inner)]));
  const isOpen = 'additionalProperties' in copy || 'allOf' in copy;
  return 'properties' in copy && copy['type'] === 'object' && !isOpen
    ? { ...copy, unevaluatedProperties: false }
    : copy;
}

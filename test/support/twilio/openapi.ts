import { createRequire } from 'node:module';
import { Ajv, type ValidateFunction } from 'ajv';
import addFormatsModule from 'ajv-formats';

const require = createRequire(import.meta.url);
const SPECS = '@twilio/cli-core/src/services/twilio-api';
const FILES = ['api_v2010', 'messaging_v1', 'messaging_v2', 'content_v1', 'content_v2'];

interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required?: boolean;
  schema: Schema;
}

interface Schema {
  type?: string;
  properties?: Record<string, Schema>;
  $ref?: string;
}

interface Operation {
  parameters?: Parameter[];
  requestBody?: { required?: boolean; content: Record<string, { schema: Schema }> };
}

interface Spec {
  paths: Record<string, Record<string, Operation> & { parameters?: Parameter[] }>;
  components: { schemas: Record<string, Schema> };
}

interface Known {
  spec: string;
  pattern: RegExp;
  names: string[];
  path: Spec['paths'][string];
}

let paths: Known[] | undefined;
let ajv: Ajv | undefined;
const specs = new Map<string, Spec>();

/** What is wrong with a request by the OpenAPI documents that Twilio publishes; empty when nothing is. */
export function violationsOf(request: {
  method: string;
  url: URL;
  contentType: string;
  body: string;
}): string[] {
  const { method, url } = request;
  const found = load().find(
    ({ pattern, path }) => pattern.test(url.pathname) && method.toLowerCase() in path,
  );
  const operation = found?.path[method.toLowerCase()];
  if (found === undefined || operation === undefined) return [`${method} ${url.pathname} is no operation`];
  const values = found.pattern.exec(url.pathname)?.slice(1) ?? [];
  const parameters = [...(found.path.parameters ?? []), ...(operation.parameters ?? [])];
  const inPath = Object.fromEntries(
    found.names.map((name, n) => [name, [decodeURIComponent(values[n] ?? '')]]),
  );
  return [
    ...fieldViolations(
      parameters.filter((it) => it.in === 'path'),
      inPath,
      found.spec,
    ),
    ...fieldViolations(
      parameters.filter((it) => it.in === 'query'),
      multi(url.searchParams),
      found.spec,
    ),
    ...bodyViolations(operation, request, found.spec),
  ];
}

function load(): Known[] {
  paths ??= FILES.flatMap((name) => {
    const spec = asJsonSchema(require(`${SPECS}/twilio_${name}.json`)) as Spec;
    specs.set(name, spec);
    return Object.entries(spec.paths).map(([template, path]) => {
      const names = [...template.matchAll(/\{(\w+)\}/g)].map(([, inner = '']) => inner);
      const source = template.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '([^/]+?)');
      return { spec: name, pattern: new RegExp(`^${source}$`), names, path };
    });
  });
  return paths;
}

/** OpenAPI lets a reference be null by a word beside it, which JSON Schema knows only beside a type. */
function asJsonSchema(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asJsonSchema);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, asJsonSchema(inner)]));
  const { nullable, ...schema } = members;
  return nullable === true && !('type' in schema) && '$ref' in schema
    ? { anyOf: [schema, { type: 'null' }] }
    : members;
}

function multi(values: URLSearchParams): Record<string, string[]> {
  return Object.fromEntries([...new Set(values.keys())].map((name) => [name, values.getAll(name)]));
}

function fieldViolations(parameters: Parameter[], values: Record<string, string[]>, spec: string): string[] {
  const known = new Set(parameters.map(({ name }) => name));
  const unknown = Object.keys(values).filter((name) => !known.has(name));
  return [
    ...unknown.map((name) => `${name} is no parameter`),
    ...parameters.flatMap((parameter) => {
      const given = values[parameter.name];
      if (given === undefined) return parameter.required ? [`${parameter.name} is required`] : [];
      return valueViolations(parameter, given, spec);
    }),
  ];
}

function valueViolations(
  { name, schema }: Pick<Parameter, 'name' | 'schema'>,
  given: string[],
  spec: string,
) {
  const resolved = resolve(schema, spec);
  if (resolved.type !== 'array' && given.length > 1) return [`${name} is there ${given.length} times`];
  // An empty value takes away what a field was set to, whatever it may be set to.
  if (given[0] === '' && name === 'SmsApplicationSid') return [];
  const value = resolved.type === 'array' ? given : given[0];
  const holder = { value };
  const validate = compile({ type: 'object', properties: { value: resolved } } as Schema, spec);
  return validate(holder)
    ? []
    : [`${name}: ${JSON.stringify(validate.errors?.map(({ message }) => message))}`];
}

function bodyViolations(
  { requestBody }: Operation,
  { contentType, body }: { contentType: string; body: string },
  spec: string,
): string[] {
  if (requestBody === undefined) return body === '' ? [] : ['there is a body'];
  const media = requestBody.content[contentType.split(';')[0] ?? ''];
  if (media === undefined) return [`the body is ${contentType}`];
  const schema = resolve(media.schema, spec);
  if (contentType.startsWith('application/json')) {
    const validate = compile(schema, spec);
    return validate(JSON.parse(body)) ? [] : [JSON.stringify(validate.errors)];
  }
  const required = (schema as { required?: string[] }).required ?? [];
  const fields = Object.entries(schema.properties ?? {}).map(([name, inner]): Parameter => {
    return { name, in: 'query', schema: inner, required: required.includes(name) };
  });
  return fieldViolations(fields, multi(new URLSearchParams(body)), spec);
}

function resolve(schema: Schema, spec: string): Schema {
  const name = schema.$ref?.split('/').pop();
  return name === undefined ? schema : (specs.get(spec)?.components.schemas[name] ?? schema);
}

const compiled = new Map<string, ValidateFunction>();

function compile(schema: Schema, spec: string): ValidateFunction {
  if (ajv === undefined) {
    ajv = new Ajv({ strict: false, coerceTypes: true, allErrors: true, logger: false });
    (addFormatsModule as unknown as (ajv: Ajv) => void)(ajv);
    // A fragment tells Twilio how often to call again; `uri` takes it, but not every list in it.
    for (const format of ['phone-number', 'http-method', 'int64']) ajv.addFormat(format, true);
  }
  const key = `${spec} ${JSON.stringify(schema)}`;
  const known = compiled.get(key);
  if (known !== undefined) return known;
  const components = specs.get(spec)?.components;
  const validate = ajv.compile({ ...schema, components });
  compiled.set(key, validate);
  return validate;
}

import { readFile, writeFile } from 'node:fs/promises';
import { compile } from 'json-schema-to-typescript';
import { openapiDocument } from './openapi-document.ts';

type Json = Record<string, unknown>;

interface Operation {
  summary?: string;
  parameters?: { name: string; in: string; required?: boolean; schema: Json; description?: string }[];
  requestBody?: { required?: boolean; content: Record<string, { schema: Json }> };
  responses: Record<string, { description: string; content?: Record<string, { schema: Json }> }>;
}

interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Json> };
}

const TARGET = new URL('../client/schema.ts', import.meta.url);
const HEADER = '// Generated from the OpenAPI document by `npm run client:generate`; not to be edited.\n';

const generated = HEADER + (await typesOf((await openapiDocument()) as unknown as Document));
if (!process.argv.includes('--check')) {
  await writeFile(TARGET, generated);
  console.log(`client/schema.ts: ${generated.split('\n').length} lines`);
} else if ((await readFile(TARGET, 'utf8').catch(() => '')) !== generated) {
  console.error('client/schema.ts is not what the routes describe: run `npm run client:generate`');
  process.exit(1);
}

/** The types that openapi-fetch reads: the document itself, seen as the schema of one big object. */
async function typesOf({ paths, components }: Document): Promise<string> {
  const schema = {
    ...object(mapped(paths, (item) => object(mapped(item, operationType)))),
    $defs: mapped(components.schemas, (definition, title) => ({ ...definition, title })),
  };
  const text = await compile(moved(schema) as never, 'paths', {
    additionalProperties: false,
    bannerComment: '',
    style: { singleQuote: true, printWidth: 110 },
    ignoreMinAndMaxItems: true,
    unreachableDefinitions: true,
  });
  return text
    .replaceAll(/'?(\d{3})'?: \{/g, '$1: {')
    .replace('export interface Paths ', 'export interface paths ');
}

function operationType({ summary, parameters = [], requestBody, responses }: Operation): Json {
  const places = ['query', 'header', 'path'];
  const given = places.map((place) => [place, parameters.filter((one) => one.in === place)] as const);
  const properties = {
    parameters: object(
      Object.fromEntries(
        given.filter(([, own]) => own.length > 0).map(([place, own]) => [place, parametersType(own)]),
      ),
      given.filter(([, own]) => own.some((one) => one.required)).map(([place]) => place),
    ),
    ...(requestBody === undefined
      ? {}
      : { requestBody: object({ content: contentType(requestBody.content) }) }),
    responses: object(
      mapped(withoutRefusals(responses), ({ description, content }) => ({
        ...object(content === undefined ? {} : { content: contentType(content) }),
        description,
      })),
    ),
  };
  const required = Object.keys(properties).filter((key) => key !== 'requestBody' || requestBody?.required);
  return { ...object(properties, required), description: summary };
}

/** Refusals have one envelope whatever their status: the type says it once. */
function withoutRefusals({ 422: refused, ...responses }: Operation['responses']): Operation['responses'] {
  const good = Object.entries(responses).filter(([status]) => Number(status) < 400);
  return {
    ...Object.fromEntries(good),
    ...(refused && { default: { ...refused, description: 'A refusal' } }),
  };
}

function parametersType(parameters: NonNullable<Operation['parameters']>): Json {
  const properties = Object.fromEntries(
    parameters.map(({ name, schema, description }) => [name, { ...schema, description }]),
  );
  return object(
    properties,
    parameters.filter((one) => one.required).map((one) => one.name),
  );
}

function contentType(content: Record<string, { schema: Json }>): Json {
  return object(mapped(content, ({ schema }) => schema));
}

function object(properties: Json, required = Object.keys(properties)): Json {
  return { type: 'object', properties, required, additionalProperties: false };
}

function mapped<From, To>(
  record: Record<string, From>,
  of: (value: From, key: string) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, of(value, key)]));
}

/** References lead to the definitions of this schema, and examples say nothing about types. */
function moved(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(moved);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, inner]) => !(key === 'examples' && Array.isArray(inner)))
      .map(([key, inner]) => [
        key,
        key === '$ref' && typeof inner === 'string'
          ? inner.replace('#/components/schemas/', '#/$defs/')
          : moved(inner),
      ]),
  );
}

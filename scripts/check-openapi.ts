import { createConfig, lintFromString } from '@redocly/openapi-core';
import { openapiDocument } from './openapi-document.ts';

const config = await createConfig({
  extends: ['recommended-strict'],
  rules: {
    'operation-operationId-unique': 'error',
    'operation-tag-defined': 'error',
    'tag-description': 'error',
    'no-invalid-schema-examples': 'error',
  },
});
const source = JSON.stringify(await openapiDocument());
const problems = await lintFromString({ source, config, absoluteRef: 'openapi.json' });
for (const { ruleId, message, location } of problems)
  console.error(`${ruleId}: ${message} at ${location[0]?.pointer ?? 'the document'}`);
const operations = source.match(/"operationId":/g)?.length ?? 0;
console.log(`openapi: ${operations} operations, ${problems.length} problems`);
// A document that lost its routes has no problems either.
if (problems.length > 0 || operations < 100) process.exit(1);

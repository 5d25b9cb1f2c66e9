const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

void main();

async function main() {
  const document_ = await (await fetch('/openapi.json')).json();
  document.querySelector('#about').textContent = document_.info.description;
  const groups = Map.groupBy(operationsOf(document_), (operation) => operation.tags?.[0] ?? 'Other');
  document.querySelector('#routes').replaceChildren(...[...groups].map((group) => section(group, document_)));
  document
    .querySelector('#filter')
    .addEventListener('input', (event) => filter(event.target.value.toLowerCase()));
}

function operationsOf({ paths }) {
  return Object.entries(paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => ({ path, method, ...item[method] })),
  );
}

function section([name, operations], document_) {
  return element(
    'section',
    {},
    element('h2', {}, name),
    ...operations.map((operation) => route(operation, document_)),
  );
}

function route(operation, document_) {
  const { method, path, summary = '', description } = operation;
  const details = element(
    'details',
    {},
    element('summary', {}, element('b', {}, method), element('code', {}, path), element('span', {}, summary)),
  );
  // Filled when opened: all schemas at once would make a slow page.
  details.addEventListener('toggle', () => details.append(content(operation, document_, description)), {
    once: true,
  });
  return details;
}

function content({ parameters = [], requestBody, responses }, document_, description) {
  return element(
    'div',
    {},
    description ? element('p', {}, description) : '',
    parameters.length > 0 ? parameterTable(parameters) : '',
    requestBody ? schemaOf('Body', requestBody, document_) : '',
    ...Object.entries(responses).map(([status, response]) => {
      const title = `${status} ${response.description}`;
      return Number(status) < 300 ? schemaOf(title, response, document_) : element('div', {}, title);
    }),
  );
}

function parameterTable(parameters) {
  const rows = parameters.map(({ name, in: where, required, schema = {}, description }) => {
    const kind = [schema.type ?? '', schema.enum ? schema.enum.join(' | ') : '', required ? 'required' : ''];
    const cells = [name, where, kind.filter(Boolean).join(', '), description ?? schema.description ?? ''];
    return element('tr', {}, ...cells.map((cell) => element('td', {}, cell)));
  });
  return element('table', {}, ...rows);
}

function schemaOf(title, { content: contents = {} }, document_) {
  const schema = Object.values(contents)[0]?.schema;
  const text = schema && JSON.stringify(example(schema, document_, 0), null, 2);
  return element('div', {}, element('strong', {}, title), text ? element('pre', {}, text) : '');
}

/** The schema by example: each value says what it is. */
function example(schema, document_, depth) {
  if (schema.$ref)
    return example(
      schema.$ref
        .slice(2)
        .split('/')
        .reduce((at, key) => at[key], document_),
      document_,
      depth,
    );
  const options = schema.anyOf ?? schema.oneOf;
  if (options) return example(options[0], document_, depth);
  if (schema.allOf) return Object.assign({}, ...schema.allOf.map((part) => example(part, document_, depth)));
  const type = [schema.type].flat().join(' | ');
  if (type.includes('object') && schema.properties && depth < 6) {
    const required = new Set(schema.required);
    const entries = Object.entries(schema.properties);
    return Object.fromEntries(
      entries.map(([key, value]) => [
        required.has(key) ? key : `${key}?`,
        example(value, document_, depth + 1),
      ]),
    );
  }
  if (type.includes('array')) return [example(schema.items ?? {}, document_, depth + 1)];
  return schema.enum
    ? schema.enum.join(' | ')
    : (schema.const ?? ([type, schema.format].filter(Boolean).join(' ') || 'any'));
}

function filter(words) {
  for (const details of document.querySelectorAll('details')) {
    details.hidden = !details.querySelector('summary').textContent.toLowerCase().includes(words);
  }
  for (const part of document.querySelectorAll('section')) {
    part.hidden = part.querySelector('details:not([hidden])') === null;
  }
}

function element(name, attributes, ...children) {
  const node = Object.assign(document.createElement(name), attributes);
  node.append(...children);
  return node;
}

// Who may import whom. `npm run boundaries` runs these rules over src and fails when it read too few modules.
const ours = '^src/';
const packageNamed = (names) => `(^|/)node_modules/(${names})(/|$)`;

/** A part of src may import only what matches `allowed`, besides packages and Node itself. */
const importsOnly = (name, { from, fromNot, allowed, comment }) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from, ...(fromNot === undefined ? {} : { pathNot: fromNot }) },
  to: { path: ours, pathNot: allowed },
});

/** A library is used in its home and nowhere else. */
const livesIn = (library, { names, home }) => ({
  name: `${library}-has-one-home`,
  comment: `${library} is known only to ${home.join(', ')}`,
  severity: 'error',
  from: { path: ours, pathNot: home },
  to: { path: packageNamed(names) },
});

module.exports = {
  forbidden: [
    importsOnly('core-imports-only-core', {
      from: '^src/core/',
      allowed: ['^src/core/'],
      comment: 'What a message is depends on no way in or out.',
    }),
    importsOnly('channels-import-only-the-contract', {
      from: '^src/channels/([^/]+)/',
      allowed: [
        '^src/channels/$1/',
        '^src/channels/shared/',
        '^src/core/(adapter|cards|envelope|errors|egress|id|phone|template|slots)\\.ts$',
      ],
      comment: 'An adapter knows the adapter contract, itself and channels/shared, and no other channel.',
    }),
    importsOnly('the-registry-imports-only-adapters', {
      from: '^src/channels/registry\\.ts$',
      allowed: [
        '^src/channels/[^/]+/adapter\\.ts$',
        '^src/core/(adapter|cards|envelope|errors|egress|id|slots)\\.ts$',
      ],
      comment: 'The registry lists adapters and does nothing else.',
    }),
    importsOnly('webhooks-import-only-core', {
      from: '^src/webhooks/',
      allowed: ['^src/webhooks/', '^src/core/'],
      comment: 'Deliveries are a reader of what core recorded.',
    }),
    importsOnly('realtime-imports-only-core', {
      from: '^src/realtime/',
      allowed: ['^src/realtime/', '^src/core/'],
      comment: 'Sockets are a reader of what core recorded.',
    }),
    importsOnly('api-imports-core-and-webhooks', {
      from: '^src/api/',
      allowed: ['^src/api/', '^src/core/', '^src/webhooks/'],
      comment: 'HTTP translates; it never reaches into a channel or a socket.',
    }),
    importsOnly('main-imports-the-gateway', {
      from: '^src/main\\.ts$',
      allowed: ['^src/gateway\\.ts$', '^src/core/'],
      comment: 'main reads the configuration and starts the gateway.',
    }),
    {
      name: 'only-main-imports-the-gateway',
      comment: 'The composition root is imported by the program and by tests, never by a part.',
      severity: 'error',
      from: { path: ours, pathNot: '^src/main\\.ts$' },
      to: { path: '^src/gateway\\.ts$' },
    },
    livesIn('provider-sdks', {
      names: 'grammy|@grammyjs/[^/]+|twilio|nodemailer|mailparser|smtp-server|imapflow',
      home: ['^src/channels/'],
    }),
    livesIn('s3', { names: '@aws-sdk/[^/]+', home: ['^src/core/attachments/storage/s3\\.ts$'] }),
    livesIn('sharp', { names: 'sharp', home: ['^src/core/attachments/picture\\.ts$'] }),
    livesIn('hono', { names: 'hono|@hono/[^/]+', home: ['^src/api/', '^src/(gateway|server)\\.ts$'] }),
    livesIn('socket.io', {
      names: 'socket\\.io|@socket\\.io/[^/]+|socket\\.io-client',
      home: ['^src/realtime/'],
    }),
    livesIn('ws', { names: 'ws', home: ['^src/realtime/'] }),
    livesIn('bullmq', { names: 'bullmq', home: ['^src/core/queue\\.ts$'] }),
    livesIn('redis', {
      names: 'ioredis|rate-limiter-flexible',
      home: ['^src/core/(queue|wake|limits|redis)\\.ts$', '^src/realtime/cluster\\.ts$'],
    }),
    livesIn('pg', {
      names: 'pg',
      home: ['^src/core/queue\\.ts$', '^src/core/database/', '^src/realtime/cluster\\.ts$'],
    }),
    livesIn('postgres', { names: 'postgres', home: ['^src/core/', '^src/webhooks/'] }),
    {
      name: 'loaded-when-first-used',
      comment:
        'Who has no mailbox, no bot, no bucket and no Twilio does not pay for them with memory: `await import(…)`.',
      severity: 'error',
      from: { path: ours, pathNot: '^src/channels/email/read\\.ts$' },
      to: {
        path: [
          packageNamed('file-type|grammy|imapflow|jose|mailauth|nodemailer|sharp|twilio'),
          '^src/channels/email/(posted|read|smtp-receiver)\\.ts$',
          '^src/core/attachments/storage/s3\\.ts$',
        ],
        dynamic: false,
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'no-development-packages',
      comment: 'What runs in production is in dependencies.',
      severity: 'error',
      from: { path: ours },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'undetermined'] },
    },
    {
      name: 'not-to-unresolvable',
      comment: 'An import that resolves to nothing would pass every other rule.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    { name: 'no-cycles', severity: 'error', from: { path: ours }, to: { circular: true } },
    {
      name: 'no-orphans',
      comment: 'A module that nothing imports is dead.',
      severity: 'error',
      from: { orphan: true, path: ours, pathNot: '^src/main\\.ts$|\\.d\\.ts$' },
      to: {},
    },
    {
      name: 'src-imports-no-tests',
      severity: 'error',
      from: { path: ours },
      to: { path: '^(test|bench|scripts|web)/' },
    },
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};

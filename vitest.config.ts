import { defineConfig } from 'vitest/config';

// vitest reads only a default export here.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    isolate: false,
    maxWorkers: 3,
    // Real processes, browsers and leases on a busy machine may starve once; what fails twice is broken. The report
    // names every test that needed it.
    retry: 1,
    // Only what hangs comes near them: nothing is asserted by a limit.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
    expect: { poll: { timeout: 30_000 } },
    globalSetup: ['test/support/global-setup.ts'],
  },
});

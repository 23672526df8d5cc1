import { defineConfig } from 'vitest/config';

/** `*.e2e.test.ts` start processes or services; every other test runs inside the test runner and is quick. */
export default defineConfig({
  test: {
    testTimeout: 30_000,
    // Most of them wait for processes and timers.
    maxWorkers: 3,
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: ['test/**/*.e2e.test.ts'] },
      },
      {
        extends: true,
        test: { name: 'e2e', include: ['test/**/*.e2e.test.ts'], testTimeout: 180_000, hookTimeout: 180_000 },
      },
    ],
  },
});

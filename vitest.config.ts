import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take half a minute or more come first: one that began last would keep all but one worker waiting. */
const LONG = [
  ...['postgres-half-open', 'postgres-tasks', 'simulation', 'postgres-kill', 'postgres-kill-steps', 'airbyte-read'],
  ...['verify', 'sync-faults', 'cli-sync', 'duckdb-kill', 'postgres-sync', 'postgres', 'postgres-others'],
  ...['verify-postgres', 'simulation-sees', 'duckdb', 'memory'],
];

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => LONG.findIndex((name) => moduleId.includes(`/${name}.`)) >>> 0;
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}

/**
 * `*.e2e.test.ts` start processes or services; every other test runs inside the test runner and is quick. The bounds are for what hangs, on machines
 * that are several times slower than ours.
 */
export default defineConfig({
  test: {
    testTimeout: 60_000,
    // Most of them wait for processes and timers.
    maxWorkers: 4,
    sequence: { sequencer: LongFirst },
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: ['test/**/*.e2e.test.ts'] },
      },
      {
        extends: true,
        test: { name: 'e2e', include: ['test/**/*.e2e.test.ts'], testTimeout: 400_000, hookTimeout: 180_000 },
      },
    ],
  },
});

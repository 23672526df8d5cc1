import { describe, test } from 'vitest';
import { bigqueryTarget, hostileNames } from './bigquery-target.ts';
import { destinationSuite } from './destination-suite.ts';

/** The suite against BigQuery itself, in datasets of its own in this project, with the environment's default credentials. */
const project = process.env.CLEARGRID_TEST_REAL_BIGQUERY_PROJECT;

if (project === undefined) {
  test.skip('the suite against BigQuery itself (needs CLEARGRID_TEST_REAL_BIGQUERY_PROJECT)', () => {});
} else {
  describe('with BigQuery itself', { timeout: 600_000 }, () => {
    destinationSuite('bigquery', async () => bigqueryTarget(project, null), { hostileNames });
  });
}

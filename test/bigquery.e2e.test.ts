import { afterAll, beforeAll, describe } from 'vitest';
import { type Front, startFront } from './bigquery-front.ts';
import { startEmulator } from './bigquery-server.ts';
import { bigqueryTarget, hostileNames } from './bigquery-target.ts';
import { destinationSuite } from './destination-suite.ts';

const emulator = await startEmulator();
afterAll(() => emulator?.stop());

/** So many datasets do not slow an emulator down. */
const DATASETS_A_START = 25;

describe.skipIf(emulator === null)('with an emulator (needs an emulator)', () => {
  let front: Front;
  let datasets = 0;
  beforeAll(async () => {
    front = await startFront(emulator!.endpoint);
  });
  afterAll(() => front.close());

  async function target() {
    if (++datasets % DATASETS_A_START === 0) await emulator!.restart();
    return bigqueryTarget(emulator!.project, front.endpoint, emulator!.endpoint);
  }

  destinationSuite('bigquery', target, { hostileNames });
});

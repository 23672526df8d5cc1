import { runVerify } from '../verify/run.ts';
import type { RunCommand } from './commands.ts';
import { tellRun } from './told-run.ts';

/** Proves that tables have what the API has, and mends just what they have not. */
export const run: RunCommand = (flags, context) =>
  tellRun(
    {
      command: 'verify',
      isForPeople: flags.json !== true,
      run: (connected, streams, reporter) =>
        runVerify({ ...connected, streams, repair: flags.repair === true, reporter }),
      text: async () => (await import('../output/verify.ts')).verifyText,
    },
    flags,
    context,
  );

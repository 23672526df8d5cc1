import spec from '../../spec.json' with { type: 'json' };
import type { RunCommand } from './commands.ts';
import { EXIT } from './exit-codes.ts';

/** Prints the Airbyte SPEC, as `spec.json` has it: nothing else need be loaded. */
export const run: RunCommand = async (_flags, { print }) => {
  print(JSON.stringify({ type: 'SPEC', spec }));
  return EXIT.done;
};

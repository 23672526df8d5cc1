#!/usr/bin/env node
import { COMMANDS } from './commands/commands.ts';

/**
 * The command line. `--version` and `--help` load next to nothing; a command's modules load when it is run.
 */

const [name, ...args] = process.argv.slice(2);

for (const stream of [process.stdout, process.stderr]) {
  // Who reads may go before all is said (`| head`): what is left has no reader, and that is no fault.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

if (name === '--version') {
  const { VERSION } = await import('./version.ts');
  process.stdout.write(`${VERSION}\n`);
} else if (name === '--help' || name === '-h') {
  const { generalHelp } = await import('./commands/help.ts');
  process.stdout.write(`${generalHelp()}\n`);
} else {
  const { runCommand } = await import('./commands/run.ts');
  await runCommand(name, args, COMMANDS);
}

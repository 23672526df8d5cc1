#!/usr/bin/env node
import { COMMANDS } from './commands/commands.ts';

/**
 * The command line. `--version` and `--help` load next to nothing; a command's modules load when it is run.
 */

/** Stands for any passing fault, as in `exit-codes.ts`: what was to be printed is lost. */
const UNWRITTEN = 75;
const HELP = ['help', '--help', '-h'];
const [first, ...rest] = process.argv.slice(2);
/** `help sync` asks what `sync --help` asks. */
const asksAbout = HELP.includes(first!) && Object.hasOwn(COMMANDS, rest[0] ?? '') ? rest[0]! : null;
const [name, args] = asksAbout === null ? [first, rest] : [asksAbout, ['--help']];

for (const stream of [process.stdout, process.stderr]) {
  // Who reads may go before all is said (`| head`): what is left has no reader, and that is no fault.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') process.exitCode = UNWRITTEN;
  });
}

if (['--version', '-v', '-V', 'version'].includes(name!)) {
  const { VERSION } = await import('./version.ts');
  process.stdout.write(`${VERSION}\n`);
} else if (HELP.includes(name!)) {
  const { generalHelp } = await import('./commands/help.ts');
  process.stdout.write(`${generalHelp()}\n`);
} else {
  const { runCommand } = await import('./commands/run.ts');
  await runCommand(name, args, COMMANDS);
}

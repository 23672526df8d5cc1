import { COMMANDS, COMMON_FLAGS, type Command, type Flag } from './commands.ts';

const PROGRAM = 'cleargrid-connector';

const EXIT_CODES: readonly [string, string][] = [
  ['0', 'all that was asked for is done'],
  ['1', 'a stream, an account or a proof failed; an Airbyte command (spec, check, discover, read) failed'],
  ['2', 'wrong usage, or something in the config or at the login is to be put right'],
  ['3', 'refused: another run is at work'],
  ['4', 'a fault of the connector'],
  ['75', 'a passing fault, or a stdout that cannot be written: try again later'],
  ['130, 143', 'stopped by SIGINT, SIGTERM; the next run goes on from there'],
];

/** What `--help` shows. */
export function generalHelp(): string {
  return [
    "Lands ClearGrid's exports in your warehouse.",
    '',
    `Usage: ${PROGRAM} <command> [flags]`,
    '',
    'Commands:',
    ...columns(Object.entries(COMMANDS).map(([name, { about }]) => [name, about])),
    '',
    `${PROGRAM} <command> --help tells a command's flags; --version tells the version.`,
    '',
    'Exit codes:',
    ...columns(EXIT_CODES),
    '',
    'Try it: cleargrid-connector demo',
  ].join('\n');
}

/** What `<command> --help` shows. */
export function commandHelp(name: string, command: Command): string {
  const required = Object.entries(command.flags)
    .filter(([, flag]) => flag.required)
    .map(([flag, { value }]) => ` --${flag} ${value}`);
  const flags = Object.entries({ ...command.flags, ...COMMON_FLAGS });
  return [
    `${name}: ${command.about}`,
    '',
    `Usage: ${PROGRAM} ${name}${required.join('')} [flags]`,
    ...(command.notes === undefined ? [] : ['', command.notes]),
    '',
    'Flags:',
    ...columns(flags.map(([flag, about]) => [flagText(flag, about), about.about])),
  ].join('\n');
}

function flagText(name: string, flag: Flag): string {
  return flag.value === undefined ? `--${name}` : `--${name} ${flag.value}`;
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}

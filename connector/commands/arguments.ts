import { parseArgs } from 'node:util';
import { configError, type Failure } from '../../destinations/failure.ts';
import { COMMON_FLAGS, type Command, type Flag, type FlagValues } from './commands.ts';

/**
 * Reads a command's flags, in any order, as `--flag value` or `--flag=value`.
 *
 * @throws {Failure} `config_error` that names what is wrong (all of it) and the nearest known flag.
 */
export async function readFlags(name: string, command: Command, args: readonly string[]): Promise<FlagValues> {
  const flags = { ...command.flags, ...COMMON_FLAGS };
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(flags).map(([flag, { type, short }]) => [
        flag,
        { type: type === 'boolean' ? type : 'string', ...(short !== undefined && { short }) } as const,
      ]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });

  const values: Record<string, string | number | boolean> = {};
  const problems: string[] = [];
  for (const [at, token] of tokens.entries()) {
    if (token.kind === 'positional' && !isValueOfUnknown(tokens[at - 1], flags))
      problems.push(`"${token.value}" is not expected here`);
    if (token.kind !== 'option') continue;
    const flag = Object.hasOwn(flags, token.name) ? flags[token.name] : undefined;
    const value = token.inlineValue === false && isFlag(token.value) ? undefined : token.value;
    if (flag === undefined) problems.push(`there is no flag ${token.rawName}${await suggestion(token.name, flags)}`);
    else if (token.name in values) problems.push(`${token.rawName} is given twice`);
    else {
      const read = readValue(flag, value);
      if (typeof read === 'object') problems.push(`${token.rawName} ${read.problem}`);
      else values[token.name] = read;
    }
  }
  if (values.help === true) return values;
  if (problems.length === 0) problems.push(...missing(flags, values));
  if (problems.length > 0) throw usageError(`${name}: ${problems.join('; ')}`, name);
  return values;
}

type Token = NonNullable<ReturnType<typeof parseArgs>['tokens']>[number];

/** What follows an unknown flag is most likely its value: one problem, not two. */
function isValueOfUnknown(before: Token | undefined, flags: Readonly<Record<string, Flag>>): boolean {
  return before?.kind === 'option' && !Object.hasOwn(flags, before.name);
}

function missing(flags: Readonly<Record<string, Flag>>, values: FlagValues): string[] {
  return Object.entries(flags)
    .filter(([name, flag]) => flag.required && !(name in values))
    .map(([name, { value }]) => `--${name} ${value} is required`);
}

/** A failure of whoever typed the command, with the help that settles it. */
export function usageError(message: string, command?: string): Failure {
  return configError(`${message} (see cleargrid-connector ${command === undefined ? '' : `${command} `}--help)`);
}

/** A value that looks like a flag is the next flag: the one before has lost its value. `-` alone is standard input, `-1` a number. */
const isFlag = (value: string | undefined) => value !== undefined && /^-[^\d]/.test(value);

function readValue(flag: Flag, value: string | undefined): string | number | boolean | { problem: string } {
  if (flag.type === 'boolean') return value === undefined ? true : { problem: 'takes no value' };
  if (value === undefined || value === '') return { problem: `needs a value: ${flag.value}` };
  if (flag.type === 'string') return value;
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = flag;
  const number = /^-?\d+$/.test(value) ? Number(value) : Number.NaN;
  return number >= min && number <= max ? number : { problem: `must be a whole number from ${min} to ${max}` };
}

async function suggestion(name: string, flags: Readonly<Record<string, Flag>>): Promise<string> {
  const { didYouMean } = await import('../config/nearest.ts');
  return didYouMean(
    `--${name}`,
    Object.keys(flags).map((flag) => `--${flag}`),
  );
}

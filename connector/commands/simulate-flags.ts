import { configError } from '../../destinations/failure.ts';
import type { DatasetInfo } from '../../simulator/datasets.ts';
import type { FaultName } from '../../simulator/faults.ts';
import type { Unknowns } from '../../simulator/unknowns.ts';
import { didYouMean, nearest } from '../config/nearest.ts';

/** What `simulate --help` adds: the faults by name, and what may be assumed. */
export async function notes(): Promise<string> {
  const { FAULT_NAMES } = await import('../../simulator/faults.ts');
  const { UNKNOWNS } = await import('../../simulator/unknowns.ts');
  const unknowns = Object.entries(UNKNOWNS).map(([name, { values, about }]) => [`${kebab(name)}=${values}`, about]);
  return [
    'Faults:',
    ...inColumns(Object.entries(FAULT_NAMES)),
    '',
    'What the documentation leaves open (--assume; the first is assumed unless told otherwise):',
    ...unknowns.map(([setting, about]) => `  ${setting}\n      ${about}`),
  ].join('\n');
}

function inColumns(entries: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...entries.map(([name]) => name.length));
  return entries.map(([name, about]) => `  ${name.padEnd(width)}  ${about}`);
}

const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** `name=value,name=value` by the names that help shows. @throws {Failure} `config_error` with all that is wrong. */
export async function assumptions(list: string): Promise<Partial<Unknowns>> {
  const { UNKNOWNS } = await import('../../simulator/unknowns.ts');
  const known = new Map(Object.entries(UNKNOWNS).map(([name, unknown]) => [kebab(name), { name, ...unknown }]));
  const picked: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const setting of list.split(',')) {
    const [name = '', ...rest] = setting.trim().split('=');
    const unknown = known.get(name);
    const value = unknown?.read(rest.join('='));
    if (unknown === undefined) problems.push(`nothing is assumed of "${name}"${didYouMean(name, [...known.keys()])}`);
    else if (value === undefined) problems.push(`${name}=${rest.join('=')} is none of: ${unknown.values}`);
    else picked[unknown.name] = value;
  }
  if (problems.length === 0) return picked;
  throw configError(`--assume: ${problems.join('; ')}. cleargrid-connector simulate --help lists them`);
}

/** @throws {Failure} `config_error` for a code that is no reserved dataset's. */
export async function opened(list: string): Promise<Record<string, Partial<DatasetInfo>>> {
  const { DATASETS } = await import('../../simulator/datasets.ts');
  const reserved = DATASETS.filter(({ available }) => !available).map(({ code }) => code);
  const codes = list.split(',').map((code) => code.trim());
  const unknown = codes.filter((code) => !reserved.includes(code));
  if (unknown.length > 0)
    throw configError(`--open: ${unknown.join(', ')} cannot open; reserved are ${reserved.join(', ')}`);
  return Object.fromEntries(codes.map((code) => [code, { available: true, cursorField: 'updated_at' }]));
}

/** @throws {Failure} `config_error` for a name that is no fault's. */
export async function faultsNamed(list: string): Promise<(FaultName | 'all')[]> {
  const { FAULT_NAMES } = await import('../../simulator/faults.ts');
  const isKnown = (name: string): name is FaultName | 'all' => Object.hasOwn(FAULT_NAMES, name);
  const names = list.split(',').map((name) => name.trim());
  const unknown = names.filter((name) => !isKnown(name));
  if (unknown.length === 0) return names.filter(isKnown);
  const told = unknown.map((name) => {
    const near = nearest(name, Object.keys(FAULT_NAMES));
    return near === null ? `"${name}"` : `"${name}" (did you mean "${near}"?)`;
  });
  throw configError(`--faults: there is no fault ${told.join(', ')}; cleargrid-connector simulate --help lists them`);
}

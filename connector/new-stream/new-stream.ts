import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { configError } from '../../destinations/failure.ts';
import * as kinds from '../../schemas/kinds.ts';
import { STREAMS } from '../../schemas/registry.ts';
import { snakeCase } from '../../schemas/stream.ts';
import type { CatalogEntry } from '../api/catalog-reader.ts';
import type { Api } from '../api/connect.ts';
import { fixturePage } from './fixture.ts';
import { FORMAT } from './format.ts';
import { type Proposal, propose } from './proposal.ts';
import { withStream } from './registry-lines.ts';
import { type Sample, takeSample } from './sample.ts';
import { streamFile } from './stream-file.ts';

export interface DatasetAddress {
  readonly section: string;
  readonly code: string;
}

export interface NewStream {
  readonly proposal: Proposal;
  readonly sample: Sample;
  /** What was written, by its path in the checkout. */
  readonly files: readonly string[];
}

const REGISTRY = 'schemas/registry.ts';

/** @throws {Failure} when this is no checkout, whose files can be written. */
export function requireCheckout(root: string): void {
  if (existsSync(join(root, REGISTRY)) && existsSync(join(root, 'test/fixtures/pages'))) return;
  throw configError(
    'new-stream writes source files, and this is an installed package without them: clone the repository, `npm ci`, and run it there',
  );
}

/** @throws {Failure} when the dataset is declared already. */
export function requireUndeclared({ code }: DatasetAddress): void {
  const declared = STREAMS.find(({ dataset }) => dataset.code === code);
  if (declared === undefined) return;
  throw configError(
    `--dataset: ${code} is declared already, as ${declared.name}: what it lacks goes into schemas/streams/${declared.name}.ts by hand`,
  );
}

/**
 * Samples a dataset and writes its declaration, its line in the registry and a page of made-up records.
 *
 * @param root the checkout.
 * @param given the stream's name; null: what the catalog calls the dataset.
 * @throws {Failure} for a dataset without records, a name that cannot be one, and a file that is there already: then nothing is written.
 */
export async function newStream(
  api: Api,
  { section, code }: DatasetAddress,
  given: string | null,
  root: string,
  signal: AbortSignal,
): Promise<NewStream> {
  const { datasets } = await api.catalog();
  const entry = datasets?.find((dataset) => dataset.code === code) ?? null;
  if (entry !== null && entry.section !== null && entry.section !== section)
    throw configError(`--dataset: the catalog has ${code} in section ${entry.section}: ${entry.section}/${code}`);
  const name = given ?? nameOf(entry) ?? code.toLowerCase();
  requireName(name);
  const paths = { stream: `schemas/streams/${name}.ts`, page: `test/fixtures/pages/${name}.json` };
  for (const path of Object.values(paths)) {
    if (existsSync(join(root, path)))
      throw configError(`${path} is there already, and nothing is overwritten: give another --name, or remove it`);
  }

  const dataset = { section, code, paging: 'via' } as const;
  const sample = await takeSample(api, dataset, entry?.cursorField ?? null, signal);
  const cursorField = entry?.cursorField ?? null;
  const proposal = propose({ name, title: entry?.name ?? null, section, code, cursorField }, sample);
  const others = STREAMS.map((stream) => ({ name: stream.name, code: stream.dataset.code }));
  const registry = withStream(await readFile(join(root, REGISTRY), 'utf8'), others, { name, code });

  await writeFile(join(root, paths.stream), streamFile(proposal, sample.records.length), { flag: 'wx' });
  await writeFile(join(root, paths.page), fixturePage(proposal, sample.records), { flag: 'wx' });
  await writeFile(join(root, REGISTRY), registry);
  return { proposal, sample, files: [paths.stream, REGISTRY, paths.page] };
}

/** `Borrower Deals` as `borrower_deals`; null where that makes no name. */
function nameOf(entry: CatalogEntry | null): string | null {
  const name = (entry?.name ?? '')
    .toLowerCase()
    .replace(/[^a-z\d]+/g, '_')
    .replace(/^[_\d]+|_+$/g, '');
  return name === '' || STREAMS.some((stream) => stream.name === name) ? null : name;
}

function requireName(name: string): void {
  const problem = problemWith(name);
  if (problem !== null) throw configError(`--name: "${name}" ${problem}`);
}

function problemWith(name: string): string | null {
  if (!/^[a-z][a-z\d_]{0,59}$/.test(name) || snakeCase(name) !== name)
    return 'cannot be a table: use lower-case letters, digits and _, at most 60, and begin with a letter';
  if (STREAMS.some((stream) => stream.name === name)) return 'is the name of another stream';
  const variable = FORMAT.variable(name);
  return Object.hasOwn(kinds, variable) || variable === 'defineStream' || !isVariable(variable)
    ? 'means something else in a program: give it more than that one word'
    : null;
}

function isVariable(name: string): boolean {
  try {
    new Script(`'use strict'; let ${name};`);
    return true;
  } catch {
    return false;
  }
}

import { fileURLToPath } from 'node:url';
import { DATASET_CODE, SECTION_CODE } from '../api/assumptions.ts';
import {
  type DatasetAddress,
  type NewStream,
  newStream,
  requireCheckout,
  requireUndeclared,
} from '../new-stream/new-stream.ts';
import type { ColumnProposal } from '../new-stream/propose.ts';
import { TO_SETTLE } from '../new-stream/stream-file.ts';
import { count, counted } from '../output/words.ts';
import { usageError } from './arguments.ts';
import type { RunCommand } from './commands.ts';
import { EXIT } from './exit-codes.ts';
import { connect, openConfig } from './open.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Proposes a stream for a dataset that none declares: writes its files into this checkout, and shows what speaks for each column. */
export const run: RunCommand = async (flags, context) => {
  requireCheckout(ROOT);
  const dataset = datasetOf(String(flags.dataset));
  requireUndeclared(dataset);
  const config = await openConfig(flags, context);
  const api = await connect(config, context.signal);
  try {
    const name = typeof flags.name === 'string' ? flags.name : null;
    const made = await newStream(api, dataset, name, ROOT, context.signal);
    for (const line of told(made)) context.print(line);
    return EXIT.done;
  } finally {
    await api.close();
  }
};

function datasetOf(text: string): DatasetAddress {
  const [section = '', code = '', ...more] = text.toUpperCase().split('/');
  if (!SECTION_CODE.test(section) || !DATASET_CODE.test(code) || more.length > 0)
    throw usageError('--dataset must be a section and a code, such as S3/D27', 'new-stream');
  return { section, code };
}

function told({ proposal, sample, files }: NewStream): string[] {
  const { dataset, cursor, columns, questions } = proposal;
  const kindOf = ({ kind, pii, question }: ColumnProposal) =>
    `${kind ?? 'undeclared'}${pii ? ', personal' : ''}${question === null ? '' : ' ?'}`;
  const widths = [
    Math.max(...columns.map(({ field }) => field.length)),
    Math.max(...columns.map((column) => kindOf(column).length)),
  ] as const;
  const asked = columns.filter(({ question }) => question !== null).length + Object.keys(questions).length + 1;
  return [
    `${dataset.section}/${dataset.code}: ${counted(sample.records.length, 'record')} of ${counted(sample.pages, 'page')}, paged by ${cursor}, ${dataset.paging}.`,
    '',
    ...columns.map((column) =>
      [column.field.padEnd(widths[0]), kindOf(column).padEnd(widths[1]), column.evidence].join('  '),
    ),
    '',
    'Written:',
    ...files.map((file) => `   ${file}`),
    '',
    `${count(asked)} comments in the first begin with "${TO_SETTLE}". Then:`,
    '   npm run generate   writes the documentation and the dbt models',
    '   npm run check      writes the rows that the page maps to, to be reviewed',
  ];
}

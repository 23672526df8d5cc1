import { counted } from '../output/words.ts';
import { FORMAT } from './format.ts';
import { type Proposal, USUAL_KEY } from './proposal.ts';
import type { ColumnProposal } from './propose.ts';

/** What a comment that asks begins with. */
export const TO_SETTLE = 'To settle:';

const INDENT = '  ';

/** The declaration as a file under `schemas/streams/`: what the sample could not tell is asked for in comments. */
export function streamFile(proposal: Proposal, records: number): string {
  const { name, description, dataset, cursor, columns, key, suspectKey, lookBack, questions } = proposal;
  const kinds = new Set(columns.flatMap(({ kind }) => (kind === null ? [] : [kind])));
  const list = (names: readonly string[]) => `[${names.map(FORMAT.text).join(', ')}]`;
  return `${[
    `import { ${[...kinds].sort().join(', ')} } from '../kinds.ts';`,
    "import { defineStream } from '../stream.ts';",
    '',
    `// Proposed by new-stream from ${counted(records, 'record')}. Settle what is asked below, mark with .personal() what else`,
    '// identifies a person, and say with .describe() what its name does not.',
    `export const ${FORMAT.variable(name)} = defineStream({`,
    `${INDENT}name: ${FORMAT.text(name)},`,
    ...asked('what is a row?', INDENT),
    ...property('description', FORMAT.text(description)),
    ...asked(questions.dataset, INDENT),
    `${INDENT}dataset: { section: ${FORMAT.text(dataset.section)}, code: ${FORMAT.text(dataset.code)}, paging: '${dataset.paging}' },`,
    ...asked(questions.cursor, INDENT),
    `${INDENT}cursor: ${FORMAT.text(cursor)},`,
    ...asked(questions.primaryKey, INDENT),
    ...(key === USUAL_KEY ? [] : [`${INDENT}primaryKey: ${list([key])},`]),
    ...asked(questions.suspectKey, INDENT),
    ...(suspectKey === null
      ? []
      : [`${INDENT}suspectKey: { by: ${list(suspectKey.by)}, suggest: ${list(suspectKey.suggest)} },`]),
    ...asked(questions.lookBack, INDENT),
    ...(lookBack === null ? [] : [`${INDENT}lookBack: ${FORMAT.text(lookBack)},`]),
    `${INDENT}columns: {`,
    ...columns.flatMap(columnLines),
    `${INDENT}},`,
    '});',
  ].join('\n')}\n`;
}

function columnLines({ field, kind, pii, question }: ColumnProposal): string[] {
  const indent = INDENT + INDENT;
  if (kind === null) return asked(`${FORMAT.harmless(field)}: ${question}`, indent);
  return [...asked(question, indent), `${indent}${FORMAT.key(field)}: ${kind}${pii ? '.personal()' : ''},`];
}

function asked(question: string | null | undefined, indent: string): string[] {
  return question ? [`${indent}// ${TO_SETTLE} ${question}`] : [];
}

/** One line where it fits, else two, as the formatter has it. */
function property(name: string, value: string): string[] {
  const line = `${INDENT}${name}: ${value},`;
  return line.length <= FORMAT.lineWidth ? [line] : [`${INDENT}${name}:`, `${INDENT}${INDENT}${value},`];
}

import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { postgresKinds } from '../../destinations/postgres/kinds.ts';
import { decodeJson } from '../../schemas/decode.ts';
import { compileMapper } from '../../schemas/mapper.ts';
import { streamNamed } from '../../schemas/registry.ts';
import type { Value } from '../../schemas/row.ts';
import { type SimulatorOptions, startSimulator } from '../../simulator/simulator.ts';

/**
 * Serves a simulated API from a process of its own, until its standard input ends, and writes the files that psql is given.
 *
 * usage: node bench/postgres/api.ts OPTIONS-AS-JSON; each line of standard input is answered with a line once it is done:
 * `file PATH SINCE UNTIL`: the rows of D03 whose `updated_at` lies in `[SINCE, UNTIL)`, as the API returns them now, in its order, as COPY
 * text; answers how many. `change COUNT`: new versions of so many records.
 */
const stream = streamNamed('borrower_sub_accounts')!;
const simulator = await startSimulator(JSON.parse(process.argv[2] ?? '{}') as SimulatorOptions);
const { url, lender, email, password } = simulator;
process.stdout.write(`${JSON.stringify({ url, lender, email, password })}\n`);

const HOUR_MS = 3_600_000;
let rest = '';
let work = Promise.resolve();
process.stdin.setEncoding('utf8');
process.stdin.on('data', (text: string) => {
  const lines = (rest + text).split('\n');
  rest = lines.pop()!;
  for (const line of lines) {
    work = work.then(async () => void process.stdout.write(`${await done(line.split(' '))}\n`));
  }
});
process.stdin.on('end', () => void work.then(() => simulator.stop()).then(() => process.exit(0)));

async function done([verb, ...words]: string[]): Promise<number> {
  if (verb === 'file') return writeFile(words[0]!, words[1]!, words[2]!);
  // Over an hour, as changes come: what shares one instant is one walk, and nothing can be done side by side.
  simulator.advance(HOUR_MS + 2000);
  simulator.change('D03', Number(words[0]), undefined, { spreadMs: HOUR_MS });
  simulator.advance(2000);
  return Number(words[0]);
}

async function writeFile(path: string, since: string, until: string): Promise<number> {
  const file = createWriteStream(path);
  const mapper = compileMapper(stream, postgresKinds);
  let rows = 0;
  let text = '';
  for (const { bytes } of simulator.truth('D03')) {
    const record = decodeJson(bytes) as { updated_at: string };
    if (record.updated_at < since || record.updated_at >= until) continue;
    const [row] = mapper.map([record], '2026-01-01T00:00:00.000000Z').rows;
    text += `${row!.map(copyText).join('\t')}\n`;
    rows++;
    if (text.length < 1 << 20) continue;
    if (!file.write(text)) await once(file, 'drain');
    text = '';
  }
  file.end(text);
  await finished(file);
  return rows;
}

function copyText(value: Value): string {
  if (value === null) return '\\N';
  return String(value).replace(
    /[\\\t\n\r]/g,
    (char) => ({ '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' })[char]!,
  );
}

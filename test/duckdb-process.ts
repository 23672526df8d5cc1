import { duckdbDestination } from '../destinations/duckdb/destination.ts';
import { asFailure } from '../destinations/failure.ts';
import { at, deals } from './destination-suite/streams.ts';
import { newPosition, pageOf } from './destination-suite/visit.ts';

/**
 * A process of its own that writes to a DuckDB file. Each line that it prints is JSON.
 *
 * usage: duckdb-process.ts PATH hold | load
 *
 * `hold` opens a stream and waits to be killed. `load` commits batches of 1000 rows for ever, the next after the last that is
 * stored; batch N has the rows `N-0` to `N-999`, and `seen` is then minute N.
 */
const [path, mode] = process.argv.slice(2) as [string, 'hold' | 'load'];
const tell = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

const destination = duckdbDestination({ type: 'duckdb', path, schema: 'main' });
try {
  const run = {
    id: `run of ${process.pid}`,
    command: 'sync',
    startedAt: at(0),
    fullRefresh: new Set<string>(),
    warn: () => {},
  };
  const table = (await destination.open([deals], run)).get(deals.name)!;
  tell({ opened: run.id });
  if (mode === 'hold') await new Promise((resolve) => setTimeout(resolve, 600_000));

  const { document } = await table.position();
  const seen = document === null ? null : (JSON.parse(document).seen as string | null);
  let next = seen === null ? 0 : (Date.parse(seen) - Date.parse(at(0))) / 60_000 + 1;
  let begun = document !== null;
  for (; ; next++) {
    const records = Array.from({ length: 1000 }, (_, index) => ({
      ...{ public_id: `${next}-${index}`, name: 'x'.repeat(100), count: index, updated_at: at(next) },
    }));
    const page = table.prepare(pageOf(deals, destination.kinds, { askedAt: at(next), records }));
    const begin = begun ? [] : [{ type: 'begin', position: newPosition(deals) } as const];
    await table.commit({ pages: [page], changes: [...begin, { type: 'seen', value: at(next) }], refresh: null });
    begun = true;
    tell({ committed: next });
  }
} catch (error) {
  const { kind, message, name } = asFailure(error);
  tell({ failed: kind, name, message });
} finally {
  await destination.close();
}

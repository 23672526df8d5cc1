import type { Destination } from '../../destinations/contract.ts';
import { asFailure } from '../../destinations/failure.ts';

/** Records of one stream in `_cleargrid_rejects` that share a reason. */
export interface RejectGroup {
  readonly stream: string;
  readonly reason: string;
  readonly records: number;
  /** Of those, the ones that the latest run was the first to bring. */
  readonly fresh: number;
  /** When the last of them came. */
  readonly at: string;
}

/**
 * Counts the rejects by stream and reason; the records themselves are not asked for.
 *
 * @param run the latest run, or null: then nothing has been written, and nothing is asked.
 */
export async function rejectsByReason(
  destination: Destination,
  run: string | null,
): Promise<{ groups: RejectGroup[]; problem: string | null }> {
  const groups: RejectGroup[] = [];
  try {
    if (run !== null) for await (const row of destination.query(countRejects(run))) groups.push(group(row));
    return { groups, problem: null };
  } catch (error) {
    return { groups: [], problem: asFailure(error).message };
  }
}

/** In the words that all destinations share: a run's id is a UUID, and one that is not is nobody's. */
function countRejects(run: string): string {
  const id = /^[\w-]+$/.test(run) ? run : '';
  return `select stream, reason, count(*) as records, sum(case when run_id = '${id}' then 1 else 0 end) as fresh, max(seen_at) as latest
from _cleargrid_rejects
group by stream, reason
order by stream, records desc, reason`;
}

function group({ stream, reason, records, fresh, latest }: Readonly<Record<string, unknown>>): RejectGroup {
  return {
    stream: String(stream),
    reason: String(reason),
    records: Number(records),
    fresh: Number(fresh),
    at: String(latest),
  };
}

import { estimateLine } from '../../destinations/airbyte/messages.ts';
import type { Output } from '../../destinations/airbyte/output.ts';
import type { Stream } from '../../schemas/stream.ts';
import { readEnvelope } from '../api/envelope.ts';
import type { Reporter } from '../report.ts';
import type { Source } from '../source.ts';

/** A total that takes longer to count is not known cheaply. */
const LONGEST_COUNT_MS = 10_000;

/**
 * The reporter, which also tells how many records a stream has in all, for those that start from nothing: asked for once, beside the
 * reading, and not told when it cannot be had. Only `direct` datasets count without a window (the API's documentation).
 */
export function withEstimates(
  reporter: Reporter,
  starting: ReadonlyMap<string, Stream>,
  { api, output, startDate, signal }: { api: Source; output: Output; startDate: string | null; signal: AbortSignal },
): Reporter {
  const asking = new Map<string, AbortController>();

  async function estimate(stream: Stream, ended: AbortSignal): Promise<void> {
    const within = AbortSignal.any([signal, ended, AbortSignal.timeout(LONGEST_COUNT_MS)]);
    const request = { since: startDate, until: null, cursor: null, limit: 1, includeTotal: true } as const;
    const { bytes, release } = await api.fetchPage(stream.dataset, request, within);
    const { total } = readEnvelope(bytes);
    release();
    if (total !== null && !ended.aborted) output.tell(estimateLine(stream.name, total));
  }

  return {
    ...reporter,
    streamStarted(name) {
      reporter.streamStarted(name);
      const stream = starting.get(name);
      if (stream === undefined || stream.dataset.paging !== 'direct') return;
      const ended = new AbortController();
      asking.set(name, ended);
      estimate(stream, ended.signal).catch(() => {});
    },
    streamEnded(summary, failure) {
      asking.get(summary.stream)?.abort();
      reporter.streamEnded(summary, failure);
    },
  };
}

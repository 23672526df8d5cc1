import type { FailureKind } from '../../destinations/failure.ts';
import { oncePerCause } from '../causes.ts';
import { count, counted, moment, span } from '../output/words.ts';
import type { PageFacts, StreamFacts } from './facts.ts';

/** What somebody should look at, the most urgent first. */

export interface Attention {
  /** `act`: it does not mend itself. `look`: somebody should judge it. `know`: it goes on by itself. */
  readonly level: 'act' | 'look' | 'know';
  readonly title: string;
  readonly text: string;
  readonly streams: readonly string[];
  readonly todo: string;
  /** To be copied, or null. */
  readonly command: string | null;
}

/** A stream is late once it lacks what three runs should have brought; an hour is never late. */
const MISSED_RUNS = 3;
const NEVER_LATE = 3_600;
/** Where no schedule is known yet. */
const A_DAY = 86_400;

const RUN = 'cleargrid-connector';

export function attentionOf(facts: PageFacts, now: Date): Attention[] {
  const items = [
    ...refused(facts),
    ...failed(facts),
    ...differing(facts),
    ...late(facts, now),
    ...newRejects(facts),
    ...warnings(facts),
    ...unfinished(facts),
    ...changedFields(facts),
  ];
  const order = ['act', 'look', 'know'];
  return items.sort((a, b) => order.indexOf(a.level) - order.indexOf(b.level));
}

function refused({ streams }: PageFacts): Attention[] {
  const told = streams.flatMap(({ stream, status: { problem } }) =>
    problem === null ? [] : [{ stream, message: problem }],
  );
  return oncePerCause(told).map(({ streams, message }) => ({
    level: 'act',
    title: `The next run refuses ${counted(streams.length, 'stream')}`,
    text: message,
    streams,
    todo: 'Nothing is lost. The message says what settles it.',
    command: null,
  }));
}

const TODO: Readonly<Record<FailureKind, string>> = {
  config_error: 'This is for you to put right, as the message says; trying again does not help.',
  transient_error:
    'The next run goes on from where this one stopped. If it fails again, the message says whom to ask; ClearGrid’s support wants the request’s id.',
  system_error: 'Run the command with --debug added and report what it tells: this is a fault of the connector.',
};

function failed({ streams }: PageFacts): Attention[] {
  const told = streams.flatMap(({ stream, status: { last_run: run, last_error: error } }) =>
    run?.status === 'failed' && error !== null ? [{ stream, ...error }] : [],
  );
  return oncePerCause(told).map(({ first, streams, message }) => ({
    level: 'act',
    title: `${counted(streams.length, 'stream')} failed at ${moment(first.at)} UTC`,
    text: `${message}${first.request_id === null ? '' : ` (request ${first.request_id})`}`,
    streams,
    todo: TODO[first.kind] ?? TODO.system_error,
    command: `${RUN} sync --config FILE --streams ${streams.join(',')}`,
  }));
}

/** Stands until `verify` says otherwise, whatever runs came since. */
function differing({ streams }: PageFacts): Attention[] {
  const found = streams.flatMap(({ stream, status: { last_verify: verdict } }) =>
    verdict?.verdict === 'differs' ? [{ stream, verdict }] : [],
  );
  if (found.length === 0) return [];
  const names = found.map(({ stream }) => stream);
  const counts = found.map(
    ({ stream, verdict: { table, api } }) =>
      `${stream} has ${counted(table, 'row')} for ${counted(api, 'record')} of the API`,
  );
  return [
    {
      level: 'act',
      title: `${counted(names.length, 'table')} ${names.length === 1 ? 'differs' : 'differ'} from the API`,
      text: `${counts.join('; ')}.`,
      streams: names,
      todo: 'Read the spans that differ again, and have them verified:',
      command: `${RUN} verify --config FILE --streams ${names.join(',')} --repair`,
    },
  ];
}

/** No run at all is one thing; streams that the runs there are leave behind are another. */
function late({ streams, runs, interval }: PageFacts, now: Date): Attention[] {
  const latest = runs[0];
  if (latest === undefined) return [];
  const patience = interval === null ? A_DAY : Math.max(NEVER_LATE, MISSED_RUNS * interval);
  const sinceLatest = (now.getTime() - Date.parse(latest.started_at)) / 1000;
  const often = interval === null ? '' : ` Runs used to begin every ${span(interval)}.`;
  const items: Attention[] = [];
  if (sinceLatest > patience)
    items.push({
      level: 'act',
      title: `No run has begun for ${span(sinceLatest)}`,
      text: `The latest began at ${moment(latest.started_at)} UTC.${often}`,
      streams: [],
      todo: 'See whether whatever starts the runs still does.',
      command: `${RUN} sync --config FILE`,
    });
  const behind = streams.filter(
    ({ status }) =>
      status.problem === null &&
      status.last_run?.status !== 'failed' &&
      status.lag_seconds !== null &&
      status.lag_seconds - Math.max(0, sinceLatest) > patience,
  );
  if (behind.length > 0)
    items.push({
      level: 'look',
      title: `${counted(behind.length, 'stream')} ${behind.length === 1 ? 'lags' : 'lag'} behind the others`,
      text: `What is complete there is ${span(Math.max(...behind.map(({ status }) => status.lag_seconds!)))} old.`,
      streams: behind.map(({ stream }) => stream),
      todo: 'If runs leave them out on purpose, nothing; else:',
      command: `${RUN} sync --config FILE --streams ${behind.map(({ stream }) => stream).join(',')}`,
    });
  return items;
}

function newRejects({ streams, runs }: PageFacts): Attention[] {
  const groups = streams.flatMap(({ rejects }) => rejects.filter(({ fresh }) => fresh > 0));
  if (groups.length === 0) return [];
  const total = groups.reduce((sum, { fresh }) => sum + fresh, 0);
  const reasons = Map.groupBy(groups, ({ reason }) => reason);
  const text = [...reasons].map(
    ([reason, members]) => `${reason} (${count(members.reduce((sum, { fresh }) => sum + fresh, 0))})`,
  );
  return [
    {
      level: 'look',
      title: `${counted(total, 'new reject')} in the latest run`,
      text: `${text.join('; ')}.`,
      streams: [...new Set(groups.map(({ stream }) => stream))],
      todo: 'The records are kept as they came. Look at them in your warehouse:',
      command: `select * from _cleargrid_rejects where run_id ${ofRuns(runs[0]?.run_ids ?? [])}`,
    },
  ];
}

const ofRuns = (ids: readonly string[]) =>
  ids.length === 1 ? `= '${ids[0]}'` : `in (${ids.map((id) => `'${id}'`).join(', ')})`;

/** What a run warns of: deletions that wait for leave, schedules near a quota, streams that are not available, ... */
function warnings({ warnings }: PageFacts): Attention[] {
  return warnings.map((text) => ({
    level: 'look',
    title: 'The latest run warned',
    text,
    streams: [],
    todo: '',
    command: null,
  }));
}

function unfinished({ streams, runs }: PageFacts): Attention[] {
  const some = (title: string, which: (stream: StreamFacts) => boolean): Attention[] => {
    const names = streams.filter(which).map(({ stream }) => stream);
    if (names.length === 0) return [];
    const text = 'The next run of any kind goes on there.';
    return [{ level: 'know', title, text, streams: names, todo: '', command: null }];
  };
  const latest = runs[0];
  const atWork: Attention = {
    level: 'know',
    title: `A run began at ${latest === undefined ? '' : moment(latest.started_at)} UTC and has not ended`,
    text: 'It is at work, or was killed. If it was killed, the next run goes on from its last commit.',
    streams: [],
    todo: '',
    command: null,
  };
  return [
    ...(latest?.status === 'running' ? [atWork] : []),
    ...some('Windows are not read to their end', ({ status }) => status.windows_left > 0 && status.problem === null),
    ...some('A full refresh is not finished', ({ status }) => status.refresh_pass !== null && status.problem === null),
  ];
}

function changedFields({ streams, runs }: PageFacts): Attention[] {
  const some = streams.filter(({ runs: [last] }) => last?.run_id === runs[0]?.run_id && (last?.changedFields ?? 0) > 0);
  if (some.length === 0) return [];
  const total = some.reduce((sum, stream) => sum + stream.runs[0]!.changedFields, 0);
  return [
    {
      level: 'know',
      title: `${counted(total, 'value')} did not fit in the latest run`,
      text: 'The column is null there, the original in _extra, and _changes says why.',
      streams: some.map(({ stream }) => stream),
      todo: '',
      command: null,
    },
  ];
}

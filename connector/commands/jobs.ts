import type { RunRecord } from '../../destinations/contract.ts';
import type { FailureKind } from '../../destinations/failure.ts';
import type { StreamSummary, Summary } from '../summary.ts';

/** What is told as one run: a run that was alone, or the runs of the tasks of one job together. */
export interface Job extends RunRecord {
  /** Of how many tasks it is; null: a run that was alone. */
  readonly tasks: number | null;
  /** The runs that it is made of, the earliest first. */
  readonly runs: readonly RunRecord[];
}

/** Tasks that begin within this time of the first belong to its job, though they never ran side by side. */
const BEGIN_WITHIN_MS = 10 * 60_000;

/** A run of which its summary tells which task it was. */
interface TaskRun {
  readonly record: RunRecord;
  readonly task: string;
}

/** Runs that are one job so far. Those that have no summary do not say which task they were: they may be at work, or were killed. */
interface Group {
  readonly command: string;
  readonly tasks: number | null;
  readonly began: number;
  readonly ended: TaskRun[];
  readonly open: RunRecord[];
}

/**
 * Run records as jobs, newest first. Tasks of one number are one job where their times overlap, or where they begin within ten minutes of
 * its first; a task that had already succeeded there begins the next.
 */
export function jobsOf(records: readonly RunRecord[]): Job[] {
  const earliestFirst = records.toSorted((a, b) => began(a) - began(b));
  const groups: Group[] = [];
  for (const record of earliestFirst) {
    const task = summaryTask(record);
    if (task === null) continue;
    const tasks = Number(task.split('/')[1]);
    const latest = groups.findLast((group) => group.command === record.command && group.tasks === tasks);
    if (latest !== undefined && goesOn(latest, { record, task })) latest.ended.push({ record, task });
    else groups.push(newGroup(record, tasks, { record, task }));
  }
  const alone: RunRecord[] = [];
  for (const record of earliestFirst) {
    if (summaryTask(record) !== null) continue;
    const ofCommand = groups.filter(({ command }) => command === record.command);
    if (record.summary !== null || ofCommand.length === 0) alone.push(record);
    else {
      const own = ofCommand.filter((group) => mayBeOf(group, began(record)));
      const [nearest] = own.sort((a, b) => Math.abs(a.began - began(record)) - Math.abs(b.began - began(record)));
      if (nearest !== undefined) nearest.open.push(record);
      else groups.push({ ...newGroup(record, null), open: [record] });
    }
  }
  const jobs = [...groups.map(together), ...alone.map((record) => ({ ...record, tasks: null, runs: [record] }))];
  return jobs.sort((a, b) => began(b) - began(a));
}

/** The streams of a run's summary; none where it has no summary yet, or one of another command. */
export function summaryOf(run: RunRecord): readonly StreamSummary[] {
  const streams = (run.summary as Partial<Summary> | null)?.streams;
  return Array.isArray(streams) ? streams : [];
}

/** What the run warned of. */
export function warningsOf(run: RunRecord): readonly string[] {
  const warnings = (run.summary as Partial<Summary> | null)?.warnings;
  return Array.isArray(warnings) ? warnings : [];
}

const began = ({ startedAt }: RunRecord) => Date.parse(startedAt);
const endOf = ({ startedAt, endedAt }: RunRecord) => Date.parse(endedAt ?? startedAt);
const lastEnd = ({ began: first, ended }: Group) => Math.max(first, ...ended.map(({ record }) => endOf(record)));

function summaryTask({ summary }: RunRecord): string | null {
  const task = (summary as Partial<Summary> | null)?.task;
  return typeof task === 'string' && /^\d+\/\d+$/.test(task) ? task : null;
}

const newGroup = (record: RunRecord, tasks: number | null, ...ended: TaskRun[]): Group => ({
  ...{ command: record.command, tasks, began: began(record), ended, open: [] },
});

function goesOn(group: Group, { record, task }: TaskRun): boolean {
  const at = began(record);
  const isDone = group.ended.some(
    (one) => one.task === task && one.record.status === 'succeeded' && endOf(one.record) <= at,
  );
  return !isDone && at <= Math.max(lastEnd(group), group.began + BEGIN_WITHIN_MS);
}

/** Each of its tasks has ended, be it at a second try: who has not was killed. */
const isWhole = ({ tasks, ended }: Group) => tasks !== null && new Set(ended.map(({ task }) => task)).size === tasks;

/** Whether a run that began then and does not say which task it was may be one of its tasks. */
function mayBeOf(group: Group, at: number): boolean {
  if (at < group.began - BEGIN_WITHIN_MS) return false;
  return at <= (isWhole(group) ? lastEnd(group) : Math.max(lastEnd(group), group.began + BEGIN_WITHIN_MS));
}

/** The worst first. */
const WORST = ['failed', 'stopped', 'running', 'succeeded', 'skipped'] as const;
const worst = <S extends (typeof WORST)[number]>(statuses: readonly S[]): S =>
  statuses.toSorted((a, b) => WORST.indexOf(a) - WORST.indexOf(b))[0]!;

/** What the tasks of a job did, as if one run had done it. A task that was begun again has the status of its last try. */
function together(group: Group): Job {
  const runs = [...group.ended.map(({ record }) => record), ...group.open].sort((a, b) => began(a) - began(b));
  const first = runs[0]!;
  const lastTries = new Map(group.ended.map(({ record, task }) => [task, record.status]));
  const isOpen = group.open.length > 0 && !isWhole(group);
  const status = worst([...lastTries.values(), ...(isOpen ? (['running'] as const) : [])]);
  const ends = group.ended.flatMap(({ record: { endedAt } }) => endedAt ?? []);
  return {
    ...{ runId: first.runId, command: group.command, version: first.version, startedAt: first.startedAt, status },
    endedAt: status === 'running' ? null : (ends.sort().at(-1) ?? null),
    summary: group.ended.length === 0 ? null : summaryTogether(group.ended),
    ...{ tasks: group.tasks, runs },
  };
}

function summaryTogether(ended: readonly TaskRun[]): Pick<Summary, 'streams' | 'warnings'> {
  const parts = ended.flatMap(({ record, task }) => summaryOf(record).map((part) => ({ part, task })));
  const streams = [...Map.groupBy(parts, ({ part }) => part.stream).values()].map(streamTogether);
  return { streams, warnings: [...new Set(ended.flatMap(({ record }) => warningsOf(record)))] };
}

/** What adds up. */
type Count = keyof Pick<
  StreamSummary,
  | ('rows_read' | 'rows_written' | 'rows_unchanged' | 'rows_deleted')
  | ('changed_fields' | 'unparsed_dates' | 'rejects' | 'requests' | 'retries' | 'bytes')
>;

interface StreamPart {
  readonly part: StreamSummary;
  readonly task: string;
}

function streamTogether(all: readonly StreamPart[]): StreamSummary {
  const parts = all.map(({ part }) => part);
  const lastTries = new Map(all.map(({ part, task }) => [task, part.status]));
  const sum = (key: Count) => parts.reduce((total, part) => total + (part[key] ?? 0), 0);
  const { verify } = parts.findLast((part) => part.verify !== undefined) ?? {};
  return {
    stream: parts[0]!.stream,
    status: worst([...lastTries.values()]),
    rows_read: sum('rows_read'),
    rows_written: sum('rows_written'),
    rows_unchanged: sum('rows_unchanged'),
    rows_deleted: sum('rows_deleted'),
    changed_fields: sum('changed_fields'),
    unparsed_dates: sum('unparsed_dates'),
    rejects: sum('rejects'),
    requests: sum('requests'),
    retries: sum('retries'),
    bytes: sum('bytes'),
    // They work on it at the same time: adding up would tell the speed of one task.
    seconds: Math.max(...parts.map(({ seconds }) => seconds ?? 0)),
    complete:
      parts
        .flatMap(({ complete }) => complete ?? [])
        .sort()
        .at(-1) ?? null,
    error: errorTogether(all),
    ...(verify && { verify }),
  };
}

/** Who must act at once comes first. */
const KINDS: readonly FailureKind[] = ['config_error', 'system_error', 'transient_error'];

/** What several tasks failed by in the same way is told once; else each message with its tasks. */
function errorTogether(all: readonly StreamPart[]): StreamSummary['error'] {
  const errors = all.flatMap(({ part, task }) => (part.error ? [{ ...part.error, task }] : []));
  const causes = [...Map.groupBy(errors, ({ message }) => message)];
  if (causes.length === 0) return null;
  const [urgent] = errors.toSorted((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind));
  const { kind, request_id } = urgent!;
  if (causes.length === 1) return { kind, message: urgent!.message, request_id };
  const told = causes.map(([message, same]) => `task ${same.map(({ task }) => task).join(', ')}: ${message}`);
  return { kind, message: told.join('; '), request_id };
}

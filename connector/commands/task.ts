import { configError } from '../../destinations/failure.ts';
import type { Task } from '../sync/part.ts';
import { usageError } from './arguments.ts';
import type { FlagValues } from './commands.ts';

/** More tasks than pages that may be asked for at once would have nothing to do. */
const MOST_TASKS = 64;

/** Where orchestrators say it: Cloud Run jobs by themselves, Kubernetes Indexed Jobs with the count that their manifest repeats. */
const VARIABLES = [
  ['CLOUD_RUN_TASK_INDEX', 'CLOUD_RUN_TASK_COUNT'],
  ['JOB_COMPLETION_INDEX', 'CLEARGRID_TASK_COUNT'],
] as const;

/**
 * Which of how many tasks this run is, by `--task I/N` or the orchestrator's variables; null: it is one alone, as is the only one.
 *
 * @throws {Failure} `config_error` when that cannot be.
 */
export function taskOf(flag: FlagValues[string], env: Readonly<Record<string, string | undefined>>): Task | null {
  if (typeof flag === 'string') {
    const [, index, count] = /^(\d+)\/(\d+)$/.exec(flag) ?? [];
    if (index === undefined || !isTask(Number(index), Number(count))) {
      throw usageError(`--task must be I/N, as in 0/4: I from 0, less than N, and N at most ${MOST_TASKS}`, 'sync');
    }
    return taskAmong(Number(index), Number(count));
  }
  for (const [indexName, countName] of VARIABLES) {
    const [index, count] = [env[indexName], env[countName]];
    if (count === undefined) continue;
    if (index === undefined || !isTask(wholeNumber(index), wholeNumber(count))) {
      throw configError(
        `${countName} is "${count}" and ${indexName} is ${index === undefined ? 'not set' : `"${index}"`}: they must tell which of how ` +
          `many tasks this is, from 0, less than the count, and ${MOST_TASKS} at most. Set both, or neither, or use --task I/N`,
      );
    }
    return taskAmong(wholeNumber(index), wholeNumber(count));
  }
  return null;
}

const isTask = (index: number, count: number) => index < count && count >= 1 && count <= MOST_TASKS;

const wholeNumber = (text: string) => (/^\d+$/.test(text) ? Number(text) : Number.NaN);

const taskAmong = (index: number, count: number): Task | null => (count === 1 ? null : { index, count });

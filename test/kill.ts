import { setTimeout as wait } from 'node:timers/promises';
import { destinationConfig } from '../destinations/config.ts';
import { openDestination } from '../destinations/open.ts';
import type { Stream } from '../schemas/stream.ts';
import type { Simulator } from '../simulator/simulator.ts';
import { type Ended, start } from './cli-process.ts';
import { differences } from './truth.ts';

export interface KilledRuns {
  readonly config: string;
  readonly args: readonly string[];
  /** How often a run is killed before one may end. */
  readonly kills: number;
  /** The time from a process's start to its death, in milliseconds: from, and up to. */
  readonly after: readonly [number, number];
  readonly random: () => number;
}

/** Starts runs and kills each with SIGKILL at a random instant, then lets one end; gives how that one ended, and how many were killed. */
export async function killAndFinish({
  config,
  args,
  kills,
  after,
  random,
}: KilledRuns): Promise<{ ended: Ended; killed: number }> {
  let killed = 0;
  for (let n = 0; n < kills; n++) {
    const running = start(['sync', '--config', config, ...args]);
    const early = await Promise.race([running.ended, wait(after[0] + random() * (after[1] - after[0]), null)]);
    if (early !== null) continue;
    running.process.kill('SIGKILL');
    await running.ended;
    killed++;
  }
  return { ended: await start(['sync', '--config', config]).ended, killed };
}

/** What differs between the tables of a destination and the API's truth. */
export async function allDifferences(
  simulator: Simulator,
  streams: readonly Stream[],
  destination: unknown,
  tableOf: (stream: Stream) => string,
): Promise<string[]> {
  const opened = await openDestination(destinationConfig.parse(destination));
  try {
    const problems: string[] = [];
    for (const stream of streams) problems.push(...(await differences(simulator, opened, stream, tableOf(stream))));
    return problems;
  } finally {
    await opened.close();
  }
}

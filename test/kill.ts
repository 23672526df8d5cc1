import { setTimeout as wait } from 'node:timers/promises';
import { destinationConfig } from '../destinations/config.ts';
import { openDestination } from '../destinations/open.ts';
import type { Stream } from '../schemas/stream.ts';
import type { Simulator } from '../simulator/simulator.ts';
import { type Ended, start } from './cli-process.ts';
import { differences } from './truth.ts';

export interface KilledRuns {
  readonly simulator: Simulator;
  readonly config: string;
  readonly args: readonly string[];
  /** How often a run is killed before one may end. */
  readonly kills: number;
  /** How many pages a process may ask for before it dies, within the next `LATEST_MS`: from, and up to. */
  readonly pages: readonly [number, number];
  readonly random: () => number;
}

/** How long after the request that decides a process may live on: long enough for a commit to be under way. */
const LATEST_MS = 150;

/** Starts runs and kills each with SIGKILL at a random instant, then lets one end; gives how that one ended, and how many were killed. */
export async function killAndFinish(runs: KilledRuns): Promise<{ ended: Ended; killed: number }> {
  const { config, args, kills } = runs;
  let killed = 0;
  for (let n = 0; n < kills; n++) {
    const running = start(['sync', '--config', config, ...args]);
    const early = await Promise.race([running.ended, instantToDie(runs)]);
    if (early !== null) continue;
    running.process.kill('SIGKILL');
    await running.ended;
    killed++;
  }
  return { ended: await runToEnd(config), killed };
}

/** Resolves some time after one of the next pages has been asked for. */
async function instantToDie({ simulator, pages: [least, most], random }: KilledRuns): Promise<null> {
  let left = least + Math.floor(random() * (most - least + 1));
  await new Promise<void>((resolve) => {
    const stop = simulator.onPageRequest(() => {
      if (--left > 0) return;
      stop();
      resolve();
    });
  });
  return wait(random() * LATEST_MS, null);
}

/** Lets one run end. */
export function runToEnd(config: string): Promise<Ended> {
  return start(['sync', '--config', config]).ended;
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

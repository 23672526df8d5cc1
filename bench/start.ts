import { spawnSync } from 'node:child_process';
import { median } from './harness.ts';

/**
 * Cold starts, interleaved: of an empty program, of `--version` and of `spec`; medians in milliseconds, and their ratios.
 *
 * usage: npm run bench:start [-- ROUNDS]
 */
const rounds = Number(process.argv[2] ?? 30);
const executable = new URL('../connector/bin.js', import.meta.url).pathname;
const programs: Record<string, readonly string[]> = {
  'node -e 0': ['-e', '0'],
  '--version': [executable, '--version'],
  spec: [executable, 'spec'],
};
const taken = Object.values(programs).map((): number[] => []);

for (let round = 0; round < rounds; round++) {
  for (const [at, args] of Object.values(programs).entries()) {
    const began = performance.now();
    spawnSync(process.execPath, args);
    taken[at]!.push(performance.now() - began);
  }
}

const empty = median(taken[0]!);
for (const [at, name] of Object.keys(programs).entries()) {
  const ms = median(taken[at]!);
  console.log(
    `${name.padEnd(12)} ${ms.toFixed(0).padStart(5)} ms   ${(ms / empty).toFixed(2)} of an empty program   (goal 2)`,
  );
}

import { type SimulatorOptions, startSimulator } from '../simulator/simulator.ts';

/**
 * Serves a simulated API from a process of its own, until its standard input ends: what it costs is not the benchmark's.
 *
 * usage: node bench/simulator-process.ts OPTIONS-AS-JSON; each line of standard input is `change CODE COUNT`, answered when done.
 */
const simulator = await startSimulator(JSON.parse(process.argv[2] ?? '{}') as SimulatorOptions);
const { url, lender, email, password } = simulator;
process.stdout.write(`${JSON.stringify({ url, lender, email, password })}\n`);

const HOUR_MS = 3_600_000;
let rest = '';
process.stdin.setEncoding('utf8');
process.stdin.on('data', (text: string) => {
  const lines = (rest + text).split('\n');
  rest = lines.pop()!;
  for (const line of lines) {
    const [, code, count] = line.split(' ');
    // Over an hour, as changes come: what shares one instant is one walk, and nothing can be done side by side.
    simulator.advance(HOUR_MS + 2000);
    simulator.change(code!, Number(count), undefined, { spreadMs: HOUR_MS });
    simulator.advance(2000);
    process.stdout.write('done\n');
  }
});
process.stdin.on('end', () => void simulator.stop().then(() => process.exit(0)));

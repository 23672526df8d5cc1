import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { EXECUTABLE } from './cli-process.ts';

/** Whether there is util-linux's `script`, by which a command gets a terminal of its own. */
export const hasScript = spawnSync('script', ['--version']).status === 0;

const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;

/** The executable on a terminal of 100 columns and 30 lines: all that came on the screen, control sequences included. */
export async function runOnTerminal(
  args: readonly string[],
  cwd: string,
  typed: { after: string; keys: string } | null = null,
  TERM = 'xterm-256color',
) {
  const command = [process.execPath, EXECUTABLE, ...args].map(quoted).join(' ');
  const child = spawn(
    'script',
    ['--quiet', '--flush', '--return', '--command', `stty cols 100 rows 30; ${command}`, '/dev/null'],
    {
      cwd,
      env: { ...process.env, TERM, NO_COLOR: '1' },
    },
  );
  let screen = '';
  let pending = typed;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text;
    if (pending === null || !screen.includes(pending.after)) return;
    child.stdin.write(pending.keys);
    pending = null;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, screen };
}

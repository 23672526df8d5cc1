import { styleText } from 'node:util';
import { createLogUpdate } from 'log-update';
import { NO_PROGRESS, type Reporter, type StreamProgress } from '../report.ts';
import { type Log, stackOf } from './log.ts';
import { endingText, failureTeller, logReporter, warningTeller } from './reporters.ts';
import type { Screen } from './table.ts';
import { count, counted } from './words.ts';

const REDRAW_EVERY_MS = 150;

/** Progress on a terminal: a live line for each stream that is being read, and one that stays when it has ended. */
export interface TerminalReporter extends Reporter {
  /** Takes the live lines away and gives the terminal back. */
  close(): void;
}

interface Active {
  readonly since: number;
  progress: StreamProgress;
}

/** Lines that stay tell the same, now and then, where the terminal says nothing of itself or that it is dumb. */
export function terminalReporter(log: Log, screen: Screen, { endings = true } = {}): TerminalReporter {
  return canMoveCursor(process.env) ? liveReporter(log, screen, endings) : { ...logReporter(log), close: () => {} };
}

/** Windows consoles move it, and set no TERM. */
const canMoveCursor = ({ TERM = process.platform === 'win32' ? 'windows' : '' }: NodeJS.ProcessEnv) =>
  !['', 'dumb'].includes(TERM);

function liveReporter(log: Log, screen: Screen, endings: boolean): TerminalReporter {
  const active = new Map<string, Active>();
  const live = createLogUpdate(screen);
  const failures = failureTeller(log);

  const draw = () => {
    if (active.size === 0) live.clear();
    else live(frame(active, performance.now(), screen.columns ?? 80, screen.rows ?? 24));
  };
  const timer = setInterval(draw, REDRAW_EVERY_MS).unref();
  log.through((text) => {
    live.clear();
    screen.write(text);
    draw();
  });

  return {
    streamStarted: (stream) => {
      active.set(stream, { since: performance.now(), progress: NO_PROGRESS });
    },
    progress: (stream, progress) => {
      const entry = active.get(stream);
      if (entry !== undefined) entry.progress = progress;
    },
    happened: () => {},
    streamEnded: (summary, failure) => {
      active.delete(summary.stream);
      if (failure !== null) log.debug(`${summary.stream}: where it failed`, { stack: stackOf(failure) });
      if (summary.error !== null) failures(summary);
      else if (endings)
        log.info(`${styleText('green', '✓', { stream: screen })} ${summary.stream}: ${endingText(summary)}`);
    },
    notice: (message) => log.info(message),
    warning: warningTeller(log),
    close: () => {
      clearInterval(timer);
      live.clear();
      live.done();
      log.through((text) => void screen.write(text));
    },
  };
}

/** The live lines: one a stream, cut to the width, and no more of them than the terminal has room for. */
export function frame(
  active: ReadonlyMap<string, { since: number; progress: StreamProgress }>,
  now: number,
  columns: number,
  rows: number,
): string {
  const lines = [...active].map(([stream, entry]) => line(stream, entry, now).slice(0, columns - 1));
  const room = Math.max(1, rows - 2);
  return lines.length <= room
    ? lines.join('\n')
    : [...lines.slice(0, room - 1), `... and ${counted(lines.length - room + 1, 'stream')} more`].join('\n');
}

/** While a stream waits, what it waits for stands in place of its speed, so that 80 columns hold it. */
function line(stream: string, { since, progress }: Active, now: number): string {
  const seconds = Math.max(0.001, (now - since) / 1000);
  const figures = [`${count(progress.rowsRead)} rows`.padStart(15), counted(progress.windows, 'window').padStart(10)];
  return `${stream.padEnd(34)}${figures.join(' ')}  ${progress.waiting ?? `${count(progress.rowsRead / seconds)} rows/s`}`;
}

import { styleText } from 'node:util';
import { asFailure } from '../../destinations/failure.ts';
import { type Redact, redactDeep, secretRedactor } from './redact.ts';

export type Level = 'debug' | 'info' | 'warn' | 'error';
export type Fields = Readonly<Record<string, unknown>>;

/** Tells what happens: JSON lines for programs, plain lines for people. No secret passes it. */
export interface Log {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
  /** Tells what was thrown, once, with its stack trace only when details are asked for. */
  failure(thrown: unknown): void;
  /** From now on these texts are never shown. */
  hide(secrets: readonly string[]): void;
  /** Hides what is to be hidden, in what goes elsewhere than to this log. */
  redact<T>(value: T): T;
  /** From now on lines go through here: what else is on the terminal has to make room for them. */
  through(write: (text: string) => void): void;
}

export interface LogOptions {
  readonly write: (text: string) => void;
  /** Plain lines for a terminal instead of JSON lines. */
  readonly terminal: boolean;
  /** Whether details and stack traces are told. */
  readonly debug: boolean;
  /** Our own clock; a test puts its own in its place. */
  readonly now?: () => Date;
}

export function createLog({ write, terminal, debug, now = () => new Date() }: LogOptions): Log {
  let redact: Redact = (text) => text;
  let out = write;
  const format = terminal ? plainLine : jsonLine;

  const tell = (level: Level, message: string, fields: Fields = {}) => {
    if (level === 'debug' && !debug) return;
    out(`${format(level, redact(message), redactDeep(fields, redact) as Fields, now())}\n`);
  };

  return {
    debug: (message, fields) => tell('debug', message, fields),
    info: (message, fields) => tell('info', message, fields),
    warn: (message, fields) => tell('warn', message, fields),
    error: (message, fields) => tell('error', message, fields),
    failure: (thrown) => {
      const failure = asFailure(thrown);
      const requestId = failure.requestId === null ? {} : { request_id: failure.requestId };
      tell('error', failure.message, {
        kind: failure.kind,
        ...requestId,
        ...(debug ? { stack: stackOf(thrown) } : {}),
      });
    },
    hide: (secrets) => {
      redact = secretRedactor(secrets);
    },
    redact: <T>(value: T) => redactDeep(value, redact) as T,
    through: (next) => {
      out = next;
    },
  };
}

function jsonLine(level: Level, message: string, fields: Fields, time: Date): string {
  return JSON.stringify({ time: time.toISOString(), level, message, ...fields });
}

const COLOURS = { debug: 'dim', info: null, warn: 'yellow', error: 'red' } as const;

/** What a person needs: the message; of the fields only a request id, which support asks for, and a stack trace. */
function plainLine(level: Level, message: string, { request_id: requestId, stack }: Fields): string {
  const label = level === 'error' || level === 'warn' ? `${level === 'warn' ? 'warning' : level}: ` : '';
  const lines = [`${label}${message}${typeof requestId === 'string' ? ` (request ${requestId})` : ''}`];
  if (typeof stack === 'string') lines.push(stack);
  const colour = COLOURS[level];
  return colour === null ? lines.join('\n') : styleText(colour, lines.join('\n'), { stream: process.stderr });
}

/** The stack traces of an error and of what caused it. */
export function stackOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const own = thrown.stack ?? thrown.message;
  return thrown.cause === undefined ? own : `${own}\ncaused by: ${stackOf(thrown.cause)}`;
}

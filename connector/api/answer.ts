import { Failure } from '../../destinations/failure.ts';
import { PageFailure, type PageFailureReason } from '../source.ts';
import type { HttpAnswer } from './http.ts';
import type { Secrets } from './secrets.ts';

/** What an answer says about itself beside its status. */
export interface Said {
  /** The API's own words, trimmed and in quotes, or null. */
  readonly message: string | null;
  readonly requestId: string | null;
  readonly retryAfterMs: number | null;
}

/** Error bodies are a line or two; whatever is larger is no error body. */
const ERROR_BODY_BYTES = 8192;
const MESSAGE_CHARACTERS = 300;

/** Reads the error envelope `{ success, message, requestId }`; what is not there, or no JSON at all, gives nulls. */
export function readSaid(answer: HttpAnswer, { redact }: Secrets): Said {
  const body = smallJson(answer.bytes);
  const message = body?.message ?? body?.error;
  return {
    message: typeof message === 'string' && message.trim() !== '' ? quoted(redact(message)) : null,
    requestId: typeof body?.requestId === 'string' ? redact(body.requestId).slice(0, 100) : null,
    retryAfterMs: retryAfterMs(answer.header('retry-after'), answer.header('date')),
  };
}

/** A small JSON object, or null. */
export function smallJson(bytes: Uint8Array): Record<string, unknown> | null {
  if (bytes.length > ERROR_BODY_BYTES) return null;
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function quoted(message: string): string {
  const line = message.replace(/[\u0000-\u001f\u007f\s]+/g, ' ').trim();
  return `“${line.length > MESSAGE_CHARACTERS ? `${line.slice(0, MESSAGE_CHARACTERS)}…` : line}”`;
}

/**
 * `Retry-After` in milliseconds: seconds, or an HTTP date, which is compared with the `Date` of the same answer, so that our clock
 * does not matter.
 */
export function retryAfterMs(value: string | null, date: string | null): number | null {
  if (value === null) return null;
  if (/^\s*\d+(\.\d+)?\s*$/.test(value)) return Number(value) * 1000;
  const until = Date.parse(value);
  const asked = date === null ? Date.now() : Date.parse(date);
  return Number.isNaN(until) || Number.isNaN(asked) ? null : Math.max(0, until - asked);
}

/**
 * The failure that a status stands for, wherever it is answered (the API's documented table of errors, and what that leaves out); what
 * one status means for one endpoint alone is decided there, before.
 *
 * @param what names the request: `dataset D03`, `the login`.
 */
export function statusFailure(what: string, answer: Omit<HttpAnswer, 'release'>, said: Said): Failure {
  const { status } = answer;
  const told = `${what} was answered with ${status}${said.message === null ? '' : ` ${said.message}`}`;
  const failed = (reason: PageFailureReason, next: string) =>
    new PageFailure(reason, `${told}. ${next}`, { ...said, status, advises: true });

  if (status >= 300 && status < 400) {
    const target = answer.header('location');
    const origin = target === null ? null : (URL.parse(target)?.origin ?? null);
    return new Failure(
      'config_error',
      `${told}, a redirect${origin === null ? '' : ` to ${origin}`}, and redirects are not followed. Check base_url.`,
      { requestId: said.requestId },
    );
  }
  switch (status) {
    case 408:
      return failed('interrupted', 'The server did not get the request in time; try later.');
    case 429:
    case 503:
      return failed('throttled', 'The API asks for fewer requests; try later, or lower concurrency.');
    case 504:
      return failed('timed_out', 'The API did not answer its own gateway in time; try later.');
  }
  if (status >= 500) {
    return failed('refused', "Try later; if it stays so, ask ClearGrid's support and name the request id.");
  }
  return new Failure(
    'system_error',
    `${told}, which nothing documented explains. Please report it with the connector's version.`,
    { requestId: said.requestId },
  );
}

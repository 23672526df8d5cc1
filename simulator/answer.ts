import { randomBytes } from 'node:crypto';
import type { Unknowns } from './unknowns.ts';

/** What is sent back, before any fault is done to it. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: readonly Buffer[];
}

/** The text that is documented: the one error message that a client may rely on. */
export const NO_TOKEN = 'Access denied. No token provided.';

/** An error of the exports with the message that is assumed. */
export function reworded(answer: Answer, { errorTexts }: Pick<Unknowns, 'errorTexts'>): Answer {
  if (answer.status < 400 || errorTexts === 'words' || !answer.headers['content-type']?.includes('json')) return answer;
  const body = JSON.parse(Buffer.concat(answer.body).toString()) as Record<string, unknown>;
  if (body.success !== false || body.message === NO_TOKEN) return answer;
  const message = errorTexts === 'none' ? null : `Error ${answer.status}`;
  return jsonAnswer(answer.status, { ...body, message }, answer.headers);
}

export function jsonAnswer(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  const type = { 'content-type': 'application/json; charset=utf-8' };
  return { status, headers: { ...type, ...headers }, body: [Buffer.from(JSON.stringify(value))] };
}

export function htmlAnswer(status: number, title: string): Answer {
  const body = `<html><head><title>${title}</title></head><body><center><h1>${title}</h1></center></body></html>\n`;
  return { status, headers: { 'content-type': 'text/html' }, body: [Buffer.from(body)] };
}

/** The exports' success envelope. */
export function envelopeOf(body: unknown, { message }: Pick<Unknowns, 'message'>): object {
  return { code: 200, message: message === 'null' ? null : message, body, errors: [] };
}

/** The exports' error body, which is not their success envelope. */
export function errorAnswer(status: number, message: string, headers: Readonly<Record<string, string>> = {}): Answer {
  const requestId = `req_${randomBytes(6).toString('hex')}`;
  return jsonAnswer(status, { success: false, message, requestId }, headers);
}

import { randomBytes } from 'node:crypto';

/** What is sent back, before any fault is done to it. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: readonly Buffer[];
}

export function jsonAnswer(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  const type = { 'content-type': 'application/json; charset=utf-8' };
  return { status, headers: { ...type, ...headers }, body: [Buffer.from(JSON.stringify(value))] };
}

export function htmlAnswer(status: number, title: string): Answer {
  const body = `<html><head><title>${title}</title></head><body><center><h1>${title}</h1></center></body></html>\n`;
  return { status, headers: { 'content-type': 'text/html' }, body: [Buffer.from(body)] };
}

/** The exports' error body, which is not their success envelope. */
export function errorAnswer(status: number, message: string, headers: Readonly<Record<string, string>> = {}): Answer {
  const requestId = `req_${randomBytes(6).toString('hex')}`;
  return jsonAnswer(status, { success: false, message, requestId }, headers);
}

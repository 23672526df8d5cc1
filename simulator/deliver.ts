import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type Answer, errorAnswer, htmlAnswer, jsonAnswer } from './answer.ts';
import type { Clock } from './clock.ts';
import type { FaultName } from './faults.ts';

const HUGE = 66 * 1024 * 1024;

/** The answer that a fault gives instead of the real one; null where the real one is made, whatever becomes of it. */
export function insteadOf(fault: FaultName | null, version: 'v1' | 'v3', clock: Clock): Answer | null {
  switch (fault) {
    case 'reset-before-headers':
      // Nothing is done and nothing is sent; what does something first is `lost-answer`.
      return { status: 0, headers: {}, body: [] };
    case 'html-200':
      return htmlAnswer(200, 'Just a moment...');
    case 'empty-200':
      return { status: 200, headers: { 'content-type': 'application/json' }, body: [] };
    case '429-seconds':
      return errorAnswer(429, 'Too many requests', { 'retry-after': '1' });
    case '429-date':
      return errorAnswer(429, 'Too many requests', { 'retry-after': new Date(clock.ms() + 2000).toUTCString() });
    case '429-bare':
      return errorAnswer(429, 'Too many requests');
    case '500':
      return version === 'v1'
        ? jsonAnswer(500, { error: 'Something went wrong. Please try again later.' })
        : errorAnswer(500, 'Internal server error');
    case '502':
      return htmlAnswer(502, '502 Bad Gateway');
    case '503':
      return errorAnswer(503, 'Service unavailable');
    case '504':
      return errorAnswer(504, 'Gateway timeout');
    case '504-html':
      return htmlAnswer(504, '504 Gateway Time-out');
    case '400-nameless':
      return jsonAnswer(400, { code: 400, message: 'Invalid payload', errors: [] });
    default:
      return null;
  }
}

export interface DeliverOptions {
  readonly clock: Clock;
  readonly compress: boolean;
  readonly dripMs: number;
}

/** Sends an answer, as whole as the fault lets it be. Ends when it is sent or the client is gone. */
export async function deliver(
  response: ServerResponse,
  answer: Answer,
  fault: FaultName | null,
  { clock, compress, dripMs }: DeliverOptions,
): Promise<void> {
  // The Date header tells the API's clock, not the machine's.
  const headers = { ...answer.headers, date: new Date(clock.ms()).toUTCString() };
  const length = answer.body.reduce((sum, part) => sum + part.length, 0);
  const begin = (contentLength: number) =>
    response.writeHead(answer.status, { ...headers, 'content-length': contentLength });
  switch (fault) {
    case 'reset-before-headers':
    case 'lost-answer':
      response.socket?.resetAndDestroy();
      return;
    case 'reset-mid-body':
    case 'short-body':
      begin(length);
      await written(response, half(answer));
      if (fault === 'short-body') response.socket?.end();
      else response.socket?.resetAndDestroy();
      return;
    case 'truncated-json':
      begin(half(answer).length);
      response.end(half(answer));
      return;
    case 'silence':
      begin(length);
      response.flushHeaders();
      await gone(response);
      return;
    case 'slow-drip':
      begin(length);
      await drip(response, Buffer.concat(answer.body), dripMs);
      return;
    case 'huge-body':
      await sendHuge(response, answer, headers);
      return;
  }
  if (compress) {
    const body = await promisify(gzip)(Buffer.concat(answer.body), { level: 1 });
    response.writeHead(answer.status, { ...headers, 'content-encoding': 'gzip', 'content-length': body.length });
    response.end(body);
    return;
  }
  begin(length);
  response.cork();
  for (const part of answer.body) response.write(part);
  response.end();
}

function half({ body }: Answer): Buffer {
  const bytes = Buffer.concat(body);
  return bytes.subarray(0, bytes.length >> 1);
}

const written = (response: ServerResponse, bytes: Buffer) =>
  new Promise<void>((resolve) => {
    response.once('close', () => resolve());
    response.write(bytes, () => resolve());
  });

const gone = (response: ServerResponse) => new Promise<void>((resolve) => response.once('close', () => resolve()));

async function drip(response: ServerResponse, bytes: Buffer, dripMs: number): Promise<void> {
  const closed = gone(response);
  let isOpen = true;
  void closed.then(() => {
    isOpen = false;
  });
  for (let at = 0; at < bytes.length && isOpen; at++) {
    response.write(bytes.subarray(at, at + 1));
    await Promise.race([sleep(dripMs, undefined, { ref: false }), closed]);
  }
  if (isOpen) response.end();
}

/** Blanks before the last bracket are JSON too: the body is as large as a page of very large records. */
async function sendHuge(response: ServerResponse, answer: Answer, headers: Record<string, string>): Promise<void> {
  const bytes = Buffer.concat(answer.body);
  const blanks = Buffer.alloc(1024 * 1024, 0x20);
  response.writeHead(answer.status, { ...headers, 'content-length': bytes.length + HUGE });
  const parts = [bytes.subarray(0, -1), ...Array<Buffer>(HUGE / blanks.length).fill(blanks), bytes.subarray(-1)];
  await pipeline(Readable.from(parts), response).catch(() => {});
}

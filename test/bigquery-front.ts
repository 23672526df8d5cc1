import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';

/**
 * A server in front of a BigQuery emulator that answers what BigQuery would where the emulator does not: it takes gzip, after
 * looking at every byte of it, and fails in BigQuery's ways when a test asks for that.
 */
export interface Front {
  readonly endpoint: string;
  /** Every job that was sent, as it was sent. */
  readonly jobs: SentJob[];
  /** The next requests that match are answered by these, one each. */
  fail(...faults: Fault[]): void;
  /** Faults that no request has met yet. */
  readonly left: number;
  close(): Promise<void>;
}

export interface SentJob {
  readonly id: string;
  readonly configuration: {
    readonly load?: { readonly destinationTable: { readonly tableId: string }; readonly writeDisposition: string };
    readonly query?: { readonly query: string; readonly maximumBytesBilled?: string };
    readonly labels?: Record<string, string>;
    readonly dryRun?: boolean;
  };
  /** The rows of a load. */
  readonly lines: readonly string[];
}

export interface Fault {
  /** `load` is an upload, `query` the insert of a query's job, `job` a look at a job, `any` is any request. */
  readonly at: 'load' | 'query' | 'job' | 'any';
  /** Only jobs whose statement matches. */
  readonly sql?: RegExp;
  /**
   * - `refused`: answered with `status` and `reason`, and not passed on.
   * - `accepted`: passed on, and then answered with `status` all the same.
   * - `failed`: accepted as a job that is DONE with an error result of that reason.
   * - `dropped`: the connection ends in the middle of what is sent.
   * - `unanswered`: passed on, and the connection ends instead of an answer.
   */
  readonly how: 'refused' | 'accepted' | 'failed' | 'dropped' | 'unanswered';
  readonly status?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly retryAfter?: string;
}

/** @param upstream the emulator's address. */
export async function startFront(upstream: string): Promise<Front> {
  const jobs: SentJob[] = [];
  const faults: Fault[] = [];
  const failed = new Map<string, Fault>();

  function take(at: Fault['at'], sql = ''): Fault | null {
    const index = faults.findIndex(
      (fault) => (fault.at === at || fault.at === 'any') && (fault.sql?.test(sql) ?? true),
    );
    return index === -1 ? null : faults.splice(index, 1)[0]!;
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url!, 'http://front');
    const isInsert = request.method === 'POST' && pathname.endsWith('/jobs');
    const isUpload = pathname.startsWith('/upload/');
    if (isUpload && faults.some(({ at, how }) => at === 'load' && how === 'dropped')) {
      take('load');
      request.once('data', () => request.socket.destroy());
      return;
    }
    const sent = await buffer(request);
    const job = isInsert ? readJob(request, sent, isUpload) : null;
    if (job) jobs.push(job);
    const id = job?.id ?? decodeURIComponent(pathname.split('/').at(-1)!);
    const at = isUpload ? 'load' : isInsert ? 'query' : pathname.includes('/jobs/') ? 'job' : 'any';
    const fault = take(at, job?.configuration.query?.query);

    if (fault?.how === 'dropped') return void request.socket.destroy();
    if (fault?.how === 'refused') return refuse(response, fault);
    if (fault?.how === 'failed') {
      failed.set(id, fault);
      return answer(response, 200, failedJob(id, job, fault));
    }
    if (failed.has(id)) {
      const known = failed.get(id)!;
      if (isInsert) return refuse(response, { ...known, status: 409, reason: 'duplicate' });
      return answer(response, 200, failedJob(id, null, known));
    }
    const passed = await pass(request, isUpload ? plainUpload(request, sent) : sent);
    if (fault?.how === 'unanswered') return void request.socket.destroy();
    if (fault?.how === 'accepted') return refuse(response, fault);
    response.writeHead(passed.status, passed.headers).end(asBigquery(passed.body));
  }

  async function pass(request: IncomingMessage, body: Buffer) {
    const {
      host: _host,
      connection: _connection,
      'transfer-encoding': _encoding,
      'content-length': _length,
      ...headers
    } = request.headers;
    const answered = await fetch(upstream + request.url, {
      method: request.method!,
      headers: headers as Record<string, string>,
      ...(request.method === 'GET' ? {} : { body: new Uint8Array(body) }),
    });
    const type = answered.headers.get('content-type') ?? 'application/json';
    return {
      status: answered.status,
      headers: { 'content-type': type },
      body: Buffer.from(await answered.arrayBuffer()),
    };
  }

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      response.writeHead(599, { 'content-type': 'text/plain' }).end(String(error));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    endpoint: `http://127.0.0.1:${port}`,
    jobs,
    fail: (...added) => void faults.push(...added),
    get left() {
      return faults.length;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function readJob(request: IncomingMessage, sent: Buffer, isUpload: boolean): SentJob {
  const { json, media } = isUpload ? parts(request, sent) : { json: sent.toString(), media: null };
  const { jobReference, configuration } = JSON.parse(json);
  const text = media === null ? '' : gunzipSync(oneMember(media)).toString();
  return { id: jobReference.jobId ?? '', configuration, lines: text.split('\n').slice(0, -1) };
}

/** The two parts of an upload: the job, and the media. */
function parts(request: IncomingMessage, sent: Buffer): { json: string; media: Buffer; boundary: string } {
  const boundary = /boundary=(.+)$/.exec(request.headers['content-type']!)![1]!;
  const mark = Buffer.from(`--${boundary}`);
  const ends = [0, 1, 2].reduce<number[]>((found) => [...found, sent.indexOf(mark, (found.at(-1) ?? -1) + 1)], []);
  const part = (at: number) => {
    const start = sent.indexOf('\r\n\r\n', ends[at]!) + 4;
    return sent.subarray(start, ends[at + 1]! - 2);
  };
  return { json: part(0).toString(), media: part(1), boundary };
}

function plainUpload(request: IncomingMessage, sent: Buffer): Buffer {
  const { json, media, boundary } = parts(request, sent);
  return Buffer.concat([
    Buffer.from(`--${boundary}\r\nContent-Type: application/json\r\n\r\n${json}\r\n`),
    Buffer.from(`--${boundary}\r\nContent-Type: application/octet-stream\r\n\r\n`),
    gunzipSync(oneMember(media)),
    Buffer.from(`\r\n--${boundary}--`),
  ]);
}

/** The emulator has words of its own for transactions that cancel each other. */
function asBigquery(body: Buffer): Buffer | string {
  if (!body.includes(CANCELLED)) return body;
  return body.toString().replaceAll(CANCELLED, 'Transaction is aborted due to concurrent update against table test.');
}

const CANCELLED = 'Failed to commit: Failed to commit DuckLake transaction.';

/** BigQuery may stop at the end of the first member: there must not be a second. */
function oneMember(media: Buffer): Buffer {
  const size = media.readUInt32LE(media.length - 4);
  if (gunzipSync(media).length !== size) throw new Error('the upload is not one gzip member');
  return media;
}

function refuse(
  response: ServerResponse,
  { status = 503, reason = 'backendError', message = 'injected', retryAfter }: Fault,
): void {
  const headers: Record<string, string> = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
  answer(
    response,
    status,
    { error: { code: status, message, errors: [{ reason, message, domain: 'global' }] } },
    headers,
  );
}

function failedJob(id: string, job: SentJob | null, { reason = 'backendError', message = 'injected' }: Fault): object {
  const error = { reason, message };
  return {
    jobReference: { projectId: 'test-project', jobId: id, location: 'US' },
    configuration: job?.configuration ?? {},
    status: { state: 'DONE', errorResult: error, errors: [error] },
    statistics: {},
  };
}

function answer(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

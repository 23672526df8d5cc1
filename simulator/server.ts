import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, errorAnswer } from './answer.ts';
import type { Clock } from './clock.ts';
import { deliver, insteadOf } from './deliver.ts';
import type { Faults } from './fault-turns.ts';
import type { FaultName } from './faults.ts';
import { type Dice, roll } from './random.ts';
import { type ApiRequest, readRequest } from './request.ts';
import type { createRequestLog } from './requests.ts';

export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
  readonly faults: Faults;
  readonly catalogPath: string;
  readonly latencyMs: readonly [number, number];
  readonly dice: Dice;
  readonly log: ReturnType<typeof createRequestLog>;
  /** Called before a page is made, so that a test can hold it or change records first. */
  readonly beforePage: (request: ApiRequest) => unknown;
  /** Called with every request that a fault befalls before it is answered. */
  readonly beforeFault: (fault: FaultName) => void;
  readonly respond: (request: ApiRequest, fault: FaultName | null) => { answer: Answer; rows: number };
}

export interface RunningServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** The HTTP edge: reads a request, lets a fault or the API answer it, waits as long as it should take, sends and counts it. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const server = createServer({ keepAliveTimeout: 60_000 }, (incoming, response) => {
    // Resets are part of the game: a client that leaves must not end the process.
    incoming.on('error', () => {});
    response.on('error', () => {});
    handle(incoming, response, options).catch(() => response.destroy());
  });
  server.listen(options.port, options.host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `http://${options.host}:${port}`, stop: () => stop(server) };
}

async function stop(server: Server): Promise<void> {
  if (!server.listening) return;
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
}

async function handle(incoming: IncomingMessage, response: ServerResponse, options: ServerOptions): Promise<void> {
  const { clock, faults } = options;
  const at = clock.text();
  const request = readRequest(
    {
      method: incoming.method ?? 'GET',
      url: incoming.url ?? '/',
      headers: incoming.headers,
      body: Buffer.concat(await incoming.toArray()),
    },
    options.catalogPath,
  );
  if (request.route === 'page') await options.beforePage(request);
  const fault = faults.draw(request);
  if (fault !== null) options.beforeFault(fault);
  const instead = insteadOf(fault, request.version, clock);
  const { answer, rows } = instead ? { answer: instead, rows: 0 } : answered(request, fault, options);
  const [least, most] = options.latencyMs;
  if (most > 0) await sleep(least + roll(options.dice) * (most - least), undefined, { ref: false });
  options.log.add(request, { status: answer.status, rows, fault, at });
  const compress = request.acceptsGzip && faults.holds('gzip') !== null;
  await deliver(response, answer, fault, { clock, compress, dripMs: faults.dripMs });
}

function answered(
  request: ApiRequest,
  fault: FaultName | null,
  { respond }: ServerOptions,
): { answer: Answer; rows: number } {
  try {
    return respond(request, fault);
  } catch (error) {
    // A mistake of the simulator's own is told as such, so that no test takes it for the API's behaviour.
    return { answer: errorAnswer(500, `Simulator error: ${(error as Error).stack}`), rows: 0 };
  }
}

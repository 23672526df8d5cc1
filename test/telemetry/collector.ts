import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

/** A collector that takes OTLP over HTTP and keeps what it was sent. */
export interface Collector {
  readonly url: string;
  /** Everything as it came, to look for what must not be in it. */
  readonly bodies: readonly Buffer[];
  /** The paths that were asked for. */
  readonly paths: readonly string[];
  spans(): ReceivedSpan[];
  /** Each point of the last metrics that came. */
  points(): ReceivedPoint[];
  resource(): Attributes;
  stop(): Promise<void>;
}

export type Attributes = Readonly<Record<string, unknown>>;

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the root. */
  readonly parentId: string;
  readonly name: string;
  readonly kind: number;
  readonly attributes: Attributes;
  readonly events: readonly { readonly name: string; readonly attributes: Attributes }[];
  readonly status: { readonly code?: number; readonly message?: string };
  readonly start: bigint;
  readonly end: bigint;
}

export interface ReceivedPoint {
  readonly metric: string;
  readonly unit: string;
  readonly attributes: Attributes;
  /** The sum or the gauge; of a histogram how many values it has. */
  readonly value: number;
}

const schema = protobuf.loadSync(fileURLToPath(new URL('otlp.proto', import.meta.url)));

// biome-ignore lint/suspicious/noExplicitAny: decoded by a schema that is read at run time
type Decoded = any;

function decoded(type: string, body: Buffer): Decoded {
  const message = schema.lookupType(type);
  return message.toObject(message.decode(body), { longs: String, arrays: true });
}

/** Starts a collector; `answer` may take the place of its own, to be slow or to refuse. */
export async function startCollector(answer?: RequestListener, host = '127.0.0.1'): Promise<Collector> {
  const bodies: Buffer[] = [];
  const paths: string[] = [];
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    bodies.push(body);
    paths.push(request.url ?? '');
    if (answer === undefined) response.setHeader('content-type', 'application/x-protobuf').end();
    else answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const sent = (type: string, path: string): Decoded[] =>
    bodies.filter((_, at) => paths[at] === path).map((body) => decoded(type, body));
  const traces = () => sent('TracesRequest', '/v1/traces').flatMap(({ resourceSpans }) => resourceSpans);
  const metrics = () => sent('MetricsRequest', '/v1/metrics').at(-1)?.resourceMetrics ?? [];

  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    bodies,
    paths,
    spans: () => traces().flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }: Decoded) => spans.map(spanOf))),
    points: () =>
      metrics().flatMap(({ scopeMetrics }: Decoded) =>
        scopeMetrics.flatMap((scope: Decoded) => scope.metrics.flatMap(pointsOf)),
      ),
    resource: () => attributesOf([...traces(), ...metrics()][0].resource.attributes),
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function spanOf(span: Decoded): ReceivedSpan {
  return {
    traceId: hex(span.traceId),
    spanId: hex(span.spanId),
    parentId: hex(span.parentSpanId),
    name: span.name,
    kind: span.kind,
    attributes: attributesOf(span.attributes),
    events: span.events.map((event: Decoded) => ({ name: event.name, attributes: attributesOf(event.attributes) })),
    status: span.status ?? {},
    start: BigInt(span.startTimeUnixNano),
    end: BigInt(span.endTimeUnixNano),
  };
}

function pointsOf({ name, unit, gauge, sum, histogram }: Decoded): ReceivedPoint[] {
  return (gauge ?? sum ?? histogram).dataPoints.map((point: Decoded) => ({
    metric: name,
    unit,
    attributes: attributesOf(point.attributes),
    value: Number(point.count ?? point.asInt ?? point.asDouble),
  }));
}

function attributesOf(list: readonly Decoded[]): Attributes {
  return Object.fromEntries(
    list.map(({ key, value }) => {
      const { intValue, stringValue, doubleValue, boolValue } = value;
      return [key, intValue === undefined ? (stringValue ?? doubleValue ?? boolValue) : Number(intValue)];
    }),
  );
}

const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('hex');

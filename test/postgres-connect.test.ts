import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { isPassing, postgresFailure } from '../destinations/postgres/errors.ts';
import { openSession } from '../destinations/postgres/session.ts';

/** What a server, or a balancer before it, does to a new connection while it fails over. */

async function serving(meet: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    meet(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

test.each<[string, (socket: Socket) => void]>([
  ['is met with silence', () => {}],
  ['is closed at once', (socket) => socket.end()],
  ['is reset at once', (socket) => socket.resetAndDestroy()],
])('a connection that %s may come about later', async (_, meet) => {
  const port = await serving(meet);
  const address = { host: '127.0.0.1', port, user: 'a', password: 'b', database: 'c', connectionTimeoutMillis: 300 };
  const error = await openSession(address, 'test').then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(isPassing(error)).toBe(true);
  expect(postgresFailure(error, 'Postgres x')).toMatchObject({
    kind: 'transient_error',
    message: expect.stringMatching(/^Postgres x: (no answer in time|cannot be reached).*try (again )?later/),
  });
});

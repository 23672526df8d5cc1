import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A way to a server that can be cut at a chosen statement. */
export interface CuttableWay {
  /** Where it listens, wherever the server is. */
  readonly host: string;
  readonly port: number;
  /**
   * The next COMMIT is the last that its connection carries: it `reaches` the server, whose answer nobody hears, or it is `lost`
   * before.
   */
  cutAtCommit(how: 'reaches' | 'lost'): void;
  /** The next COMMIT of a session that has sent this text in the same transaction reaches the server, whose answer is kept back. */
  keepAnswer(text: string): void;
  /** How many connections were cut, or kept from hearing the answer. */
  readonly cuts: number;
  close(): Promise<void>;
}

const HOST = '127.0.0.1';

/** What ends a transaction, in the simple query protocol. */
const COMMIT = Buffer.from('Q\0\0\0\x0bcommit\0', 'latin1');
const ROLLBACK = Buffer.from('Q\0\0\0\x0drollback\0', 'latin1');

export async function cuttableWay(host: string, port: number): Promise<CuttableWay> {
  let armed: 'reaches' | 'lost' | 'kept' | null = null;
  let after = '';
  let cuts = 0;
  const sockets = new Set<Socket>();

  const server = createServer((client) => {
    const upstream = connect(port, host);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
    }
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
    let cut: 'reaches' | 'kept' | null = null;
    let hasSent = false;
    let isAnswered = false;
    upstream.on('data', (data) => {
      if (cut === null) return void client.write(data);
      // What the server says now is its answer to the COMMIT.
      if (!isAnswered) cuts++;
      isAnswered = true;
      if (cut === 'reaches') client.destroy();
    });
    client.on('data', (data) => {
      hasSent ||= data.includes(after);
      const isCommit = data.includes(COMMIT);
      const isDue = isCommit && armed !== null && hasSent;
      if (isCommit || data.includes(ROLLBACK)) hasSent = false;
      if (!isDue) return void upstream.write(data);
      const how = armed;
      armed = null;
      if (how === 'lost') {
        cuts++;
        client.destroy();
        return;
      }
      cut = how;
      upstream.write(data);
    });
  });
  server.listen(0, HOST);
  await once(server, 'listening');

  return {
    host: HOST,
    port: (server.address() as { port: number }).port,
    cutAtCommit(how) {
      armed = how;
      after = '';
    },
    keepAnswer(text) {
      armed = 'kept';
      after = text;
    },
    get cuts() {
      return cuts;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
  };
}

import dns from 'node:dns';
import { createServer } from 'node:http';
import { type AddressInfo, connect as connectSocket } from 'node:net';
import tls from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { networkFailure } from '../connector/api/trouble.ts';
import { PageFailure } from '../connector/source.ts';
import { Failure } from '../destinations/failure.ts';
import { CA, CERT, EXPIRED_CERT, KEY } from './api-certificates.ts';
import { connect, D03, failureOf, PAGE, QUICK, serveApi } from './api-server.ts';

const signal = new AbortController().signal;

beforeEach(() => {
  for (const name of ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY', 'no_proxy', 'NO_PROXY']) {
    vi.stubEnv(name, undefined);
  }
  return () => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  };
});

/** Lets each name lead to these addresses, or fail with this code. */
function resolveNames(found: string[] | string): void {
  const lookup = (name: string, _: unknown, done: (...answer: unknown[]) => void) => {
    if (Array.isArray(found)) {
      const addresses = found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
      process.nextTick(done, null, addresses);
    } else {
      const error = Object.assign(new Error(`getaddrinfo ${found} ${name}`), { code: found, hostname: name });
      process.nextTick(done, error);
    }
  };
  vi.spyOn(dns, 'lookup').mockImplementation(lookup as unknown as typeof dns.lookup);
}

describe('fault 22: a name', () => {
  it('that is not known is for the user, and named', async () => {
    resolveNames('ENOTFOUND');
    const failure = await failureOf(connect({ url: 'https://api.test' }), Failure);
    expect(failure.kind).toBe('config_error');
    expect(failure.message).toMatch(/the name api\.test is not known .*base_url/);
  });

  it('that no name server answers for is for nobody to mend', async () => {
    resolveNames('EAI_AGAIN');
    const failure = await failureOf(connect({ url: 'https://api.test' }), Failure);
    expect(failure.kind).toBe('transient_error');
    expect(failure.message).toContain('the name api.test could not be resolved');
  });

  it('with an IPv6 address that leads nowhere is reached over IPv4', async () => {
    const { port } = await serveApi({});
    resolveNames(['::1', '127.0.0.1']);
    await expect(connect({ url: `http://api.test:${port}` }, { allowInsecureHttp: true })).resolves.toBeDefined();
  });

  it('none of whose addresses can be reached is told as what it is', () => {
    const unreachable = (address: string) =>
      Object.assign(new Error(`connect ENETUNREACH ${address}`), { code: 'ENETUNREACH', address, port: 443 });
    const failure = networkFailure(
      new AggregateError([unreachable('2001:db8::1'), unreachable('192.0.2.1')]),
      'api.test',
    );
    expect(failure.kind).toBe('transient_error');
    expect(failure.message).toContain('no route to api.test (2001:db8::1:443)');
  });
});

describe('fault 22: a connection', () => {
  it('that is refused is transient, and names where', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => closed.once('listening', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const failure = await failureOf(connect({ url: `http://127.0.0.1:${port}` }), Failure);
    expect(failure.kind).toBe('transient_error');
    expect(failure.message).toBe(
      `could not log in: nothing accepts connections at 127.0.0.1:${port} (ECONNREFUSED): check base_url, and that the API runs there`,
    );
  });

  it('over TLS to a server without TLS is for the user', async () => {
    const { port } = await serveApi({});
    const failure = await failureOf(connect({ url: `https://127.0.0.1:${port}` }), Failure);
    expect(failure.kind).toBe('config_error');
    expect(failure.message).toContain('does not speak TLS as it should');
  });
});

describe('fault 22: a certificate', () => {
  const trusted = tls.getCACertificates('default');
  beforeAll(() => tls.setDefaultCACertificates([...trusted, CA]));
  afterAll(() => tls.setDefaultCACertificates(trusted));
  const refusal = async (cert: string, host: string) => {
    const { port, calls } = await serveApi({}, { key: KEY, cert });
    resolveNames(['127.0.0.1']);
    const failure = await failureOf(connect({ url: `https://${host}:${port}` }), Failure);
    expect(failure.kind).toBe('config_error');
    expect(calls).toEqual([]);
    return failure.message;
  };

  it('that is good is', async () => {
    const { port } = await serveApi({}, { key: KEY, cert: CERT });
    resolveNames(['127.0.0.1']);
    const api = await connect({ url: `https://api.test:${port}` });
    await expect(api.fetchPage(D03, PAGE, signal)).resolves.toBeDefined();
  });

  it('of an authority nobody knows leads to NODE_EXTRA_CA_CERTS', async () => {
    tls.setDefaultCACertificates(trusted);
    onTestFinished(() => tls.setDefaultCACertificates([...trusted, CA]));
    expect(await refusal(CERT, 'api.test')).toMatch(/does not trust.*NODE_EXTRA_CA_CERTS/);
  });

  it('that has expired may also be our clock', async () => {
    expect(await refusal(EXPIRED_CERT, 'api.test')).toMatch(/has expired\. Check this machine's clock/);
  });

  it('for another name leads to base_url', async () => {
    expect(await refusal(CERT, 'other.test')).toMatch(
      /certificate of other\.test.* is for another name\. Check base_url/,
    );
  });
});

describe('fault 22: a proxy', () => {
  const trusted = tls.getCACertificates('default');
  beforeAll(() => tls.setDefaultCACertificates([...trusted, CA]));
  afterAll(() => tls.setDefaultCACertificates(trusted));

  /** A proxy that answers CONNECT with this status, and with 200 connects to this port, whatever the name. */
  async function proxy(status: number, port = 0): Promise<{ url: string; asked: string[] }> {
    const asked: string[] = [];
    const server = createServer();
    server.on('connect', (request, socket) => {
      asked.push(`${request.url} ${request.headers['proxy-authorization'] ?? ''}`.trim());
      socket.on('error', () => {});
      socket.write(`HTTP/1.1 ${status} said\r\n\r\n`);
      if (status !== 200) return socket.end();
      const onward = connectSocket(port, '127.0.0.1');
      onward.on('error', () => socket.destroy());
      socket.on('close', () => onward.destroy());
      socket.pipe(onward).pipe(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
  }

  it('in HTTPS_PROXY is gone through, with its login', async () => {
    const { port } = await serveApi({}, { key: KEY, cert: CERT });
    const { url, asked } = await proxy(200, port);
    vi.stubEnv('HTTPS_PROXY', url.replace('//', '//user:pass@'));
    const api = await connect({ url: 'https://api.test' });
    await expect(api.fetchPage(D03, PAGE, signal)).resolves.toBeDefined();
    expect(new Set(asked)).toEqual(new Set([`api.test:443 Basic ${Buffer.from('user:pass').toString('base64')}`]));
  });

  it('is left out for what NO_PROXY names, and for this machine', async () => {
    const { asked, url } = await proxy(502);
    vi.stubEnv('HTTPS_PROXY', url);
    vi.stubEnv('HTTP_PROXY', url);
    vi.stubEnv('NO_PROXY', '.test');
    const secure = await serveApi({}, { key: KEY, cert: CERT });
    await connect(await serveApi({}));
    resolveNames(['127.0.0.1']);
    await connect({ url: `https://api.test:${secure.port}` });
    expect(asked).toEqual([]);
  });

  it.each([
    [407, 'config_error', /asks for a login \(407\).*HTTPS_PROXY/],
    [403, 'config_error', /refuses the connection \(403\).*NO_PROXY/],
    [502, 'transient_error', /could not make the connection \(502\)/],
  ])('that answers %i is told as a %s of the proxy', async (status, kind, words) => {
    vi.stubEnv('HTTPS_PROXY', (await proxy(status)).url);
    const failure = await failureOf(connect({ url: 'https://api.test' }, { limits: QUICK }), Failure);
    expect(failure.kind).toBe(kind);
    expect(failure.message).toMatch(words);
  });

  it('that is down is not taken for the API', async () => {
    vi.stubEnv('HTTPS_PROXY', 'http://127.0.0.1:1');
    const failure = await failureOf(connect({ url: 'https://api.test' }, { limits: QUICK }), Failure);
    expect(failure.kind).toBe('transient_error');
    expect(failure.message).toMatch(/127\.0\.0\.1:1\) \(ECONNREFUSED\).*\[HTTPS_PROXY is set\]/);
  });

  it('whose address is none is refused without showing its password', async () => {
    vi.stubEnv('HTTPS_PROXY', 'user:s3cret@proxy');
    const failure = await failureOf(connect({ url: 'https://api.test' }), Failure);
    expect(failure.kind).toBe('config_error');
    expect(failure.message).toContain('HTTPS_PROXY');
    expect(JSON.stringify([failure.message, failure.cause])).not.toContain('s3cret');
  });
});

describe('the address', () => {
  it.each([
    ['no address', 'acme', /not an http or https address/],
    ['another scheme', 'ftp://api.test', /not an http or https address/],
    ['a path', 'https://api.test/admin/v3', /use https:\/\/api\.test$/],
    ['a login', 'https://user:s3cret@api.test', /^(?!.*s3cret).*user name or password/],
    ['plain http elsewhere', 'http://api.test', /plain http.*allow_insecure_http/],
  ])('is refused when it is %s', async (_, url, words) => {
    const failure = await failureOf(connect({ url }), Failure);
    expect(failure.kind).toBe('config_error');
    expect(failure.message).toMatch(words);
    expect(failure).not.toBeInstanceOf(PageFailure);
  });
});

import { errors } from 'undici';
import { configError, type Failure, systemError } from '../../destinations/failure.ts';
import { PageFailure } from '../source.ts';
import { isLoopback } from './addresses.ts';

/**
 * What kept an answer from arriving, told as what it is. Transient, except where only the user can help; where even that may pass
 * by itself (a name that is not known), it is asked again first.
 *
 * @param error as undici gave it.
 * @param host the API's host and port.
 */
export function networkFailure(error: unknown, host: string): Failure {
  const found = causes(error).find(({ code, message }) => code !== undefined || PROXY_ANSWER.test(message));
  const code = found?.code ?? '';
  const say = (text: string) => `${text}${proxyHint(host)}`;
  const interrupted = (text: string, more: { kind?: 'config_error'; advises?: boolean } = {}) =>
    new PageFailure('interrupted', say(text), { cause: error, ...more });

  if (error instanceof errors.HTTPParserError) {
    // It carries what it could not parse, a piece of a body: never to be shown.
    return new PageFailure('interrupted', say(`what ${host} answered does not keep to HTTP`));
  }
  const proxyStatus = PROXY_ANSWER.exec(found?.message ?? '')
    ?.slice(1)
    .find(Boolean);
  if (proxyStatus !== undefined) return proxyFailure(Number(proxyStatus), interrupted, error);
  if (Object.hasOwn(CERTIFICATE_TROUBLE, code)) {
    return configError(say(`the certificate of ${nameOf(found, host)} ${CERTIFICATE_TROUBLE[code]} (${code})`), error);
  }
  if (NO_COMMON_TLS.test(code)) {
    return interrupted(`${host} does not speak TLS as it should (${code}): is base_url right in saying https?`, {
      kind: 'config_error',
    });
  }
  switch (code) {
    case 'ENOTFOUND':
      return interrupted(
        `the name ${nameOf(found, host)} is not known (ENOTFOUND): check base_url and this machine's name resolution`,
        { kind: 'config_error', advises: true },
      );
    case 'EAI_AGAIN':
      return interrupted(`the name ${nameOf(found, host)} could not be resolved: no name server answered (EAI_AGAIN)`);
    case 'ECONNREFUSED':
      return interrupted(
        `nothing accepts connections at ${addressOf(found, host)} (ECONNREFUSED): check base_url, and that the API runs there`,
        { advises: true },
      );
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
    case 'ENETDOWN':
    case 'EADDRNOTAVAIL':
      return interrupted(`this machine has no route to ${addressOf(found, host)} (${code}): check its network`, {
        advises: true,
      });
    case 'ETIMEDOUT':
    case 'UND_ERR_CONNECT_TIMEOUT':
      return interrupted(`no connection to ${host} came about in time: is a firewall in between?`);
    case 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH':
      return interrupted('the answer is shorter than it said it would be');
    case 'UND_ERR_INVALID_ARG':
      return systemError(
        `a request to ${host} cannot be made: ${found?.message}. Check base_url, and report it if that is right`,
        error,
      );
    default:
      return interrupted(`the connection to ${host} broke off${code === '' ? '' : ` (${code})`}`);
  }
}

export function tooLarge(maxBytes: number): PageFailure {
  return new PageFailure('too_large', `the answer is larger than ${maxBytes / 1024 / 1024} MB and was given up`);
}

const UNTRUSTED =
  'is signed by an authority that this machine does not trust. Where a company proxy signs anew, set NODE_EXTRA_CA_CERTS to the ' +
  'file with its CA certificate';
const CLOCK = "Check this machine's clock; if it is right, tell ClearGrid";

/** Node's codes for certificates, https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const CERTIFICATE_TROUBLE: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  CERT_UNTRUSTED: UNTRUSTED,
  CERT_HAS_EXPIRED: `has expired. ${CLOCK}`,
  CERT_NOT_YET_VALID: `is not valid yet. ${CLOCK}`,
  CERT_REVOKED: 'was revoked. Tell ClearGrid',
  CERT_SIGNATURE_FAILURE:
    'has a wrong signature. Something between here and ClearGrid may be tampering with the connection',
  ERR_TLS_CERT_ALTNAME_INVALID: 'is for another name. Check base_url',
  HOSTNAME_MISMATCH: 'is for another name. Check base_url',
};

/** Of OpenSSL's many codes, those of two sides that do not speak the same protocol; the others are a connection that broke. */
const NO_COMMON_TLS =
  /^ERR_SSL_.*(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|PROTOCOL|PROTOCOL_VERSION|HANDSHAKE_FAILURE)$/;

interface Cause {
  readonly code?: string;
  readonly message: string;
  readonly hostname?: string;
  readonly host?: string;
  readonly address?: string;
  readonly port?: number;
}

/** An error, what it wraps and what it sums up, outermost last: the innermost knows best what happened. */
function causes(error: unknown): Cause[] {
  if (!(error instanceof Error)) return [];
  const inner = error instanceof AggregateError ? error.errors : [error.cause];
  return [...inner.flatMap(causes), error as Cause];
}

const nameOf = (cause: Cause | undefined, host: string) => cause?.hostname ?? cause?.host ?? host;

function addressOf(cause: Cause | undefined, host: string): string {
  if (cause?.address === undefined || cause.port === undefined) return host;
  const address = `${cause.address}:${cause.port}`;
  return address === host ? host : `${host} (${address})`;
}

/** How undici's ProxyAgent tells, in words only, what a proxy answered to CONNECT, or to a forwarded request. */
const PROXY_ANSWER = /^Proxy response \((\d+)\)|^Proxy Authentication Required \((407)\)/;

function proxyFailure(status: number, interrupted: (text: string) => PageFailure, error: unknown): Failure {
  if (status === 407) {
    return configError('the proxy asks for a login (407): put user and password into HTTPS_PROXY', error);
  }
  if (status < 500)
    return configError(`the proxy refuses the connection (${status}): ask who runs it, or set NO_PROXY`, error);
  return interrupted(`the proxy could not make the connection (${status})`);
}

/** Names the variable, never its value, which may hold a password. */
function proxyHint(host: string): string {
  if (isLoopback(new URL(`http://${host}`).hostname)) return '';
  const variable = ['https_proxy', 'HTTPS_PROXY', 'http_proxy', 'HTTP_PROXY'].find((name) => process.env[name]);
  return variable === undefined ? '' : ` [${variable} is set]`;
}

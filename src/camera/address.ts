import { CctvError } from "../errors.ts";
import type { CredentialFields, Credentials } from "./credentials.ts";
import { maskAddresses } from "./secrets.ts";

/** Where a camera is on the network, with its credentials kept apart from everything that is shown. */
export interface NetworkAddress {
  /** Lower case, without the colon. */
  readonly scheme: string;
  /** A name, an IPv4 address, or an IPv6 address in brackets. */
  readonly host: string;
  readonly port: number;
  /** From the first `/` or `?` on, percent-encoded; empty where there is none. */
  readonly path: string;
  readonly credentials?: Credentials;
}

const DRIVE_LETTER = /^[a-z]:[\\/]/i;
const SCHEME = /^([a-z][a-z0-9+.-]*):/i;
const NETWORK_ADDRESS = /^([a-z][a-z0-9+.-]*):\/\/(.+)$/isu;
const HOST_AND_PORT = /^(\[[0-9a-f:.]+\]|[\p{L}\p{N}._-]+)(?::(\d{1,5}))?(?=[/?#]|$)/iu;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL_CHARACTER = /[\u0000-\u001f\u007f]/;
const NOT_URL_CHARACTER = /[^\u0021-\u007e]/gu;

/** The scheme of an address in lower case; a plain path, with or without a drive letter, is a `file`. */
export function schemeOf(address: string): string {
  if (DRIVE_LETTER.test(address)) return "file";
  return SCHEME.exec(address)?.[1]?.toLowerCase() ?? "file";
}

/**
 * Reads `scheme://[user[:password]@]host[:port][/path]`.
 *
 * A password inside the address may be percent-encoded or, as people paste it, raw: where the text
 * up to the first `/`, `?` or `#` makes no host, the next `@` that a host follows ends the password.
 *
 * @throws CctvError ADDRESS_INVALID; its message repeats nothing that could be a password.
 */
export function parseNetworkAddress(text: string, defaultPort: number, fields: CredentialFields = {}): NetworkAddress {
  const address = text.trim();
  const [, typedScheme = "", rest = ""] = NETWORK_ADDRESS.exec(address) ?? [];
  const scheme = typedScheme.toLowerCase();
  if (!rest || CONTROL_CHARACTER.test(address)) {
    throw new CctvError(
      "ADDRESS_INVALID",
      `a camera address looks like ${schemeOf(address)}://192.168.1.64:${defaultPort}/stream, this one does not; check it for missing or stray characters`,
    );
  }
  const parts = splitUserInfo(rest);
  const [hostAndPort = "", host = "", port] = (parts && HOST_AND_PORT.exec(parts.location)) ?? [];
  const portNumber = port === undefined ? defaultPort : Number(port);
  if (!parts || portNumber < 1 || portNumber > 65535) {
    throw new CctvError(
      "ADDRESS_INVALID",
      `the ${scheme} address has no valid host and port; write it as ${scheme}://host:port/path and put user name and password into their own fields`,
    );
  }
  const credentials = mergeCredentials(parts.userInfo, fields);
  return {
    scheme,
    host: canonicalHost(host, scheme),
    port: portNumber,
    path: encodePath(parts.location.slice(hostAndPort.length)),
    ...(credentials && { credentials }),
  };
}

/** The whole URL with percent-encoded credentials: for the decoder's eyes only. */
export function toUrl(address: NetworkAddress): string {
  const { scheme, host, port, path, credentials } = address;
  const userInfo = credentials
    ? `${encodeURIComponent(credentials.username)}:${encodeURIComponent(credentials.password)}@`
    : "";
  return `${scheme}://${userInfo}${host}:${port}${path}`;
}

/** The address for people: without credentials, and with the passwords in its query masked. */
export function toDisplay({ scheme, host, port, path }: NetworkAddress): string {
  return maskAddresses(`${scheme}://${host}:${port}${path}`);
}

function splitUserInfo(rest: string): { userInfo: string; location: string } | undefined {
  const authorityEnd = rest.search(/[/?#]/);
  const authority = authorityEnd < 0 ? rest : rest.slice(0, authorityEnd);
  const strict = authority.lastIndexOf("@");
  const later = [...rest.matchAll(/@/g)].map((match) => match.index).filter((index) => index > strict);
  for (const at of [strict, ...later]) {
    const location = rest.slice(at + 1);
    if (HOST_AND_PORT.test(location)) return { userInfo: rest.slice(0, Math.max(at, 0)), location };
  }
  return undefined;
}

function mergeCredentials(userInfo: string, fields: CredentialFields): Credentials | undefined {
  const colon = userInfo.indexOf(":");
  const typedUser = colon < 0 ? userInfo : userInfo.slice(0, colon);
  const typedPassword = colon < 0 ? "" : userInfo.slice(colon + 1);
  const username = fields.username || decodeLeniently(typedUser);
  const password = fields.password || decodeLeniently(typedPassword);
  return username || password ? { username, password } : undefined;
}

/** Percent-decodes what somebody typed: a raw `%` that is no escape means that nothing was encoded. */
export function decodeLeniently(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Lower case, Punycode for other scripts, and one spelling for each IP address (`127.1` is 127.0.0.1). */
function canonicalHost(host: string, scheme: string): string {
  try {
    return new URL(`http://${host}`).hostname;
  } catch (error) {
    throw new CctvError("ADDRESS_INVALID", `the host of the ${scheme} address is not a valid name or IP address`, {
      cause: error,
    });
  }
}

function encodePath(path: string): string {
  return path.replace(NOT_URL_CHARACTER, (character) => encodeURIComponent(character));
}

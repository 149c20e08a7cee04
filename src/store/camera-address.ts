import { parseNetworkAddress, schemeOf } from "../camera/address.ts";
import { readAddress, typedPort } from "../camera/auto/read-address.ts";
import type { CredentialFields } from "../camera/credentials.ts";
import { maskAddresses, maskQueries } from "../camera/secrets.ts";

/** An address whose secrets were told apart from what everybody may see. */
export interface PartedAddress {
  /** For people: no login, and the secrets of its query masked. */
  readonly shown: string;
  /** For the stream: no login either, but all of the query. */
  readonly full: string;
  /** Of the address or of the fields, as the camera knows them. */
  readonly username: string;
  readonly password: string;
  /** Who would be told the password; the address itself where it names nobody. */
  readonly host: string;
}

/** Those that log in nowhere; their names may hold an `@`. */
const WITHOUT_LOGIN = new Set(["file", "gige", "ndi", "webcam"]);
const PLAYLIST = /\.m3u8(?:[?#]|$)/i;

/**
 * Takes the login out of an address as people paste it; fields that are filled win.
 * @throws CctvError ADDRESS_INVALID; its message repeats nothing that could be a password.
 */
export function partAddress(typed: string, fields: CredentialFields = {}): PartedAddress {
  const text = readAddress(typed);
  const { username = "", password = "" } = fields;
  if (WITHOUT_LOGIN.has(schemeOf(text))) return { shown: text, full: text, username, password, host: text };
  const { scheme, host, path, credentials } = parseNetworkAddress(text, 1, fields);
  const port = typedPort(text);
  const full = `${scheme}://${host}${port === undefined ? "" : `:${port}`}${path}`;
  return {
    shown: scheme.startsWith("hls") || PLAYLIST.test(full) ? maskQueries(full) : maskAddresses(full),
    full,
    username: credentials?.username ?? "",
    password: credentials?.password ?? "",
    host,
  };
}

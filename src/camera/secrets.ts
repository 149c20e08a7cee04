import type { Credentials } from "./credentials.ts";

/** Takes the secrets out of a text. */
export type Mask = (text: string) => string;

export const MASKED = "***";

const USER_INFO_IN_URL = /([a-z][a-z0-9+.-]*:\/\/)[^\s/?#'"]*@/gi;
const QUERY = /\?[^\s'"]+/g;
const PASSWORD_PARAMETER = /(?<![a-z])((?:password|passwd|pass|pwd|token|secret)=)[^&\s'"]+/gi;

/** Shorter passwords are masked as whole words only: a mask on every "1" would make each line unreadable. */
const SHORTEST_MASKED_ANYWHERE = 4;

/**
 * Makes a mask for text from outside, such as a decoder's output: it removes the password in every
 * spelling in which a URL, a header, JSON or our own decoder script may repeat it, the user
 * information of every URL, and the usual password parameters, or all queries where any may hold a
 * token. Give it whole lines: half a password cannot be recognised.
 */
export function createMask(credentials?: Credentials, secretQueries = false): Mask {
  const secrets = credentials ? spellings(credentials) : [];
  const pattern = secrets.length > 0 ? new RegExp(secrets.map(toPattern).join("|"), "gu") : undefined;
  return (text) => {
    const masked = maskAddresses(pattern ? text.replace(pattern, MASKED) : text);
    return secretQueries ? maskQueries(masked) : masked;
  };
}

/** Masks the user information of every URL in a text, and the values of the usual password parameters. */
export function maskAddresses(text: string): string {
  return text.replace(USER_INFO_IN_URL, `$1${MASKED}@`).replace(PASSWORD_PARAMETER, `$1${MASKED}`);
}

/** Masks whatever follows a `?`, up to a space or a quotation mark. */
export function maskQueries(text: string): string {
  return text.replace(QUERY, `?${MASKED}`);
}

function spellings({ username, password }: Credentials): string[] {
  if (password === "") return [];
  const encoded = encodeURIComponent(password);
  const fullyEncoded = encoded.replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  const all = [
    password,
    encoded,
    fullyEncoded,
    encodeURI(password),
    fullyEncoded.replaceAll("%20", "+"),
    password.replaceAll("'", "'\\''"),
    encoded.replaceAll("'", "'\\''"),
    JSON.stringify(password).slice(1, -1),
    Buffer.from(`${username}:${password}`).toString("base64"),
  ];
  const withLowerCaseHex = all.flatMap((text) => [text, text.replace(/%[0-9A-F]{2}/g, (byte) => byte.toLowerCase())]);
  return [...new Set(withLowerCaseHex)].sort((a, b) => b.length - a.length);
}

function toPattern(secret: string): string {
  const literal = secret.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  return secret.length < SHORTEST_MASKED_ANYWHERE ? `(?<![\\p{L}\\p{N}])${literal}(?![\\p{L}\\p{N}])` : literal;
}

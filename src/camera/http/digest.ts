import { createHash } from "node:crypto";
import type { Credentials } from "../credentials.ts";

/** One way to log in that a server offers in WWW-Authenticate. */
export interface Challenge {
  /** Lower case: `basic`, `digest`. */
  readonly scheme: string;
  /** By lower-case name, unquoted; each character is one byte of the header. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** A Digest challenge that we can answer. */
export interface DigestChallenge {
  readonly realm: string;
  readonly nonce: string;
  readonly hash: "md5" | "sha256";
  /** The algorithms that end in `-sess`: the password's hash is bound to the nonces. */
  readonly session: boolean;
  /** As the server spelled it, to be repeated; absent where it named none, which means MD5. */
  readonly algorithm?: string;
  /** Absent for servers of RFC 2069, before there was a choice. */
  readonly qop?: "auth" | "auth-int";
  readonly opaque?: string;
  /** The answer was good, its nonce was too old. */
  readonly stale: boolean;
  /** The server wants the user's name hashed. */
  readonly userhash: boolean;
  /** The server said that it reads UTF-8. */
  readonly utf8: boolean;
}

export interface DigestAnswer {
  readonly challenge: DigestChallenge;
  readonly credentials: Credentials;
  readonly method: string;
  /** The request's target as it stands in the request line, query included. */
  readonly uri: string;
  /** From 1, once more for each request with the same nonce. */
  readonly nonceCount: number;
  /** Ours; kept for as long as the nonce is, as `-sess` algorithms want it. */
  readonly clientNonce: string;
  /** Counts for `auth-int` only. */
  readonly body?: Uint8Array;
}

/** A token with its value, or alone; values are quoted, or reach to the next comma or space. */
const TOKEN_OR_PARAMETER = /([\w!#$%&'*+.^`|~-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?/g;
/** What is left of `qop=auth,auth-int` where a server forgot the quotes. */
const UNQUOTED_QOP = /^auth(-int)?$/i;
const ALGORITHM = /^(MD5|SHA-256)(-sess)?$/i;

/**
 * Reads WWW-Authenticate: one header or several, each with one challenge or several (RFC 9110, 11.6.1).
 * What cannot be read is left out.
 */
export function parseChallenges(headers: readonly string[]): Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  for (const header of headers) {
    let current: Record<string, string> | undefined;
    for (const [, token = "", quoted, plain] of header.matchAll(TOKEN_OR_PARAMETER)) {
      const value = quoted?.replace(/\\(.)/g, "$1") ?? plain;
      if (value !== undefined) {
        if (current) current[token.toLowerCase()] ??= value;
      } else if (!UNQUOTED_QOP.test(token)) {
        current = {};
        challenges.push({ scheme: token.toLowerCase(), parameters: current });
      }
    }
  }
  return challenges;
}

/** The strongest Digest challenge that can be answered; of equals the one that the server named first. */
export function chooseDigest(challenges: readonly Challenge[]): DigestChallenge | undefined {
  const usable = challenges.map(toDigest).filter((challenge) => challenge !== undefined);
  return usable.find(({ hash }) => hash === "sha256") ?? usable[0];
}

/** The value of Authorization (RFC 7616, 3.4; RFC 2069 where the challenge has no qop), as bytes in Latin-1. */
export function answerDigest(answer: DigestAnswer): string {
  const { challenge, credentials, uri, nonceCount, clientNonce } = answer;
  const { realm, nonce, qop, algorithm, opaque, userhash } = challenge;
  const count = nonceCount.toString(16).padStart(8, "0");
  const fields = [
    usernameField(challenge, credentials.username),
    `realm=${quote(realm)}`,
    `nonce=${quote(nonce)}`,
    `uri=${quote(uri)}`,
    ...(algorithm === undefined ? [] : [`algorithm=${algorithm}`]),
    ...(qop ? [`qop=${qop}`, `nc=${count}`] : []),
    ...(qop || challenge.session ? [`cnonce=${quote(clientNonce)}`] : []),
    `response="${response(answer, count)}"`,
    ...(opaque === undefined ? [] : [`opaque=${quote(opaque)}`]),
    ...(userhash ? ["userhash=true"] : []),
  ];
  return `Digest ${fields.join(", ")}`;
}

/** The value of Authorization for Basic, with UTF-8 as RFC 7617 has it. */
export function answerBasic({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

/** The nonce for the next request, where Authentication-Info names one (RFC 7616, 3.5). */
export function nextNonce(authenticationInfo: string): string | undefined {
  return parseChallenges([`digest ${authenticationInfo}`])[0]?.parameters.nextnonce || undefined;
}

function toDigest({ scheme, parameters }: Challenge): DigestChallenge | undefined {
  const { realm, nonce, algorithm, opaque } = parameters;
  const [, hash, session] = ALGORITHM.exec(algorithm || "MD5") ?? [];
  const offered = (parameters.qop ?? "")
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean);
  const qop = (["auth", "auth-int"] as const).find((known) => offered.includes(known));
  if (scheme !== "digest" || realm === undefined || !nonce || !hash || (offered.length > 0 && !qop)) return undefined;
  return {
    realm,
    nonce,
    hash: hash.toLowerCase() === "md5" ? "md5" : "sha256",
    session: session !== undefined,
    ...(algorithm && { algorithm }),
    ...(qop && { qop }),
    ...(opaque !== undefined && { opaque }),
    stale: isTrue(parameters.stale),
    userhash: isTrue(parameters.userhash),
    utf8: parameters.charset?.toLowerCase() === "utf-8",
  };
}

function response({ challenge, credentials, method, uri, clientNonce, body }: DigestAnswer, count: string): string {
  const { realm, nonce, qop, session } = challenge;
  const hash = hasher(challenge);
  const login = hash(`${bytesOf(credentials.username)}:${realm}:${bytesOf(credentials.password)}`);
  const secret = session ? hash(`${login}:${nonce}:${clientNonce}`) : login;
  const request = qop === "auth-int" ? `${method}:${uri}:${hash(body ?? "")}` : `${method}:${uri}`;
  const middle = qop ? `${nonce}:${count}:${clientNonce}:${qop}` : nonce;
  return hash(`${secret}:${middle}:${hash(request)}`);
}

function hasher({ hash }: DigestChallenge): (data: string | Uint8Array) => string {
  return (data) => {
    const bytes = typeof data === "string" ? Buffer.from(data, "latin1") : data;
    return createHash(hash).update(bytes).digest("hex");
  };
}

/** RFC 7616, 3.4: `username*` is for servers that know UTF-8; the others take the bytes as they come. */
function usernameField(challenge: DigestChallenge, username: string): string {
  if (challenge.userhash) return `username="${hasher(challenge)(`${bytesOf(username)}:${challenge.realm}`)}"`;
  const plain = bytesOf(username);
  if (challenge.utf8 && plain !== username) return `username*=UTF-8''${encodeExtended(username)}`;
  return `username=${quote(plain)}`;
}

/** RFC 8187, 3.2.1. */
function encodeExtended(text: string): string {
  return encodeURIComponent(text).replace(/['()*]/g, (character) => `%${character.charCodeAt(0).toString(16)}`);
}

/** The UTF-8 bytes of a text, one character each, as headers hold them. */
function bytesOf(text: string): string {
  return Buffer.from(text).toString("latin1");
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

function isTrue(value: string | undefined): boolean {
  return value?.toLowerCase() === "true";
}

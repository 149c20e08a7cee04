import { MAX_DEPTH, MAX_PARTS } from "./limits.ts";
import { invalid, tooLarge } from "./refusals.ts";

const code = (character: string): number => character.charCodeAt(0);

const QUOTE = code('"');
const BACKSLASH = code("\\");
const OPEN = [code("{"), code("[")] as const;
const CLOSE = [code("}"), code("]")] as const;
const NAN = { first: code("N"), token: bytesOf("NaN"), json: bytesOf("null") } as const;
const INFINITY = { first: code("I"), token: bytesOf("Infinity"), json: bytesOf("1e999") } as const;

/**
 * Reads JSON as XGBoost writes it: with bare `NaN`, `Infinity` and `-Infinity`, which become `null`
 * and infinite numbers.
 *
 * The bytes are surveyed before anything is parsed, so that a file of nothing but brackets costs
 * neither stack nor memory.
 *
 * @throws CctvError TREES_INVALID, TREES_TOO_LARGE
 */
export function readJson(bytes: Uint8Array): unknown {
  const json = replaceWords(bytes, survey(bytes));
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(json)) as unknown;
  } catch (error) {
    throw invalid("its JSON is damaged or cut short", error);
  }
}

/** Checks depth and size, and finds where a bare `NaN` or `Infinity` may begin outside of strings. */
function survey(bytes: Uint8Array): number[] {
  const words: number[] = [];
  let depth = 0;
  let parts = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) {
      parts++;
      at = endOfString(bytes, at);
    } else if (byte === OPEN[0] || byte === OPEN[1]) {
      parts++;
      depth++;
      if (depth > MAX_DEPTH) throw invalid(`its JSON is nested more than ${MAX_DEPTH} levels deep`);
    } else if (byte === CLOSE[0] || byte === CLOSE[1]) {
      depth--;
    } else if (byte === NAN.first || byte === INFINITY.first) {
      words.push(at);
      at += wordAt(bytes, at).token.length - 1;
    }
    if (parts > MAX_PARTS) throw tooLarge(`it holds more than ${MAX_PARTS} objects, arrays and strings`);
  }
  return words;
}

/** Index of the quote that ends the string which begins at `start`, or the end of the bytes. */
function endOfString(bytes: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}

function replaceWords(bytes: Uint8Array, words: readonly number[]): Uint8Array {
  if (words.length === 0) return bytes;
  const out = new Uint8Array(bytes.length + words.length);
  let from = 0;
  let to = 0;
  for (const at of words) {
    const word = wordAt(bytes, at);
    if (!startsWith(bytes, at, word.token)) throw invalid(`byte ${at} is not JSON`);
    out.set(bytes.subarray(from, at), to);
    to += at - from;
    out.set(word.json, to);
    to += word.json.length;
    from = at + word.token.length;
  }
  out.set(bytes.subarray(from), to);
  return out.subarray(0, to + bytes.length - from);
}

function wordAt(bytes: Uint8Array, at: number): typeof NAN | typeof INFINITY {
  return bytes[at] === NAN.first ? NAN : INFINITY;
}

function startsWith(bytes: Uint8Array, at: number, token: Uint8Array): boolean {
  return token.every((byte, index) => bytes[at + index] === byte);
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

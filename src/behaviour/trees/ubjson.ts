import { MAX_DEPTH, MAX_PARTS } from "./limits.ts";
import { invalid, tooLarge } from "./refusals.ts";

/** A scalar of fixed size; numbers are big-endian. */
interface Scalar {
  readonly size: number;
  read(view: DataView, at: number): number;
  list(length: number): { [index: number]: number; readonly length: number };
}

const SCALARS: Readonly<Record<string, Scalar>> = {
  i: { size: 1, read: (view, at) => view.getInt8(at), list: (length) => new Int8Array(length) },
  U: { size: 1, read: (view, at) => view.getUint8(at), list: (length) => new Uint8Array(length) },
  I: { size: 2, read: (view, at) => view.getInt16(at), list: (length) => new Int16Array(length) },
  l: { size: 4, read: (view, at) => view.getInt32(at), list: (length) => new Int32Array(length) },
  L: { size: 8, read: (view, at) => Number(view.getBigInt64(at)), list: (length) => new Float64Array(length) },
  d: { size: 4, read: (view, at) => view.getFloat32(at), list: (length) => new Float32Array(length) },
  D: { size: 8, read: (view, at) => view.getFloat64(at), list: (length) => new Float64Array(length) },
};

const LENGTH_MARKERS = "iUIlL";

/**
 * Reads Universal Binary JSON, draft 12 (https://ubjson.org), as XGBoost writes it by default since
 * 2.1. Arrays of one numeric type become typed arrays, everything else is as from `JSON.parse`.
 *
 * @throws CctvError TREES_INVALID, TREES_TOO_LARGE
 */
export function readUbjson(bytes: Uint8Array): unknown {
  return new Reader(bytes).document();
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #utf8 = new TextDecoder("utf-8", { fatal: true });
  #at = 0;
  #parts = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  document(): unknown {
    return this.#value(this.#marker(), 0);
  }

  #value(marker: string, depth: number): unknown {
    this.#parts++;
    if (this.#parts > MAX_PARTS) throw tooLarge(`it holds more than ${MAX_PARTS} values`);
    const scalar = SCALARS[marker];
    if (scalar) return this.#scalar(scalar);
    switch (marker) {
      case "Z":
        return null;
      case "T":
        return true;
      case "F":
        return false;
      case "C":
        return String.fromCharCode(this.#byte());
      case "S":
        return this.#text(this.#length());
      case "[":
        return this.#array(depth + 1);
      case "{":
        return this.#object(depth + 1);
      default:
        throw invalid(`byte ${this.#at - 1} of its UBJSON begins no value`);
    }
  }

  #array(depth: number): unknown {
    this.#checkDepth(depth);
    const { type, count } = this.#header();
    if (type !== undefined) return this.#typedArray(type, count);
    const items: unknown[] = [];
    if (count !== undefined) {
      while (items.length < count) items.push(this.#value(this.#marker(), depth));
      return items;
    }
    for (let marker = this.#marker(); marker !== "]"; marker = this.#marker()) items.push(this.#value(marker, depth));
    return items;
  }

  #typedArray(type: string, count: number | undefined): unknown {
    const scalar = SCALARS[type];
    if (!scalar || count === undefined) throw invalid(`it holds an array of type ${JSON.stringify(type)}`);
    this.#need(count * scalar.size);
    const list = scalar.list(count);
    for (let index = 0; index < count; index++) list[index] = scalar.read(this.#view, this.#at + index * scalar.size);
    this.#at += count * scalar.size;
    return list;
  }

  #object(depth: number): unknown {
    this.#checkDepth(depth);
    const { type, count } = this.#header();
    const entries: [string, unknown][] = [];
    const entry = (): void => {
      const key = this.#text(this.#length());
      entries.push([key, this.#value(type ?? this.#marker(), depth)]);
    };
    if (count === undefined) {
      while (this.#peek() !== "}") entry();
      this.#at++;
    } else {
      while (entries.length < count) entry();
    }
    return Object.fromEntries(entries);
  }

  /** The optional `$type` and `#count` of a container. */
  #header(): { type: string | undefined; count: number | undefined } {
    let type: string | undefined;
    if (this.#peek() === "$") {
      this.#at++;
      type = this.#marker();
    }
    if (this.#peek() === "#") {
      this.#at++;
      return { type, count: this.#length() };
    }
    if (type !== undefined) throw invalid("its UBJSON has a typed container without a count");
    return { type, count: undefined };
  }

  /** A count of things that take at least a byte each, so it can never exceed the bytes that are left. */
  #length(): number {
    const marker = this.#marker();
    const scalar = LENGTH_MARKERS.includes(marker) ? SCALARS[marker] : undefined;
    if (!scalar) throw invalid(`byte ${this.#at - 1} of its UBJSON is no length`);
    const length = this.#scalar(scalar);
    if (length < 0) throw invalid(`its UBJSON states a length of ${length}`);
    this.#need(length);
    return length;
  }

  #scalar(scalar: Scalar): number {
    this.#need(scalar.size);
    const value = scalar.read(this.#view, this.#at);
    this.#at += scalar.size;
    return value;
  }

  #text(length: number): string {
    this.#need(length);
    const bytes = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    try {
      return this.#utf8.decode(bytes);
    } catch (error) {
      throw invalid("its UBJSON holds a string that is not UTF-8", error);
    }
  }

  /** The next marker that is not the no-op `N`. */
  #marker(): string {
    let marker = String.fromCharCode(this.#byte());
    while (marker === "N") marker = String.fromCharCode(this.#byte());
    return marker;
  }

  #peek(): string {
    this.#need(1);
    return String.fromCharCode(this.#bytes[this.#at] as number);
  }

  #byte(): number {
    this.#need(1);
    return this.#bytes[this.#at++] as number;
  }

  #need(size: number): void {
    const left = this.#bytes.length - this.#at;
    if (size > left) throw invalid(`its UBJSON is cut short or damaged: it states ${size} more bytes and has ${left}`);
  }

  #checkDepth(depth: number): void {
    if (depth > MAX_DEPTH) throw invalid(`its UBJSON is nested more than ${MAX_DEPTH} levels deep`);
  }
}

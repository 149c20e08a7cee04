/** A value of AMF 0; what stands for nothing, or is of no use here, is null. */
export type AmfValue = number | boolean | string | null | AmfObject;
export interface AmfObject {
  readonly [name: string]: AmfValue;
}

const NUMBER = 0;
const BOOLEAN = 1;
const STRING = 2;
const OBJECT = 3;
const NULL = 5;
const UNDEFINED = 6;
const ECMA_ARRAY = 8;
const END_OF_OBJECT = 9;
const LONG_STRING = 12;
const DEEPEST = 8;

/**
 * Reads values one after the other (Action Message Format 0, Adobe 2007), as far as they are of the kinds that
 * RTMP's commands use.
 */
export function readAmf(bytes: Buffer): AmfValue[] {
  const reader = new Reader(bytes);
  const values: AmfValue[] = [];
  try {
    while (!reader.isAtEnd) values.push(reader.value(0));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return values;
}

export function writeAmf(...values: readonly AmfValue[]): Buffer {
  return Buffer.concat(values.map(writeValue));
}

class Reader {
  readonly #bytes: Buffer;
  #position = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#position >= this.#bytes.length;
  }

  /** @throws RangeError where the bytes end too early, or hold what is not known here. */
  value(depth: number): AmfValue {
    const kind = this.#number(1);
    switch (kind) {
      case NUMBER:
        return this.#take(8).readDoubleBE();
      case BOOLEAN:
        return this.#number(1) !== 0;
      case STRING:
        return this.#text(this.#number(2));
      case LONG_STRING:
        return this.#text(this.#number(4));
      case NULL:
      case UNDEFINED:
        return null;
      case ECMA_ARRAY:
        this.#take(4);
        return this.#object(depth);
      case OBJECT:
        return this.#object(depth);
      default:
        throw new RangeError(`AMF value of kind ${kind}`);
    }
  }

  #object(depth: number): AmfObject {
    if (depth > DEEPEST) throw new RangeError("AMF objects are nested too deep");
    const object: Record<string, AmfValue> = Object.create(null);
    for (;;) {
      const name = this.#text(this.#number(2));
      if (name === "" && this.#bytes[this.#position] === END_OF_OBJECT) break;
      object[name] = this.value(depth + 1);
    }
    this.#position++;
    return object;
  }

  #text(length: number): string {
    return this.#take(length).toString();
  }

  #number(length: number): number {
    return this.#take(length).readUIntBE(0, length);
  }

  #take(length: number): Buffer {
    const end = this.#position + length;
    if (end > this.#bytes.length) throw new RangeError("AMF ends too early");
    const taken = this.#bytes.subarray(this.#position, end);
    this.#position = end;
    return taken;
  }
}

function writeValue(value: AmfValue): Buffer {
  if (value === null) return Buffer.from([NULL]);
  if (typeof value === "boolean") return Buffer.from([BOOLEAN, value ? 1 : 0]);
  if (typeof value === "string") return Buffer.concat([Buffer.from([STRING]), writeText(value)]);
  if (typeof value === "number") {
    const bytes = Buffer.alloc(9);
    bytes.writeDoubleBE(value, 1);
    return bytes;
  }
  const fields = Object.entries(value).flatMap(([name, field]) => [writeText(name), writeValue(field)]);
  return Buffer.concat([Buffer.from([OBJECT]), ...fields, Buffer.from([0, 0, END_OF_OBJECT])]);
}

function writeText(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

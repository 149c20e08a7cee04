import { invalid } from "./refusals.ts";

const INT32_MIN = -(2 ** 31);
const INT32_MAX = 2 ** 31 - 1;

/** One object of a parsed document: reads its fields with their types, and names the place where one is wrong. */
export class Fields {
  readonly place: string;
  readonly #values: ReadonlyMap<string, unknown>;

  constructor(value: unknown, place: string) {
    if (typeof value !== "object" || value === null || isList(value)) throw invalid(`${place} is no object`);
    this.place = place;
    this.#values = new Map(Object.entries(value));
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  raw(key: string): unknown {
    if (!this.has(key)) throw invalid(`${this.place} has no ${key}`);
    return this.#values.get(key);
  }

  object(key: string): Fields {
    return new Fields(this.raw(key), `${this.place}.${key}`);
  }

  /** The objects of a list, each made when it is asked for. */
  *objects(key: string): Generator<Fields> {
    for (const [index, value] of this.#list(key).entries()) yield new Fields(value, `${this.place}.${key}[${index}]`);
  }

  text(key: string): string {
    const value = this.raw(key);
    if (typeof value !== "string") throw invalid(`${this.place}.${key} is no text`);
    return value;
  }

  texts(key: string): readonly string[] {
    const list = this.#list(key);
    if (!list.every((value) => typeof value === "string")) throw invalid(`${this.place}.${key} is no list of texts`);
    return list;
  }

  /** A whole number, which XGBoost writes as text in its parameters. */
  integer(key: string, min: number, max: number): number {
    const value = this.raw(key);
    const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
    if (typeof number !== "number" || !Number.isInteger(number) || number < min || number > max) {
      throw invalid(`${this.place}.${key} is ${brief(value)} where a whole number from ${min} to ${max} is expected`);
    }
    return number;
  }

  /** Whole numbers of 32 bits; `true` and `false` count as 1 and 0, as XGBoost wrote them up to 1.5. */
  integers(key: string): Int32Array {
    const list = this.#list(key);
    const out = new Int32Array(list.length);
    for (let index = 0; index < list.length; index++) {
      const value = list[index];
      const number = typeof value === "boolean" ? Number(value) : value;
      if (typeof number !== "number" || !Number.isInteger(number) || number < INT32_MIN || number > INT32_MAX) {
        throw invalid(`${this.place}.${key}[${index}] is ${brief(value)} where a whole number is expected`);
      }
      out[index] = number;
    }
    return out;
  }

  /** Numbers rounded to float32; `null` is not a number. */
  floats(key: string): Float32Array {
    const list = this.#list(key);
    const out = new Float32Array(list.length);
    for (let index = 0; index < list.length; index++) {
      const value = list[index];
      if (typeof value !== "number" && value !== null) {
        throw invalid(`${this.place}.${key}[${index}] is ${brief(value)} where a number is expected`);
      }
      out[index] = value ?? Number.NaN;
    }
    return out;
  }

  length(key: string): number {
    return this.#list(key).length;
  }

  #list(key: string): readonly unknown[] {
    const value = this.raw(key);
    if (!isList(value)) throw invalid(`${this.place}.${key} is no list`);
    return value;
  }
}

/** An array or a typed array, which share all that is used of them here. */
function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) || ArrayBuffer.isView(value);
}

function brief(value: unknown): string {
  if (typeof value === "object" && value !== null) return isList(value) ? "a list" : "an object";
  return JSON.stringify(value)?.slice(0, 40) ?? "nothing";
}

import assert from "node:assert/strict";
import { readUbjson } from "../../src/behaviour/trees/ubjson.ts";

const bytes = (...parts: (string | number[])[]): Uint8Array =>
  Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : Buffer.from(part))));

describe("UBJSON", () => {
  const VALUES: readonly [what: string, bytes: Uint8Array, value: unknown][] = [
    ["null", bytes("Z"), null],
    ["true", bytes("T"), true],
    ["false", bytes("F"), false],
    ["int8", bytes("i", [0xfe]), -2],
    ["uint8", bytes("U", [0xfe]), 254],
    ["int16, big-endian", bytes("I", [0xff, 0x00]), -256],
    ["int32", bytes("l", [0x7f, 0xff, 0xff, 0xff]), 2147483647],
    ["int64", bytes("L", [0, 0, 1, 0, 0, 0, 0, 0]), 2 ** 40],
    ["int64 below zero", bytes("L", Array(8).fill(255)), -1],
    ["float32", bytes("d", [0x3f, 0x80, 0, 0]), 1],
    ["float64", bytes("D", [0xc0, 0, 0, 0, 0, 0, 0, 0]), -2],
    ["a float that is no number", bytes("d", [0x7f, 0xc0, 0, 0]), Number.NaN],
    ["a character", bytes("Cx"), "x"],
    ["a string", bytes("Si", [4], "abcd"), "abcd"],
    ["a string with a long length", bytes("SL", [0, 0, 0, 0, 0, 0, 0, 2], "ab"), "ab"],
    ["a string beyond ASCII", bytes("Si", [2, 0xc3, 0xa9]), "é"],
    ["a list", bytes("[i", [1], "TZ]"), [1, true, null]],
    ["a list with a count", bytes("[#i", [2], "i", [7], "F"), [7, false]],
    ["an empty list with a count", bytes("[#L", [0, 0, 0, 0, 0, 0, 0, 0]), []],
    ["a list of one type", bytes("[$I#i", [2, 0, 1, 0, 2]), Int16Array.of(1, 2)],
    ["a list of int64", bytes("[$L#i", [1, 0, 0, 0, 0, 0, 0, 0, 9]), Float64Array.of(9)],
    ["an object", bytes("{i", [1], "ai", [5], "U", [1], "bSi", [1], "c}"), { a: 5, b: "c" }],
    ["an object with type and count", bytes("{$i#i", [1], "i", [1], "a", [5]), { a: 5 }],
    ["no-ops between values", bytes("N[NTN]"), [true]],
    [
      "a key that is not to be taken for the prototype",
      bytes("{i", [9], "__proto__T}"),
      JSON.parse('{"__proto__":true}'),
    ],
  ];
  for (const [what, input, value] of VALUES) {
    it(`reads ${what}`, () => assert.deepEqual(readUbjson(input), value));
  }

  const REFUSED: readonly [what: string, bytes: Uint8Array, message: RegExp][] = [
    ["nothing", bytes(""), /cut short/],
    ["an unknown marker", bytes("q"), /begins no value/],
    ["a number that ends early", bytes("l", [0, 0]), /cut short/],
    ["a string longer than the file", bytes("SL", [0, 0, 0, 1, 0, 0, 0, 0], "ab"), /states 4294967296 more bytes/],
    ["a length below zero", bytes("Si", [0xff], "a"), /length of -1/],
    ["a length that is a fraction", bytes("Sd", [0x3f, 0x80, 0, 0], "a"), /no length/],
    ["a typed list longer than the file", bytes("[$d#l", [0x7f, 0xff, 0xff, 0xff], "abcd"), /cut short/],
    ["a typed list that just exceeds the file", bytes("[$d#i", [2, 0, 0, 0, 0]), /cut short/],
    ["a list longer than the file", bytes("[#L", [0x7f, 0, 0, 0, 0, 0, 0, 0], "Z"), /cut short/],
    ["a list of billions of nulls", bytes("[$Z#l", [0x7f, 0xff, 0xff, 0xff]), /cut short/],
    ["a list of nulls", bytes("[$Z#i", [1, 0]), /array of type "Z"/],
    ["a typed list without a count", bytes("[$i", [1], "]"), /without a count/],
    ["a list without an end", bytes("[TT"), /cut short/],
    ["an object without an end", bytes("{i", [1], "aT"), /cut short/],
    ["a string that is not UTF-8", bytes("Si", [1, 0xff]), /not UTF-8/],
  ];
  for (const [what, input, message] of REFUSED) {
    it(`refuses ${what}`, () => assert.throws(() => readUbjson(input), { code: "TREES_INVALID", message }));
  }

  it("reads from within a larger buffer", () => {
    const whole = bytes("xx", "[$I#i", [1, 1, 2], "xx");
    assert.deepEqual(readUbjson(whole.subarray(2, whole.length - 2)), Int16Array.of(258));
  });
});

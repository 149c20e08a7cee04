import assert from "node:assert/strict";
import { readAmf, writeAmf } from "../../src/camera/protocols/rtmp/listen/amf0.ts";
import { ChunkReader, writeMessage } from "../../src/camera/protocols/rtmp/listen/chunks.ts";
import { CctvError } from "../../src/errors.ts";
import { seededRandom } from "./seeded-random.ts";

const hex = (text: string) => Buffer.from(text.replace(/\s/g, ""), "hex");
const bytes = (length: number) => Buffer.from(Array.from({ length }, (_, i) => i & 0xff));

describe("AMF 0", () => {
  it("writes and reads what RTMP's commands hold", () => {
    const values = ["connect", 1, { app: "live", caps: { a: true, b: null } }, null, false, -0.5];
    assert.deepEqual(JSON.parse(JSON.stringify(readAmf(writeAmf(...values)))), values);
  });

  it("reads arrays with names, long strings and undefined", () => {
    assert.deepEqual(
      JSON.parse(JSON.stringify(readAmf(hex("08 00000001 0001 61 0101 000009  06  0c 00000002 6869")))),
      [{ a: true }, null, "hi"],
    );
  });

  for (const [what, text] of [
    ["a string that ends too early", "02 00ff 61"],
    ["a kind that is not known", "11 00"],
    ["an object without an end", "03 0001 61"],
    ["objects without an end of nesting", "03 000161".repeat(200)],
  ] as const) {
    it(`stops at ${what}`, () => assert.deepEqual(readAmf(Buffer.concat([writeAmf("x"), hex(text)])), ["x"]));
  }
});

describe("RTMP chunks", () => {
  for (const step of [1, 100, 1e6]) {
    it(`reads the messages that it writes, ${step} bytes at a time`, () => {
      const data = Buffer.concat([writeMessage(20, 1, bytes(700)), writeMessage(9, 0, bytes(0))]);
      const reader = new ChunkReader(1000);
      const messages = [];
      for (let at = 0; at < data.length; at += step) messages.push(...reader.push(data.subarray(at, at + step)));
      assert.deepEqual(
        messages.map(({ type, stream, body }) => [type, stream, body.length]),
        [
          [20, 1, 700],
          [9, 0, 0],
        ],
      );
      assert.ok(messages[0]?.body.equals(bytes(700)));
    });
  }

  it("reads short headers, interleaved streams and another chunk size", () => {
    const reader = new ChunkReader(1000);
    const messages = reader.push(
      Buffer.concat([
        hex("02 000000 000004 01 00000000 00000003"),
        hex("04 00000a 000005 09 01000000 616263"),
        hex("45 000005 000002 08 7878"),
        hex("c4 6465"),
        hex("84 000014 666768 c4 696a"),
        hex("c4 6b6c6d c4 6e6f"),
      ]),
    );
    assert.deepEqual(
      messages.map(({ type, timestamp, body }) => [type, timestamp, body.toString()]),
      [
        [8, 5, "xx"],
        [9, 10, "abcde"],
        [9, 30, "fghij"],
        [9, 50, "klmno"],
      ],
    );
  });

  it("reads a time of more than 24 bits, which each chunk repeats", () => {
    const header = hex("04 ffffff 000082 09 01000000 01000000");
    const data = Buffer.concat([header, bytes(128), hex("c4 01000000"), bytes(2)]);
    const [message] = new ChunkReader(1000).push(data);
    assert.deepEqual([message?.timestamp, message?.body.length], [0x0100_0000, 130]);
  });

  for (const [what, text] of [
    ["a message that is too long", "03 000000 000fff 14 00000000"],
    ["a chunk that refers to none before", "c3"],
    ["a chunk size of nothing", "02 000000 000004 01 00000000 00000000"],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.throws(
        () => new ChunkReader(1000).push(Buffer.concat([hex(text), bytes(200)])),
        (error: CctvError) => error.code === "STREAM_LOST",
      );
    });
  }

  it("takes no harm from 5,000 damaged streams", () => {
    const random = seededRandom(3);
    const pick = (below: number) => Math.floor(random() * below);
    for (let round = 0; round < 5_000; round++) {
      const data = Buffer.concat([
        writeMessage(20, 1, writeAmf("publish", 1, null, "key")),
        writeMessage(9, 1, bytes(300)),
      ]);
      for (let damage = pick(5); damage >= 0; damage--) data[pick(data.length)] = pick(256);
      try {
        for (const { body } of new ChunkReader(4096).push(data)) {
          assert.ok(body.length <= 4096);
          readAmf(body);
        }
      } catch (error) {
        if (!(error instanceof CctvError)) throw error;
      }
    }
  });
});

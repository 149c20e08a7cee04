import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { InferenceSession } from "onnxruntime-web";
import { layoutOf, type ModelLayout } from "../../src/pose/model-kind.ts";
import { MOVENET_OUTPUTS } from "../../src/pose/movenet.ts";

type Tensor = InferenceSession.TensorValueMetadata;

const tensor = (name: string, type: Tensor["type"], ...shape: (number | string)[]): Tensor => ({
  name,
  isTensor: true,
  type,
  shape,
});
const images = (height: number | string = 640, width: number | string = 640, batch: number | string = 1) =>
  tensor("images", "float32", batch, 3, height, width);
const nms = tensor("output0", "float32", 1, 56, 8400);
const endToEnd = tensor("output0", "float32", 1, 300, 57);
const heads = Object.entries(MOVENET_OUTPUTS).map(([name, channels]) =>
  tensor(name, "float32", "batch", channels, "height / 4", "width / 4"),
);
const picture = tensor("picture", "uint8", "batch", "height", "width", 3);
const pose = { task: "pose", kpt_shape: "[17, 3]", stride: "32", names: "{0: 'person'}" };

interface Case {
  name: string;
  inputs?: Tensor[];
  outputs?: Tensor[];
  metadata?: Record<string, string>;
}

const signatureOf = ({ inputs = [images()], outputs = [nms], metadata = pose }: Case) => ({
  inputs,
  outputs,
  metadata: new Map(Object.entries(metadata)),
});

const accepted: (Case & { layout: ModelLayout })[] = [
  {
    name: "the bundled model",
    inputs: [picture],
    outputs: heads,
    metadata: {},
    layout: { kind: "movenet-heads", input: "picture", output: "center", multiple: 32 },
  },
  {
    name: "the bundled model at a fixed size",
    inputs: [tensor("picture", "uint8", 1, 384, 640, 3)],
    outputs: heads,
    layout: {
      kind: "movenet-heads",
      input: "picture",
      output: "center",
      multiple: 32,
      fixedSize: { width: 640, height: 384 },
    },
  },
  {
    name: "YOLO v8 and 11",
    layout: {
      kind: "yolo-nms",
      input: "images",
      output: "output0",
      multiple: 32,
      fixedSize: { width: 640, height: 640 },
    },
  },
  {
    name: "YOLO with a dynamic size and another stride",
    inputs: [images("height", "width", "batch")],
    outputs: [tensor("output0", "float32", "batch", 56, "anchors")],
    metadata: { ...pose, stride: "64" },
    layout: { kind: "yolo-nms", input: "images", output: "output0", multiple: 64 },
  },
  {
    name: "YOLO without metadata",
    metadata: {},
    inputs: [images(384, 640)],
    layout: {
      kind: "yolo-nms",
      input: "images",
      output: "output0",
      multiple: 32,
      fixedSize: { width: 640, height: 384 },
    },
  },
  {
    name: "YOLO26",
    outputs: [endToEnd],
    layout: {
      kind: "yolo-end2end",
      input: "images",
      output: "output0",
      multiple: 32,
      fixedSize: { width: 640, height: 640 },
    },
  },
];

const refused: (Case & { says: RegExp })[] = [
  { name: "half precision", inputs: [tensor("images", "float16", 1, 3, 640, 640)], says: /half=True/ },
  { name: "a batch", inputs: [images(640, 640, 4)], says: /4 pictures at a time/ },
  {
    name: "a detection model",
    metadata: { task: "detect" },
    outputs: [tensor("output0", "float32", 1, 84, 8400)],
    says: /task is "detect"/,
  },
  { name: "other key points", metadata: { ...pose, kpt_shape: "[21, 3]" }, says: /key points are \[21,3\]/ },
  {
    name: "another output",
    outputs: [tensor("output0", "float32", 1, 84, 8400)],
    says: /output0 float32 \[1, 84, 8400\]/,
  },
  { name: "two outputs", outputs: [nms, endToEnd], says: /expected this package's MoveNet/ },
  { name: "no picture", inputs: [tensor("tokens", "int64", 1, 77)], says: /tokens int64 \[1, 77\]/ },
  { name: "bytes into YOLO", inputs: [tensor("images", "uint8", 1, 3, 640, 640)], says: /uint8/ },
  { name: "a head too few", inputs: [picture], outputs: heads.slice(1), says: /picture uint8/ },
  {
    name: "heads of another number of joints",
    inputs: [picture],
    outputs: heads.map((head) => (head.name === "kpt_heatmap" ? { ...head, shape: [1, 21, 96, 160] } : head)),
    says: /kpt_heatmap float32 \[1, 21, 96, 160\]/,
  },
];

describe("layoutOf", () => {
  for (const { layout, ...model } of accepted) {
    it(`knows ${model.name}`, () => assert.deepEqual(layoutOf(signatureOf(model)), layout));
  }

  for (const { says, ...model } of refused) {
    it(`refuses ${model.name}`, () => {
      assert.throws(() => layoutOf(signatureOf(model)), { code: "MODEL_UNSUPPORTED", message: says });
    });
  }
});

import type { InferenceSession } from "onnxruntime-web";
import { CctvError } from "../errors.ts";
import { MOVENET_OUTPUTS } from "./movenet.ts";
import { YOLO_END_TO_END_CHANNELS, YOLO_NMS_CHANNELS } from "./yolo.ts";

export type PoseModelKind = "movenet-heads" | "yolo-nms" | "yolo-end2end";

/** How to feed a model and how to read its answer. */
export interface ModelLayout {
  readonly kind: PoseModelKind;
  readonly input: string;
  /** Pixels; absent where the model takes any size. */
  readonly fixedSize?: { readonly width: number; readonly height: number };
  /** What width and height must be a multiple of. */
  readonly multiple: number;
  /** Of the one output of the YOLO kinds; MoveNet's six have fixed names. */
  readonly output: string;
}

/** What a session says about itself. */
export interface ModelSignature {
  readonly inputs: readonly InferenceSession.ValueMetadata[];
  readonly outputs: readonly InferenceSession.ValueMetadata[];
  /** The file's own key-value pairs, such as Ultralytics' `task`, `kpt_shape` and `stride`. */
  readonly metadata: ReadonlyMap<string, string>;
}

type Shape = InferenceSession.TensorValueMetadata["shape"];

const DEFAULT_MULTIPLE = 32;
const EXPECTED =
  "expected this package's MoveNet MultiPose, or an Ultralytics pose export: " +
  "input float32 [1, 3, height, width], output float32 [1, 56, N] (v8, 11) or [1, N, 57] (26)";

/**
 * Decides from a model's inputs, outputs and metadata what kind it is.
 * @throws CctvError MODEL_UNSUPPORTED saying what was found and what is expected
 */
export function layoutOf(signature: ModelSignature): ModelLayout {
  return movenetLayout(signature) ?? yoloLayout(signature);
}

function movenetLayout({ inputs, outputs, metadata }: ModelSignature): ModelLayout | undefined {
  const [input] = inputs;
  if (inputs.length !== 1 || !isTensor(input, "uint8", [undefined, undefined, undefined, 3])) return undefined;
  const hasHead = ([name, channels]: [string, number]) =>
    isTensor(
      outputs.find((output) => output.name === name),
      "float32",
      [undefined, channels, undefined, undefined],
    );
  if (!Object.entries(MOVENET_OUTPUTS).every(hasHead)) return undefined;
  const [, height, width] = input.shape;
  return {
    kind: "movenet-heads",
    input: input.name,
    output: "center",
    multiple: multipleFrom(metadata),
    ...fixedSize(width, height),
  };
}

function yoloLayout(signature: ModelSignature): ModelLayout {
  const { inputs, outputs, metadata } = signature;
  const [input] = inputs;
  const [output] = outputs;
  if (inputs.length !== 1 || outputs.length !== 1 || !input?.isTensor || !output?.isTensor)
    throw unsupported(signature);
  if (input.type === "float16") {
    throw unsupported(signature, "it wants half-precision pictures; export it again without half=True");
  }
  const task = metadata.get("task");
  if (task !== undefined && task !== "pose") throw unsupported(signature, `its task is "${task}", not "pose"`);
  const jointShape = numbersIn(metadata.get("kpt_shape"));
  if (jointShape !== undefined && String(jointShape) !== "17,3") {
    throw unsupported(signature, `its key points are [${jointShape}], not the 17 of COCO with x, y and visibility`);
  }
  if (!isTensor(input, "float32", [undefined, 3, undefined, undefined])) throw unsupported(signature);
  const kind = yoloKind(output);
  if (!kind) throw unsupported(signature);
  const [batch, , height, width] = input.shape;
  if (isSize(batch) && batch !== 1) {
    throw unsupported(signature, `it wants ${batch} pictures at a time; export it again with batch=1`);
  }
  return {
    kind,
    input: input.name,
    output: output.name,
    multiple: multipleFrom(metadata),
    ...fixedSize(width, height),
  };
}

function yoloKind(output: InferenceSession.ValueMetadata): PoseModelKind | undefined {
  if (isTensor(output, "float32", [undefined, YOLO_NMS_CHANNELS, undefined])) return "yolo-nms";
  if (isTensor(output, "float32", [undefined, undefined, YOLO_END_TO_END_CHANNELS])) return "yolo-end2end";
  return undefined;
}

/** `undefined` in `shape` stands for any size. */
function isTensor(
  value: InferenceSession.ValueMetadata | undefined,
  type: string,
  shape: readonly (number | undefined)[],
): value is InferenceSession.TensorValueMetadata {
  if (!value?.isTensor || value.type !== type || value.shape.length !== shape.length) return false;
  return shape.every((size, axis) => size === undefined || size === value.shape[axis]);
}

function isSize(dimension: Shape[number] | undefined): dimension is number {
  return typeof dimension === "number" && dimension > 0;
}

function fixedSize(
  width: Shape[number] | undefined,
  height: Shape[number] | undefined,
): Pick<ModelLayout, "fixedSize"> {
  return isSize(width) && isSize(height) ? { fixedSize: { width, height } } : {};
}

function multipleFrom(metadata: ReadonlyMap<string, string>): number {
  const [stride] = numbersIn(metadata.get("stride")) ?? [];
  return stride !== undefined && stride >= 1 && stride <= 256 ? stride : DEFAULT_MULTIPLE;
}

/** The whole numbers in text such as "[17, 3]". */
function numbersIn(text: string | undefined): number[] | undefined {
  return text?.match(/\d+/g)?.map(Number);
}

function unsupported({ inputs, outputs }: ModelSignature, reason?: string): CctvError {
  const found = `found input ${inputs.map(describe).join(", ")}, output ${outputs.map(describe).join(", ")}`;
  return new CctvError(
    "MODEL_UNSUPPORTED",
    `cannot run this model${reason ? `: ${reason}` : ""}; ${found}; ${EXPECTED}`,
  );
}

const MAX_DESCRIBED_LENGTH = 120;

function describe(value: InferenceSession.ValueMetadata): string {
  const text = value.isTensor ? `${value.name} ${value.type} [${value.shape.join(", ")}]` : `${value.name} (no tensor)`;
  return text.slice(0, MAX_DESCRIBED_LENGTH);
}

import type { InferenceSession, TypedTensor } from "onnxruntime-web";
import sharp from "sharp";
import { asCctvError, CctvError } from "../errors.ts";
import { copyPlanes, copyRows, type InputSize, type Letterbox, letterbox } from "./letterbox.ts";
import { modelName, readModelMetadata } from "./model-file.ts";
import { layoutOf, type ModelLayout, type PoseModelKind } from "./model-kind.ts";
import { decodeMovenet, MOVENET_THRESHOLD } from "./movenet.ts";
import { normalize } from "./normalize.ts";
import type { Detection } from "./person.ts";
import { loadRuntime, type Runtime, type RuntimeName } from "./runtime.ts";
import { decodeYoloEndToEnd, decodeYoloNms, YOLO_THRESHOLD } from "./yolo.ts";

export interface PoseModelOptions {
  /** Absolute path of an .onnx file. */
  readonly path: string;
  /** Pixels; for models that take any size. */
  readonly longSide: number;
  readonly runtime: "auto" | RuntimeName;
}

/** What a loaded model is, for people and for whoever decodes the pictures. */
export interface PoseModelInfo {
  readonly name: string;
  readonly kind: PoseModelKind;
  readonly runtime: RuntimeName;
  readonly runtimeVersion: string;
  /** Why the slower runtime is at work, where the faster one was wished for. */
  readonly fallbackReason?: string;
  /** Long side in pixels of the pictures that the model sees. Frames of this size need no scaling. */
  readonly inputSize: number;
  /** Milliseconds that loading took. */
  readonly loadMs: number;
}

/** Packed RGB. */
export interface Picture {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
}

const YOLO_PADDING = 114 / 255;

type Input = { readonly fit: Letterbox; readonly values: Uint8Array | Float32Array };

/** A model in memory. Blocks its thread while it works, so it belongs into a worker. One picture at a time. */
export class PoseModel {
  readonly info: PoseModelInfo;
  readonly #runtime: Runtime;
  readonly #session: InferenceSession;
  readonly #layout: ModelLayout;
  readonly #size: InputSize;
  #input: Input | undefined;

  private constructor(info: PoseModelInfo, runtime: Runtime, session: InferenceSession, layout: ModelLayout) {
    this.info = info;
    this.#runtime = runtime;
    this.#session = session;
    this.#layout = layout;
    this.#size = layout.fixedSize ?? { longSide: info.inputSize, multiple: layout.multiple };
  }

  /** @throws CctvError MODEL_NOT_FOUND, MODEL_UNREADABLE, MODEL_UNSUPPORTED, RUNTIME_MISSING */
  static async load({ path, longSide, runtime: wish }: PoseModelOptions): Promise<PoseModel> {
    const startedAt = performance.now();
    const metadata = await readModelMetadata(path);
    const runtime = await loadRuntime(wish);
    const session = await createSession(runtime, path);
    try {
      const layout = layoutOf({ inputs: session.inputMetadata, outputs: session.outputMetadata, metadata });
      const info: PoseModelInfo = {
        name: modelName(path),
        kind: layout.kind,
        runtime: runtime.name,
        runtimeVersion: runtime.version,
        ...(runtime.fallbackReason !== undefined && { fallbackReason: runtime.fallbackReason }),
        inputSize: layout.fixedSize ? Math.max(layout.fixedSize.width, layout.fixedSize.height) : longSide,
        loadMs: performance.now() - startedAt,
      };
      return new PoseModel(info, runtime, session, layout);
    } catch (error) {
      await session.release();
      throw error;
    }
  }

  /**
   * Persons in 0..1 of the picture, by falling score.
   * @param threshold least score of a person, 0..1; by default what suits the model
   * @throws CctvError INFERENCE_FAILED
   */
  async detect(picture: Picture, threshold?: number): Promise<Detection[]> {
    try {
      const fit = letterbox(picture.width, picture.height, this.#size);
      const tensor = this.#tensor(await fitted(picture, fit), fit);
      const outputs = await this.#session.run({ [this.#layout.input]: tensor });
      return normalize(this.#decode(outputs, threshold), fit);
    } catch (error) {
      throw asCctvError(error, "INFERENCE_FAILED");
    }
  }

  async close(): Promise<void> {
    await this.#session.release();
  }

  #tensor(rgb: Uint8Array, fit: Letterbox) {
    const values = this.#inputFor(fit);
    if (values instanceof Uint8Array) {
      copyRows(rgb, fit, values);
      return new this.#runtime.Tensor("uint8", values, [1, fit.height, fit.width, 3]);
    }
    copyPlanes(rgb, fit, values);
    return new this.#runtime.Tensor("float32", values, [1, 3, fit.height, fit.width]);
  }

  /** The last input again where the picture lies in it in the same way, so that the padding is as it should be. */
  #inputFor(fit: Letterbox): Uint8Array | Float32Array {
    if (this.#input && sameFit(this.#input.fit, fit)) return this.#input.values;
    const length = fit.width * fit.height * 3;
    const values =
      this.#layout.kind === "movenet-heads" ? new Uint8Array(length) : new Float32Array(length).fill(YOLO_PADDING);
    this.#input = { fit, values };
    return values;
  }

  #decode(outputs: InferenceSession.ReturnType, threshold: number | undefined): Detection[] {
    const { kind, output } = this.#layout;
    if (kind === "yolo-nms") return decodeYoloNms(floats(outputs, output).data, threshold ?? YOLO_THRESHOLD);
    if (kind === "yolo-end2end") return decodeYoloEndToEnd(floats(outputs, output).data, threshold ?? YOLO_THRESHOLD);
    const center = floats(outputs, "center");
    const [, , height, width] = center.dims as [number, number, number, number];
    const heads = {
      width,
      height,
      center: center.data,
      boxScale: floats(outputs, "box_scale").data,
      boxOffset: floats(outputs, "box_offset").data,
      keypointHeatmap: floats(outputs, "kpt_heatmap").data,
      keypointRegression: floats(outputs, "kpt_regress").data,
      keypointOffset: floats(outputs, "kpt_offset").data,
    };
    return decodeMovenet(heads, threshold ?? MOVENET_THRESHOLD);
  }
}

/** How onnxruntime says that it knows the format but not what is in it. */
const UNKNOWN_TO_RUNTIME = /no op registered|not.implemented|unsupported|opset|ir.version/i;

async function createSession(runtime: Runtime, path: string): Promise<InferenceSession> {
  try {
    return await runtime.createSession(path);
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).replaceAll(path, "the file");
    throw new CctvError(
      UNKNOWN_TO_RUNTIME.test(reason) ? "MODEL_UNSUPPORTED" : "MODEL_UNREADABLE",
      `onnxruntime ${runtime.version} cannot load the model ${path}: ${reason}; export it again, or choose another`,
      { cause: error },
    );
  }
}

/** The decoder normally scales; this is for pictures that come in another size. */
async function fitted({ pixels, width, height }: Picture, fit: Letterbox): Promise<Uint8Array> {
  if (fit.contentWidth === width && fit.contentHeight === height) return pixels;
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .resize(fit.contentWidth, fit.contentHeight, { fit: "fill", kernel: "linear" })
    .raw()
    .toBuffer();
}

function sameFit(a: Letterbox, b: Letterbox): boolean {
  return (
    a.width === b.width &&
    a.height === b.height &&
    a.contentWidth === b.contentWidth &&
    a.contentHeight === b.contentHeight
  );
}

function floats(outputs: InferenceSession.ReturnType, name: string): TypedTensor<"float32"> {
  return outputs[name] as TypedTensor<"float32">;
}

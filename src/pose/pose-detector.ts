import { CctvError } from "../errors.ts";
import type { Frame } from "../frame/frame.ts";
import { type Logger, silent } from "../logger.ts";
import { startPoseWorker } from "./inference-thread.ts";
import { modelPath } from "./model-file.ts";
import { PoseEngine, type PoseResult } from "./pose-engine.ts";
import { PoseMeter, type PoseRates } from "./pose-meter.ts";
import type { PoseModelInfo } from "./pose-model.ts";
import type { RuntimeName } from "./runtime.ts";

export type { PoseResult } from "./pose-engine.ts";
export type { PoseModelInfo } from "./pose-model.ts";

export interface PoseOptions {
  /** Path of an .onnx file; empty or `movenet` for the bundled model. */
  readonly model?: string;
  /** Pixels, 64 to 1920, 640 by default: pictures are scaled to this before they are analysed. */
  readonly longSide?: number;
  /** Least score of a person, above 0 and below 1; by default 0.16 for MoveNet and 0.25 for YOLO. */
  readonly threshold?: number;
  readonly runtime?: "auto" | RuntimeName;
  readonly logger?: Logger;
}

/** Over the last seconds, of one holder's frames. */
export interface PoseStats extends PoseRates {
  /** Absent until the model is loaded. */
  readonly runtime: RuntimeName | undefined;
}

const DEFAULT_LONG_SIDE = 640;
const SMALLEST_LONG_SIDE = 64;
const LARGEST_LONG_SIDE = 1920;

interface SharedEngine {
  readonly engine: PoseEngine;
  holders: number;
}

/** The engines at work, by model, size and runtime. */
const engines = new Map<string, SharedEngine>();
let handles = 0;

/**
 * Finds the persons of a frame. A handle on a model in a worker thread that is shared by all who ask for the same model,
 * size and runtime; give it back with `release`.
 */
export class PoseDetector {
  /** Rejects with a CctvError MODEL_NOT_FOUND, MODEL_UNREADABLE, MODEL_UNSUPPORTED or RUNTIME_MISSING. Nobody needs to listen. */
  readonly ready: Promise<PoseModelInfo>;
  readonly #shared: SharedEngine;
  readonly #forget: () => void;
  readonly #threshold: number | undefined;
  readonly #name = ++handles;
  readonly #meter = new PoseMeter(performance.now());
  #runtime: RuntimeName | undefined;
  #released: Promise<void> | undefined;

  private constructor(shared: SharedEngine, forget: () => void, threshold: number | undefined) {
    this.#shared = shared;
    this.#forget = forget;
    this.#threshold = threshold;
    this.ready = shared.engine.ready;
    this.ready.then(
      (info) => {
        this.#runtime = info.runtime;
      },
      () => {},
    );
  }

  /** @throws CctvError SETTING_INVALID */
  static acquire(options: PoseOptions = {}): PoseDetector {
    const { model, longSide = DEFAULT_LONG_SIDE, threshold, runtime = "auto", logger = silent } = options;
    checkLongSide(longSide);
    if (threshold !== undefined) checkThreshold(threshold);
    const path = modelPath(model);
    const key = JSON.stringify([path, longSide, runtime]);
    let shared = engines.get(key);
    if (!shared || shared.engine.hasFailed) {
      const startWorker = () => startPoseWorker({ path, longSide, runtime });
      shared = { engine: new PoseEngine(startWorker, logger), holders: 0 };
      engines.set(key, shared);
    }
    shared.holders++;
    const forget = () => {
      if (engines.get(key) === shared) engines.delete(key);
    };
    return new PoseDetector(shared, forget, threshold);
  }

  /**
   * Resolves with `undefined` where a newer frame of the same camera came while this one waited, or the detector was
   * released. Rejects with a CctvError, INFERENCE_FAILED or those of `ready`.
   */
  async detect(frame: Frame): Promise<PoseResult | undefined> {
    if (this.#released !== undefined) return undefined;
    const lane = `${this.#name} ${frame.camera.id}`;
    const result = await this.#shared.engine.detect({ frame, lane, holder: this, threshold: this.#threshold });
    if (result) this.#meter.analysed(performance.now(), result.ms);
    else this.#meter.dropped(performance.now());
    return result;
  }

  stats(): PoseStats {
    return { ...this.#meter.rates(performance.now()), runtime: this.#runtime };
  }

  /** Settles what is pending. Resolves, for the last holder, when the thread has ended. */
  release(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  async #release(): Promise<void> {
    const { engine } = this.#shared;
    engine.withdraw(this);
    this.#shared.holders--;
    if (this.#shared.holders > 0) return;
    this.#forget();
    await engine.close();
  }
}

function checkLongSide(longSide: number): void {
  if (Number.isInteger(longSide) && longSide >= SMALLEST_LONG_SIDE && longSide <= LARGEST_LONG_SIDE) return;
  throw new CctvError(
    "SETTING_INVALID",
    `the analysed size is ${longSide}; choose whole pixels from ${SMALLEST_LONG_SIDE} to ${LARGEST_LONG_SIDE}`,
  );
}

function checkThreshold(threshold: number): void {
  if (threshold > 0 && threshold < 1) return;
  throw new CctvError("SETTING_INVALID", `the person threshold is ${threshold}; choose a number between 0 and 1`);
}

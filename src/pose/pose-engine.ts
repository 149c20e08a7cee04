import type { Worker } from "node:worker_threads";
import { asCctvError, type CctvError } from "../errors.ts";
import type { Frame } from "../frame/frame.ts";
import type { Logger } from "../logger.ts";
import { InferenceThread } from "./inference-thread.ts";
import type { Detection } from "./person.ts";
import type { PoseModelInfo } from "./pose-model.ts";
import { WaitingRoom } from "./waiting-room.ts";

export interface PoseResult {
  readonly detections: Detection[];
  /** Name of the model. */
  readonly model: string;
  /** Milliseconds that the frame waited, and that the model took. */
  readonly ms: { readonly queue: number; readonly inference: number };
}

export interface PoseRequest {
  readonly frame: Frame;
  readonly threshold: number | undefined;
  /** Frames of one lane overtake each other; lanes are served in turn. */
  readonly lane: string;
  /** Who asks, so that it can be withdrawn. */
  readonly holder: object;
}

interface Job extends PoseRequest {
  readonly askedAt: number;
  resolve(result: PoseResult | undefined): void;
  reject(error: CctvError): void;
}

const MAX_LANES = 256;
const FIRST_RESTART_MS = 100;
const LONGEST_RESTART_MS = 10_000;

/** Milliseconds until a thread is started again that ended unexpectedly `crashes` times in a row, 1 or more. */
export function restartDelay(crashes: number): number {
  return Math.min(FIRST_RESTART_MS * 2 ** (crashes - 1), LONGEST_RESTART_MS);
}

/**
 * A model at work: one thread, one picture at a time, so that what is analysed is never older than one inference plus
 * one frame. A thread that ends unexpectedly is started again, and only the picture in hand is lost.
 */
export class PoseEngine {
  /** Rejects with a CctvError where the model cannot be loaded. Nobody needs to listen. */
  readonly ready: Promise<PoseModelInfo>;
  readonly #startWorker: () => Worker;
  readonly #logger: Logger;
  readonly #waiting = new WaitingRoom<Job>(MAX_LANES);
  #thread: InferenceThread | undefined;
  #info: PoseModelInfo | undefined;
  #inHand: Job | undefined;
  #crashes = 0;
  #restart: NodeJS.Timeout | undefined;
  #failure: CctvError | undefined;
  #closing: Promise<void> | undefined;

  constructor(startWorker: () => Worker, logger: Logger) {
    this.#startWorker = startWorker;
    this.#logger = logger;
    this.ready = this.#start();
    this.ready.then(
      (info) => this.#report(info),
      (error: CctvError) => this.#fail(error),
    );
  }

  /** The model cannot be loaded, and no request will succeed. */
  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  /** Resolves with `undefined` where a newer frame of the same lane came first. Rejects with a CctvError. */
  detect(request: PoseRequest): Promise<PoseResult | undefined> {
    if (this.#closing !== undefined) return Promise.resolve(undefined);
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      const job: Job = { ...request, askedAt: performance.now(), resolve, reject };
      this.#waiting.put(request.lane, job)?.resolve(undefined);
      this.#next();
    });
  }

  /** Resolves with `undefined` what this holder still waits for. */
  withdraw(holder: object): void {
    for (const job of this.#waiting.clear((waiting) => waiting.holder === holder)) job.resolve(undefined);
    if (this.#inHand?.holder === holder) this.#inHand.resolve(undefined);
  }

  /** Ends the thread; what waits is resolved with `undefined`. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearTimeout(this.#restart);
    for (const job of this.#waiting.clear()) job.resolve(undefined);
    this.#inHand?.resolve(undefined);
    await this.#thread?.stop();
  }

  async #start(): Promise<PoseModelInfo> {
    const thread = new InferenceThread(this.#startWorker());
    this.#thread = thread;
    const info = await thread.loaded;
    void thread.ended.then((error) => error && this.#onCrash(error));
    this.#info = info;
    this.#next();
    return info;
  }

  #next(): void {
    if (!this.#thread?.isUsable || !this.#info || this.#inHand) return;
    const job = this.#waiting.take();
    if (job) void this.#run(job, this.#thread, this.#info);
  }

  async #run(job: Job, thread: InferenceThread, info: PoseModelInfo): Promise<void> {
    this.#inHand = job;
    const takenAt = performance.now();
    const { data: pixels, width, height } = job.frame;
    try {
      const { detections, inferenceMs } = await thread.detect({ pixels, width, height }, job.threshold);
      this.#crashes = 0;
      job.resolve({
        detections,
        model: info.name,
        ms: { queue: takenAt - job.askedAt, inference: inferenceMs },
      });
    } catch (error) {
      job.reject(asCctvError(error, "INFERENCE_FAILED"));
    }
    this.#inHand = undefined;
    this.#next();
  }

  #onCrash(error: CctvError): void {
    if (this.#closing !== undefined) return;
    this.#crashes++;
    this.#logger.warn(error.message);
    this.#restart = setTimeout(() => this.#startAgain(), restartDelay(this.#crashes));
  }

  #startAgain(): void {
    this.#start().then(
      () => this.#logger.info("the pose model is at work again"),
      (error: CctvError) => (error.code === "INFERENCE_FAILED" ? this.#onCrash(error) : this.#fail(error)),
    );
  }

  #fail(error: CctvError): void {
    this.#failure = error;
    for (const job of this.#waiting.clear()) job.reject(error);
    void this.#thread?.stop();
  }

  #report({ name, runtime, runtimeVersion, fallbackReason, loadMs }: PoseModelInfo): void {
    const library = runtime === "native" ? "onnxruntime-node" : "onnxruntime-web (WASM)";
    this.#logger.info(`pose model ${name} loaded in ${Math.round(loadMs)} ms by ${library} ${runtimeVersion}`);
    if (fallbackReason === undefined) return;
    this.#logger.warn(
      `poses are found three to four times slower than could be, as onnxruntime-node is missing (${fallbackReason}); ` +
        "`npm install onnxruntime-node --ignore-scripts` in the Node-RED user directory makes it fast",
    );
  }
}

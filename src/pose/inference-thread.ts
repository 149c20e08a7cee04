import { extname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { CctvError } from "../errors.ts";
import type { Detection } from "./person.ts";
import type { Picture, PoseModelInfo } from "./pose-model.ts";
import type { WorkerReply, WorkerRequest, WorkerStart } from "./worker-protocol.ts";

export interface Inference {
  readonly detections: Detection[];
  /** Milliseconds. */
  readonly inferenceMs: number;
}

/** A worker that was asked to stop and still works after this is made to. */
const STOP_MS = 5000;

export function startPoseWorker(start: WorkerStart): Worker {
  // TypeScript rewrites endings in imports, not here: the worker's is that of this file.
  const script = new URL(`./pose-worker${extname(import.meta.url)}`, import.meta.url);
  // Flags such as --input-type are for the main thread alone.
  return new Worker(script, { workerData: start, name: "pose", execArgv: [] });
}

interface Expectation<Answer> {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

/** The life of one worker thread: it loads a model, answers one picture at a time, and ends. */
export class InferenceThread {
  /** Rejects with a CctvError where the model cannot be loaded, or the thread ends before. */
  readonly loaded: Promise<PoseModelInfo>;
  /** Resolves when the thread is gone, with why where nobody had asked for it. */
  readonly ended: Promise<CctvError | undefined>;
  readonly #worker: Worker;
  #loading: Expectation<PoseModelInfo> | undefined;
  #detecting: Expectation<Inference> | undefined;
  #isLoaded = false;
  #hasEnded = false;
  #stopping: Promise<void> | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
    this.loaded = new Promise((resolve, reject) => {
      this.#loading = { resolve, reject };
    });
    this.ended = new Promise((resolve) => {
      let reason: string | undefined;
      worker.once("error", (error) => {
        reason = error instanceof Error ? error.message : String(error);
      });
      worker.once("exit", (code) => {
        this.#hasEnded = true;
        const error = this.#lost(reason ?? `exit code ${code}`);
        this.#loading?.reject(error);
        this.#detecting?.reject(error);
        resolve(this.#stopping === undefined ? error : undefined);
      });
    });
    worker.on("message", (reply: WorkerReply) => this.#onReply(reply));
  }

  /** Loaded, and not at its end. */
  get isUsable(): boolean {
    return this.#isLoaded && !this.#hasEnded && this.#stopping === undefined;
  }

  /**
   * Call it while it `isUsable`, and again when it has answered. Pixels that lie in shared memory are not copied.
   * Rejects with a CctvError.
   */
  detect(picture: Picture, threshold: number | undefined): Promise<Inference> {
    return new Promise((resolve, reject) => {
      this.#detecting = { resolve, reject };
      const shared = isShared(picture.pixels);
      const pixels = shared ? picture.pixels : new Uint8Array(picture.pixels);
      const request: WorkerRequest = { type: "detect", picture: { ...picture, pixels }, threshold };
      this.#worker.postMessage(request, shared ? [] : [pixels.buffer as ArrayBuffer]);
    });
  }

  /** Ends the thread and waits for its end. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    if (this.#isLoaded && !this.#hasEnded) {
      const request: WorkerRequest = { type: "stop" };
      this.#worker.postMessage(request);
      const patience = new AbortController();
      await Promise.race([this.ended, delay(STOP_MS, undefined, { signal: patience.signal }).catch(() => {})]);
      patience.abort();
    }
    await this.#worker.terminate();
  }

  #onReply(reply: WorkerReply): void {
    switch (reply.type) {
      case "loaded":
        this.#isLoaded = true;
        this.#loading?.resolve(reply.info);
        break;
      case "failed":
        this.#loading?.reject(new CctvError(reply.error.code, reply.error.message));
        break;
      case "detected":
        this.#detecting?.resolve(reply);
        break;
      case "rejected":
        this.#detecting?.reject(new CctvError(reply.error.code, reply.error.message));
        break;
    }
  }

  #lost(reason: string): CctvError {
    const message =
      this.#stopping === undefined
        ? `the thread that runs the pose model ended unexpectedly (${reason}); if this repeats, choose a smaller model`
        : "the pose model was given back before it answered; ask again";
    return new CctvError("INFERENCE_FAILED", message);
  }
}

function isShared({ buffer }: Uint8Array): boolean {
  return buffer instanceof SharedArrayBuffer;
}

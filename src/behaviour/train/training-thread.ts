import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { CctvError, type ErrorCode } from "../../errors.ts";
import type { TrainingTable } from "./table.ts";
import type { Progress, TrainedTrees, TrainingSettings } from "./train-trees.ts";

/** What the thread is started with. */
export interface TrainingTask {
  readonly table: TrainingTable;
  readonly settings: TrainingSettings;
  readonly heldOut: TrainingTable | undefined;
}

/** What the thread says: how far it is, and at last a model or why there is none. */
export type TrainingMessage =
  | { readonly type: "progress"; readonly progress: Progress }
  | { readonly type: "trained"; readonly model: TrainedTrees }
  | { readonly type: "failed"; readonly code: ErrorCode; readonly message: string };

export interface ThreadOptions {
  readonly heldOut?: TrainingTable | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Ends the thread; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * `trainTrees` in a thread of its own, so that everything else goes on meanwhile. The thread ends with it.
 *
 * @throws CctvError DATA_INVALID, SETTING_INVALID; INFERENCE_FAILED where the thread dies, as for want of memory.
 */
export async function trainInThread(
  table: TrainingTable,
  settings: TrainingSettings,
  { heldOut, onProgress, signal }: ThreadOptions = {},
): Promise<TrainedTrees> {
  signal?.throwIfAborted();
  const task: TrainingTask = { table, settings, heldOut };
  // TypeScript rewrites endings in imports, not here: the worker's is that of this file.
  const script = new URL(`./training-worker${extname(import.meta.url)}`, import.meta.url);
  const worker = new Worker(script, { workerData: task, name: "train", execArgv: [] });
  const { promise, resolve, reject } = promiseWithResolvers<TrainedTrees>();
  const stop = (): void => reject(signal?.reason);
  signal?.addEventListener("abort", stop, { once: true });
  worker.on("message", (message: TrainingMessage) => {
    if (message.type === "progress") onProgress?.(message.progress);
    else if (message.type === "trained") resolve(message.model);
    else reject(new CctvError(message.code, message.message));
  });
  worker.on("error", (error) => reject(died(error.message, error)));
  worker.on("exit", (code) => reject(died(`exit code ${code}`)));
  try {
    return await promise;
  } finally {
    signal?.removeEventListener("abort", stop);
    await worker.terminate();
  }
}

function died(how: string, cause?: unknown): CctvError {
  return new CctvError("INFERENCE_FAILED", `the training thread ended (${how}); free some memory and train again`, {
    cause,
  });
}

/** `Promise.withResolvers`, which Node.js 20 lacks. */
function promiseWithResolvers<Value>(): {
  promise: Promise<Value>;
  resolve: (value: Value) => void;
  reject: (reason: unknown) => void;
} {
  let resolve: (value: Value) => void = () => {};
  let reject: (reason: unknown) => void = () => {};
  const promise = new Promise<Value>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

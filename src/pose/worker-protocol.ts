import type { ErrorCode } from "../errors.ts";
import type { Detection } from "./person.ts";
import type { Picture, PoseModelInfo, PoseModelOptions } from "./pose-model.ts";

/** What a worker is started with. */
export type WorkerStart = PoseModelOptions;

/** To the worker. One picture at a time: the next only after the answer to the last. */
export type WorkerRequest = { type: "detect"; picture: Picture; threshold: number | undefined } | { type: "stop" };

/** From the worker: first `loaded` or `failed`, then an answer for each picture. */
export type WorkerReply =
  | { type: "loaded"; info: PoseModelInfo }
  | { type: "failed"; error: PlainError }
  | { type: "detected"; detections: Detection[]; inferenceMs: number }
  | { type: "rejected"; error: PlainError };

/** An error loses its class and its code on the way between threads. */
export interface PlainError {
  readonly code: ErrorCode;
  readonly message: string;
}

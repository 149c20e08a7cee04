import { parentPort, workerData } from "node:worker_threads";
import { asCctvError } from "../../errors.ts";
import { trainTrees } from "./train-trees.ts";
import type { TrainingMessage, TrainingTask } from "./training-thread.ts";

const { table, settings, heldOut } = workerData as TrainingTask;

function say(message: TrainingMessage): void {
  parentPort?.postMessage(message);
}

try {
  const model = trainTrees(table, settings, heldOut, (progress) => say({ type: "progress", progress }));
  say({ type: "trained", model });
} catch (error) {
  const { code, message } = asCctvError(error, "INFERENCE_FAILED");
  say({ type: "failed", code, message });
}

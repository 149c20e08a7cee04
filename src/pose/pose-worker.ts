import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { asCctvError, type ErrorCode } from "../errors.ts";
import { PoseModel } from "./pose-model.ts";
import type { PlainError, WorkerReply, WorkerRequest, WorkerStart } from "./worker-protocol.ts";

async function serve(port: MessagePort, start: WorkerStart): Promise<void> {
  const reply = (message: WorkerReply) => port.postMessage(message);
  let model: PoseModel;
  try {
    model = await PoseModel.load(start);
  } catch (error) {
    reply({ type: "failed", error: plain(error, "MODEL_UNREADABLE") });
    return;
  }
  reply({ type: "loaded", info: model.info });
  const handle = async (request: WorkerRequest) => {
    if (request.type === "detect") return reply(await detect(model, request));
    await model.close();
    port.close();
  };
  // One after the other: a session must not be closed while it works.
  let work = Promise.resolve();
  port.on("message", (request: WorkerRequest) => {
    work = work.then(() => handle(request));
  });
}

async function detect(
  model: PoseModel,
  { picture, threshold }: WorkerRequest & { type: "detect" },
): Promise<WorkerReply> {
  try {
    const startedAt = performance.now();
    const detections = await model.detect(picture, threshold);
    return { type: "detected", detections, inferenceMs: performance.now() - startedAt };
  } catch (error) {
    return { type: "rejected", error: plain(error, "INFERENCE_FAILED") };
  }
}

function plain(error: unknown, fallback: ErrorCode): PlainError {
  const { code, message } = asCctvError(error, fallback);
  return { code, message };
}

// A failure that is not answered ends the worker, which its owner sees.
if (parentPort) void serve(parentPort, workerData as WorkerStart);

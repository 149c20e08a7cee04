import { NodeRed } from "../../build/test/e2e/node-red.js";
import { CLIP } from "../clip.mjs";
import { watch, watchedFlow } from "./node-red-flow.mjs";

/**
 * This package in a Node-RED of its own: camera file -> pose detect -> a function that counts.
 * @param {object} settings
 * @param {number} settings.fps pictures a second that the camera gives
 * @param {"native" | "wasm"} [settings.runtime] that runs the model
 * @param {string} settings.ffmpeg path of the binary
 * @param {AbortSignal} settings.signal
 */
export async function startPipeline({ fps, runtime = "native", ffmpeg, signal }) {
  const camera = {
    id: "camera",
    type: "camera-file",
    name: "Clip",
    path: CLIP,
    loop: true,
    fps,
    longSide: "640",
    ffmpeg,
  };
  const pose = { id: "pose", type: "pose-detect", model: "", longSide: "640", threshold: 0.16, runtime };
  const flow = watchedFlow({
    nodes: [
      { ...camera, wires: [["pose"], []] },
      { ...pose, wires: [["tally"]] },
    ],
    people: "msg.payload.persons.length",
    delay: "{ ...msg.payload.ms, ageAtEnd: Date.now() - msg.frame.timestamp }",
  });
  return watch(await NodeRed.start({ flow }), signal);
}

import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("bare-process.mjs", import.meta.url));

/**
 * The least that does the same work: ffmpeg's raw pictures into onnxruntime, in a Node.js process without Node-RED.
 * @param {object} settings
 * @param {string} settings.ffmpeg path of the binary
 * @param {AbortSignal} settings.signal
 * @returns {Promise<import("./contender.mjs").Contender>}
 */
export async function startBare({ ffmpeg, signal }) {
  const child = fork(SCRIPT, [ffmpeg]);
  const ended = once(child, "exit");
  const failed = ended.then(([code]) => {
    throw new Error(`the bare process ended with code ${code}`);
  });
  failed.catch(() => {}); // of interest to whoever waits for a picture
  return {
    pids: [child.pid],
    async nextPicture() {
      child.send("tally");
      const [tally] = await Promise.race([once(child, "message", { signal }), failed]);
      return tally;
    },
    async stop() {
      child.kill();
      await ended;
    },
  };
}

import { setTimeout as sleep } from "node:timers/promises";
import { ANALYSED_FPS, CLIP_FPS } from "./clip.mjs";
import { startBare } from "./contenders/bare.mjs";
import { startPeer } from "./contenders/good-i-deer.mjs";
import { startPipeline } from "./contenders/pipeline.mjs";
import { measureCpu } from "./measure/cpu.mjs";
import { measureFlood } from "./measure/flood.mjs";
import { measureMemory } from "./measure/memory.mjs";
import { measureRoundTrips } from "./measure/round-trips.mjs";

/**
 * @typedef {object} Measured
 * @property {import("./measure/cpu.mjs").CpuUse} cpu
 * @property {number[]} [trips] milliseconds of HTTP round trips; absent where there is no server
 */

/**
 * @typedef {object} Round
 * @property {Measured} pipeline
 * @property {Measured} bare
 * @property {Measured | { notMeasured: string }} peer
 * @property {import("./measure/flood.mjs").Flood} flood
 * @property {import("./measure/flood.mjs").Flood} slowFlood with the slower WebAssembly runtime
 */

/**
 * @typedef {object} Setting
 * @property {string} ffmpeg path of the binary that all use
 * @property {{ folder: string } | { notMeasured: string }} peer where it is installed, or why not
 * @property {number} seconds of a window
 * @property {AbortSignal} signal
 * @property {(line: string) => void} progress
 */

const WARM_UP_MS = 3000;

/**
 * Each contender once, one after the other.
 * @param {Setting} setting
 * @returns {Promise<Round>}
 */
export async function runRound(setting) {
  const { ffmpeg, signal, progress } = setting;
  progress("this package");
  const pipeline = await measure(() => startPipeline({ fps: ANALYSED_FPS, ffmpeg, signal }), setting);
  progress("bare ffmpeg and onnxruntime");
  const bare = await measure(() => startBare({ ffmpeg, signal }), setting);
  progress("the peer");
  const peer = await measurePeer(setting);
  progress("this package, flooded");
  const flood = await measureFlooded("native", setting);
  progress("this package, flooded, WebAssembly");
  const slowFlood = await measureFlooded("wasm", setting);
  return { pipeline, bare, peer, flood, slowFlood };
}

/**
 * @param {Setting} setting
 * @param {number} minutes
 */
export function runMemory({ ffmpeg, signal, progress }, minutes) {
  progress(`memory of this package, ${minutes} minutes`);
  return withContender(
    () => startPipeline({ fps: ANALYSED_FPS, ffmpeg, signal }),
    (contender) => measureMemory(contender, minutes, signal),
  );
}

/** @param {Setting} setting */
async function measurePeer(setting) {
  const { ffmpeg, peer, signal } = setting;
  if ("notMeasured" in peer) return peer;
  try {
    return await measure(() => startPeer({ folder: peer.folder, ffmpeg, signal }), setting);
  } catch (error) {
    signal.throwIfAborted();
    return { notMeasured: error.message };
  }
}

/**
 * @param {() => Promise<import("./contenders/contender.mjs").Contender>} start
 * @param {Setting} setting
 * @returns {Promise<Measured>}
 */
function measure(start, { seconds, signal }) {
  return withContender(start, async (contender) => {
    await warmUp(contender, signal);
    // One after the other, as questions cost CPU time too.
    const cpu = await measureCpu(contender, seconds, signal);
    if (contender.pingUrl === undefined) return { cpu };
    return { cpu, trips: await measureRoundTrips(contender.pingUrl, seconds, signal) };
  });
}

/**
 * @param {"native" | "wasm"} runtime
 * @param {Setting} setting
 */
function measureFlooded(runtime, { ffmpeg, seconds, signal }) {
  return withContender(
    () => startPipeline({ fps: CLIP_FPS, runtime, ffmpeg, signal }),
    async (contender) => {
      await warmUp(contender, signal);
      return measureFlood(contender, 1000 / CLIP_FPS, seconds, signal);
    },
  );
}

/**
 * @param {import("./contenders/contender.mjs").Contender} contender
 * @param {AbortSignal} signal
 */
async function warmUp(contender, signal) {
  await contender.nextPicture();
  await sleep(WARM_UP_MS, undefined, { signal });
}

/**
 * @template Result
 * @param {() => Promise<import("./contenders/contender.mjs").Contender>} start
 * @param {(contender: import("./contenders/contender.mjs").Contender) => Promise<Result>} use
 * @returns {Promise<Result>}
 */
async function withContender(start, use) {
  const contender = await start();
  try {
    return await use(contender);
  } finally {
    await contender.stop();
  }
}

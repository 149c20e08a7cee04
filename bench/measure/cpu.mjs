import { setTimeout as sleep } from "node:timers/promises";
import { processTree } from "./process-tree.mjs";

/**
 * @typedef {object} CpuUse
 * @property {number} msPerPicture CPU time of all processes, for each analysed picture
 * @property {number} ffmpegMsPerPicture the part of it that ffmpeg took
 * @property {number} picturesPerSecond analysed
 * @property {number} peoplePerPicture that were found
 */

/**
 * The CPU time of a contender from the end of one picture to the end of another, at least `seconds` later.
 * @param {import("../contenders/contender.mjs").Contender} contender
 * @param {number} seconds
 * @param {AbortSignal} signal
 * @returns {Promise<CpuUse>}
 */
export async function measureCpu(contender, seconds, signal) {
  const before = await snapshot(contender);
  await sleep(seconds * 1000, undefined, { signal });
  const after = await snapshot(contender);
  const pictures = after.pictures - before.pictures;
  return {
    msPerPicture: (after.cpuMs - before.cpuMs) / pictures,
    ffmpegMsPerPicture: (after.ffmpegMs - before.ffmpegMs) / pictures,
    picturesPerSecond: (pictures / (after.at - before.at)) * 1000,
    peoplePerPicture: (after.people - before.people) / pictures,
  };
}

/** @param {import("../contenders/contender.mjs").Contender} contender */
async function snapshot(contender) {
  const { pictures, people } = await contender.nextPicture();
  const processes = processTree(contender.pids);
  const sum = (some) => some.reduce((total, { cpuMs }) => total + cpuMs, 0);
  return {
    pictures,
    people,
    at: performance.now(),
    cpuMs: sum(processes),
    ffmpegMs: sum(processes.filter(({ name }) => name === "ffmpeg")),
  };
}

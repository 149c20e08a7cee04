import { setTimeout as sleep } from "node:timers/promises";
import { median, slope } from "../statistics.mjs";
import { processTree } from "./process-tree.mjs";

const WARM_UP_MS = 60_000;
const EVERY_MS = 5000;
/** Samples in a minute: one sample says little, as garbage comes and goes. */
const MINUTE = 60_000 / EVERY_MS;

/**
 * @typedef {object} MemoryUse
 * @property {number} minutes
 * @property {number} startMb resident, of all processes: median of the first minute
 * @property {number} endMb median of the last minute
 * @property {number} largestMb
 * @property {number} percentPerHour slope of the line through all samples, in percent of the start
 */

/**
 * The memory of a contender over time, after a minute in which it may grow.
 * @param {import("../contenders/contender.mjs").Contender} contender
 * @param {number} minutes
 * @param {AbortSignal} signal
 * @returns {Promise<MemoryUse>}
 */
export async function measureMemory(contender, minutes, signal) {
  await sleep(WARM_UP_MS, undefined, { signal });
  const samples = [];
  const startedAt = performance.now();
  while (performance.now() - startedAt <= minutes * 60_000) {
    await contender.nextPicture(); // it is still at work
    const rssBytes = processTree(contender.pids).reduce((total, process) => total + process.rssBytes, 0);
    samples.push({ x: (performance.now() - startedAt) / 3_600_000, y: rssBytes / 1e6 });
    await sleep(EVERY_MS, undefined, { signal });
  }
  const megabytes = samples.map(({ y }) => y);
  const startMb = median(megabytes.slice(0, MINUTE));
  return {
    minutes,
    startMb,
    endMb: median(megabytes.slice(-MINUTE)),
    largestMb: Math.max(...megabytes),
    percentPerHour: (slope(samples) / startMb) * 100,
  };
}

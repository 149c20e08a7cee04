import { Agent, get } from "node:http";
import { setInterval } from "node:timers/promises";

const EVERY_MS = 20;

/**
 * Asks every 20 ms, whether the last answer has come or not, so that a server that stands still is seen by all who
 * would have asked meanwhile.
 * @param {string} url
 * @param {number} seconds
 * @param {AbortSignal} signal
 * @returns {Promise<number[]>} milliseconds from each question to the end of its answer
 */
export async function measureRoundTrips(url, seconds, signal) {
  const agent = new Agent({ keepAlive: true });
  try {
    const trips = [];
    const end = performance.now() + seconds * 1000;
    for await (const _ of setInterval(EVERY_MS, undefined, { signal })) {
      if (performance.now() >= end) break;
      const trip = roundTrip(url, agent);
      trip.catch(() => {}); // reported below
      trips.push(trip);
    }
    return await Promise.all(trips);
  } finally {
    agent.destroy();
  }
}

/**
 * @param {string} url
 * @param {Agent} agent
 * @returns {Promise<number>}
 */
function roundTrip(url, agent) {
  const askedAt = performance.now();
  return new Promise((resolve, reject) => {
    const request = get(url, { agent }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`${url} answered ${response.statusCode}`));
      response.resume();
      response.on("end", () => resolve(performance.now() - askedAt));
      response.on("error", reject);
    });
    request.on("error", reject);
  });
}

import { percentile } from "../statistics.mjs";
import { measureRoundTrips } from "./round-trips.mjs";

/**
 * @typedef {object} Flood
 * @property {number[]} trips milliseconds of HTTP round trips
 * @property {number} inferenceP50 milliseconds
 * @property {number} inferenceP99
 * @property {number} queueP99 that an analysed picture waited for the model
 * @property {number} ageP99 of a picture when its analysis began
 * @property {number} ageMax
 * @property {number} withinLimit share, 0..1, of pictures not older then than the inference before took, and one frame
 * @property {number} worstExcess milliseconds beyond that limit; negative where all are within
 */

/**
 * What happens when pictures come faster than they can be analysed.
 * @param {import("../contenders/contender.mjs").Contender} contender whose tally has delays
 * @param {number} framePeriod milliseconds from picture to picture
 * @param {number} seconds
 * @param {AbortSignal} signal
 * @returns {Promise<Flood>}
 */
export async function measureFlood(contender, framePeriod, seconds, signal) {
  await contender.nextPicture(); // forgets the delays until now
  const trips = await measureRoundTrips(contender.pingUrl, seconds, signal);
  const { delays } = await contender.nextPicture();
  const queue = delays.map((delay) => delay.queue);
  const inference = delays.map((delay) => delay.inference);
  const age = delays.map((delay) => delay.ageAtEnd - delay.inference);
  // While it waited, the model was busy with the picture before.
  const excess = age.slice(1).map((value, index) => value - (inference[index] + framePeriod));
  return {
    trips,
    inferenceP50: percentile(inference, 50),
    inferenceP99: percentile(inference, 99),
    queueP99: percentile(queue, 99),
    ageP99: percentile(age, 99),
    ageMax: Math.max(...age),
    withinLimit: excess.filter((value) => value <= 0).length / excess.length,
    worstExcess: Math.max(...excess),
  };
}

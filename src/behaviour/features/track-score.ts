import type { Body } from "./body.ts";
import { TrackFeatures } from "./track-features.ts";

/** Scores a row of features; higher is more worth a look. */
export type RateRow = (values: Float32Array) => number;

/**
 * The score of one person over time: that of each row of features, and of those the exponential mean over
 * the past, which asks a gesture to last.
 */
export class TrackScore {
  readonly #rate: RateRow;
  readonly #share: number;
  readonly #features = new TrackFeatures();
  #score: number | undefined;

  /** @param share of the newest row in the mean, above 0 to 1; 1 does not smooth. */
  constructor(rate: RateRow, share: number) {
    this.#rate = rate;
    this.#share = share;
  }

  /**
   * Takes the next sighting of the person.
   *
   * @param timestamp milliseconds.
   * @returns the score by now; undefined until the first window is full.
   */
  push(timestamp: number, body: Body): number | undefined {
    for (const { values } of this.#features.push(timestamp, body)) {
      const score = this.#rate(values);
      this.#score = this.#score === undefined ? score : this.#score + this.#share * (score - this.#score);
    }
    return this.#score;
  }
}

import type { Booster } from "./ensemble.ts";
import { invalid } from "./refusals.ts";

/** gblinear: for each feature a weight per group, then a bias per group. Features without a value add nothing. */
export class LinearBooster implements Booster {
  readonly #weights: Float32Array;

  /** @throws CctvError TREES_INVALID where the weights do not fit. */
  constructor(weights: Float32Array, featureCount: number, groups: number) {
    const expected = (featureCount + 1) * groups;
    if (weights.length !== expected) throw invalid(`it has ${weights.length} linear weights and needs ${expected}`);
    if (!weights.every(Number.isFinite)) throw invalid("one of its linear weights is no number");
    this.#weights = weights;
  }

  addTo(margins: Float32Array, row: Float32Array): void {
    const groups = margins.length;
    for (let group = 0; group < groups; group++) {
      let margin = Math.fround((margins[group] as number) + (this.#weights[row.length * groups + group] as number));
      for (let feature = 0; feature < row.length; feature++) {
        const value = row[feature] as number;
        if (Number.isNaN(value)) continue;
        margin = Math.fround(margin + Math.fround(value * (this.#weights[feature * groups + group] as number)));
      }
      margins[group] = margin;
    }
  }
}

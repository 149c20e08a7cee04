import { CctvError } from "../../errors.ts";
import type { Booster } from "./ensemble.ts";
import type { Objective } from "./objective.ts";

export interface BoostedTreesInit {
  readonly featureNames: readonly string[] | undefined;
  readonly featureCount: number;
  readonly objective: Objective;
  /** One per group, before any tree. */
  readonly baseMargins: Float32Array;
  readonly booster: Booster;
}

/** A loaded XGBoost model. It is immutable and scores a row in microseconds, with XGBoost's own float32 arithmetic. */
export class BoostedTrees {
  /** Where the model was trained on a table with names, those, in the order of a row's values. */
  readonly featureNames: readonly string[] | undefined;
  /** Length of a row. */
  readonly featureCount: number;
  /** XGBoost's name of it, such as `binary:logistic`. */
  readonly objective: string;
  /** Length of a prediction: 1, or the number of classes or targets. */
  readonly outputs: number;
  readonly #objective: Objective;
  readonly #baseMargins: Float32Array;
  readonly #booster: Booster;

  constructor({ featureNames, featureCount, objective, baseMargins, booster }: BoostedTreesInit) {
    this.featureNames = featureNames;
    this.featureCount = featureCount;
    this.objective = objective.name;
    this.outputs = objective.outputs(baseMargins.length);
    this.#objective = objective;
    this.#baseMargins = baseMargins;
    this.#booster = booster;
  }

  /**
   * What `Booster.predict` gives for this row: a probability, an expectation, or one share per class.
   *
   * @param row `featureCount` values; NaN where one is missing.
   * @throws CctvError TREES_INVALID where the row has another length.
   */
  predict(row: Float32Array): Float32Array {
    return this.#objective.predict(this.margin(row));
  }

  /** As `predict` with `output_margin=True`: the plain sums, one per class or target. */
  margin(row: Float32Array): Float32Array {
    if (row.length !== this.featureCount) {
      throw new CctvError(
        "TREES_INVALID",
        `this model takes ${this.featureCount} features, got ${row.length}; use a model that was trained on these features`,
      );
    }
    const margins = this.#baseMargins.slice();
    this.#booster.addTo(margins, row);
    return margins;
  }
}

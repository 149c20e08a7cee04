import { CctvError } from "../../errors.ts";
import { FEATURES } from "../features/track-features.ts";
import type { RateRow } from "../features/track-score.ts";
import type { BoostedTrees } from "../trees/boosted-trees.ts";
import type { TrainedTrees } from "./train-trees.ts";
import { xgboostJson } from "./xgboost-document.ts";

/** What a model of gestures says of itself, kept in the file as XGBoost's attributes. */
export interface GestureNotes {
  /** Share of the newest row in the exponential mean over a person's scores. */
  readonly smoothing: number;
  /** Score, 0..1 after smoothing, from which a gesture is proposed for review. */
  readonly threshold: number;
  /** Cameras that it learned from. */
  readonly cameras: readonly string[];
}

const PREFIX = "gesture.";

export function gestureJson(model: TrainedTrees, { smoothing, threshold, cameras }: GestureNotes): string {
  return xgboostJson(model, {
    [`${PREFIX}smoothing`]: String(smoothing),
    [`${PREFIX}threshold`]: String(threshold),
    [`${PREFIX}cameras`]: cameras.join(","),
  });
}

/**
 * @param document the parsed file of a model.
 * @throws CctvError TREES_UNSUPPORTED where the file does not say how its scores are to be used.
 */
export function gestureNotes(document: unknown): GestureNotes {
  const { learner } = Object(document) as { learner?: { attributes?: Record<string, unknown> } };
  const text = (name: string): string => String(learner?.attributes?.[`${PREFIX}${name}`] ?? "");
  const share = (name: string): number => {
    const value = Number(text(name));
    if (text(name) !== "" && value > 0 && value <= 1) return value;
    throw new CctvError(
      "TREES_UNSUPPORTED",
      `the model has no attribute ${PREFIX}${name} between 0 and 1; train it with "aislewatch train"`,
    );
  };
  const cameras = text("cameras")
    .split(",")
    .filter((camera) => camera !== "");
  return { smoothing: share("smoothing"), threshold: share("threshold"), cameras };
}

/**
 * @returns what rates rows of `FEATURES` by a model, as log odds.
 * @throws CctvError TREES_UNSUPPORTED where it was trained on other features.
 */
export function rateBy(trees: BoostedTrees): RateRow {
  const names = trees.featureNames ?? [];
  const same =
    trees.outputs === 1 && names.length === FEATURES.length && FEATURES.every((name, at) => names[at] === name);
  if (!same || trees.objective !== "binary:logistic") {
    throw new CctvError(
      "TREES_UNSUPPORTED",
      `the model (${trees.objective}, ${trees.featureCount} features) does not take the ${FEATURES.length} features of this version; train it again with "aislewatch train"`,
    );
  }
  return (values) => trees.margin(values)[0] as number;
}

export function probability(margin: number): number {
  return 1 / (1 + Math.exp(-margin));
}

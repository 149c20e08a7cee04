import { basename } from "node:path";
import { CctvError } from "../errors.ts";
import { JOINTS, type Person } from "../pose/person.ts";
import type { Behaviour, BehaviourModel } from "./behaviour.ts";
import type { BoostedTrees } from "./trees/boosted-trees.ts";
import { loadTrees } from "./trees/load.ts";

/** The gates of the recipe. Scores and predictions are 0..1. */
export interface RecipeGates {
  /** Which side of `predictionGate` is suspicious. The published models call shoplifting 0, so `below`. */
  readonly suspiciousWhen: "below" | "above";
  /** Persons are judged whose score is above this. */
  readonly scoreGate: number;
  /** The label needs a person score of at least this. */
  readonly alertGate: number;
  readonly predictionGate: number;
}

export interface RecipeSettings extends Partial<RecipeGates> {
  /** An XGBoost model, saved as JSON or UBJSON. */
  readonly path: string;
  /**
   * Whether key points below 0.5 become (0, 0). Ultralytics did so from October 2023 to at least
   * April 2025, so models that were trained on its output of that time expect it. Default false.
   */
  readonly zeroMask?: boolean;
}

const DEFAULT_GATES: RecipeGates = { suspiciousWhen: "below", scoreGate: 0.75, alertGate: 0.85, predictionGate: 0.5 };

const MASKED_BELOW = 0.5;

/** The recipe's columns: x0, y0, x1, y1 … x16, y16, in COCO's order of joints. */
export const RECIPE_FEATURES: readonly string[] = JOINTS.flatMap((_, index) => [`x${index}`, `y${index}`]);

/**
 * The recipe that many tutorials share: an XGBoost classifier on the key points of a single frame, as
 * fractions of the whole picture.
 *
 * It is here for those who have such a model. On real shoplifting footage (PoseLift, arXiv
 * 2501.06591) one is near chance: it learns where people stand rather than what they do.
 *
 * @throws CctvError TREES_NOT_FOUND, TREES_INVALID, TREES_TOO_LARGE; TREES_UNSUPPORTED also for a
 *   model with other features than x0, y0 … x16, y16, or more than one output.
 */
export async function loadRecipe(settings: RecipeSettings): Promise<BehaviourModel> {
  const { path, zeroMask = false, ...gates } = settings;
  return recipeModel(await loadTrees(path), basename(path), { ...DEFAULT_GATES, ...gates }, zeroMask);
}

function recipeModel(trees: BoostedTrees, name: string, gates: RecipeGates, zeroMask: boolean): BehaviourModel {
  if (trees.outputs !== 1) {
    throw new CctvError(
      "TREES_UNSUPPORTED",
      `${name} gives ${trees.outputs} outputs (${trees.objective}); the recipe needs one, as binary:logistic gives`,
    );
  }
  const columns = recipeColumns(trees, name);
  return {
    name,
    judge: (persons) =>
      persons.map((person) => {
        if (person.score <= gates.scoreGate) return { label: "normal", score: 0, model: name, reasons: [] };
        const values = recipeValues(person, zeroMask);
        const row = Float32Array.from(columns, (column) => values[column] as number);
        return recipeVerdict(trees.predict(row)[0] as number, person.score, name, gates);
      }),
  };
}

/**
 * For each feature of the model, which of `RECIPE_FEATURES` it is: by name, or by place in a model without names.
 *
 * @throws CctvError TREES_UNSUPPORTED where the model takes anything else.
 */
export function recipeColumns(
  model: Pick<BoostedTrees, "featureNames" | "featureCount">,
  name: string,
): readonly number[] {
  const expected = "the recipe has 34: x0, y0, x1, y1 … x16, y16";
  if (model.featureCount !== RECIPE_FEATURES.length) {
    throw new CctvError("TREES_UNSUPPORTED", `${name} takes ${model.featureCount} features; ${expected}`);
  }
  const names = model.featureNames ?? RECIPE_FEATURES;
  const unknown = names.filter((feature) => !RECIPE_FEATURES.includes(feature));
  if (unknown.length > 0 || new Set(names).size !== names.length) {
    const found = unknown.length > 0 ? `features named ${unknown.slice(0, 3).join(", ")}` : "a feature twice";
    throw new CctvError("TREES_UNSUPPORTED", `${name} takes ${found}; ${expected}`);
  }
  return names.map((feature) => RECIPE_FEATURES.indexOf(feature));
}

/** The values of `RECIPE_FEATURES` for a person. */
export function recipeValues(person: Pick<Person, "keypoints">, zeroMask: boolean): Float32Array {
  return Float32Array.from(
    person.keypoints.flatMap(([x, y, score]) => (zeroMask && score < MASKED_BELOW ? [0, 0] : [x, y])),
  );
}

/** What the recipe concludes from one prediction about one person. */
export function recipeVerdict(prediction: number, personScore: number, model: string, gates: RecipeGates): Behaviour {
  const below = gates.suspiciousWhen === "below";
  const score = Math.min(1, Math.max(0, below ? 1 - prediction : prediction));
  const beyondGate = below ? prediction < gates.predictionGate : prediction > gates.predictionGate;
  const suspicious = beyondGate && personScore >= gates.alertGate;
  return {
    label: suspicious ? "suspicious" : "normal",
    score,
    model,
    reasons: suspicious ? [`posture singled out by ${model}`] : [],
  };
}

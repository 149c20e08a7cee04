import { BoostedTrees } from "./boosted-trees.ts";
import { type Booster, TreeEnsemble } from "./ensemble.ts";
import { Fields } from "./fields.ts";
import { LinearBooster } from "./linear.ts";
import { baseMargin, type Objective, objectiveNamed } from "./objective.ts";
import { invalid, unsupported } from "./refusals.ts";

const MAX_FEATURES = 2 ** 31 - 1;
const MAX_GROUPS = 65_536;

/**
 * Makes a model of a parsed document, in any of the layouts of XGBoost 1.0 to 3.x
 * (https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html).
 *
 * @throws CctvError TREES_INVALID, TREES_UNSUPPORTED
 */
export function modelOf(document: unknown): BoostedTrees {
  if (Array.isArray(document)) {
    throw unsupported("it is a text dump of trees (dump_model), which lacks the base score");
  }
  const learner = new Fields(document, "the model").object("learner");
  const parameters = learner.object("learner_model_param");
  const featureCount = parameters.integer("num_feature", 0, MAX_FEATURES);
  const groups = Math.max(1, optionalGroups(parameters, "num_class"), optionalGroups(parameters, "num_target"));
  const objective = objectiveNamed(learner.object("objective").text("name"));
  return new BoostedTrees({
    featureNames: readFeatureNames(learner, featureCount),
    featureCount,
    objective,
    baseMargins: readBaseMargins(parameters, objective, groups),
    booster: readBooster(learner.object("gradient_booster"), featureCount, groups),
  });
}

function optionalGroups(parameters: Fields, key: string): number {
  return parameters.has(key) ? parameters.integer(key, 0, MAX_GROUPS) : 0;
}

function readFeatureNames(learner: Fields, featureCount: number): readonly string[] | undefined {
  const names = learner.has("feature_names") ? learner.texts("feature_names") : [];
  if (names.length === 0) return undefined;
  if (names.length !== featureCount) throw invalid(`it names ${names.length} features and has ${featureCount}`);
  return names;
}

function readBaseMargins(parameters: Fields, objective: Objective, groups: number): Float32Array {
  const raw = parameters.raw("base_score");
  const scores = baseScores(raw);
  if (scores.length !== 1 && scores.length !== groups) {
    throw invalid(`it has ${scores.length} base scores for ${groups} outputs`);
  }
  const margins = Float32Array.from({ length: groups }, (_, group) =>
    baseMargin(objective.link, scores[scores.length === 1 ? 0 : group] as number),
  );
  if (!margins.every(Number.isFinite)) {
    throw invalid(`its base score ${JSON.stringify(raw).slice(0, 60)} does not suit ${objective.name}`);
  }
  return margins;
}

/** A number, its text ("5E-1"), and since 3.1 the text of a list ("[5E-1]"), or a list. */
function baseScores(raw: unknown): number[] {
  if (typeof raw === "number") return [raw];
  if (Array.isArray(raw)) return raw.map(Number);
  if (ArrayBuffer.isView(raw)) return Array.from(raw as unknown as Float32Array);
  if (typeof raw !== "string") throw invalid("its base score is no number");
  const list = /^\s*\[(.*)\]\s*$/s.exec(raw)?.[1];
  return (list ?? raw).split(",").map((text) => (text.trim() === "" ? Number.NaN : Number(text)));
}

function readBooster(booster: Fields, featureCount: number, groups: number): Booster {
  const name = booster.text("name");
  switch (name) {
    case "gblinear":
      return new LinearBooster(booster.object("model").floats("weights"), featureCount, groups);
    case "gbtree":
    case "dart":
      return readTrees(booster, name, featureCount, groups);
    default:
      throw unsupported(
        `its booster is ${JSON.stringify(name.slice(0, 40))}`,
        "train it with gbtree, dart or gblinear",
      );
  }
}

function readTrees(booster: Fields, name: "gbtree" | "dart", featureCount: number, groups: number): Booster {
  // Up to 3.2, dart wraps a gbtree.
  const model = (booster.has("gbtree") ? booster.object("gbtree") : booster).object("model");
  checkLeaves(model);
  const count = model.length("trees");
  const treeGroups = model.integers("tree_info");
  if (treeGroups.length !== count) throw invalid(`it has ${count} trees and a tree_info for ${treeGroups.length}`);
  const stray = treeGroups.find((group) => group < 0 || group >= groups);
  if (stray !== undefined) throw invalid(`a tree adds to output ${stray}, outside 0..${groups - 1}`);
  const weights = name === "dart" ? readTreeWeights(booster, model, count) : new Float32Array(count).fill(1);
  return new TreeEnsemble(model.objects("trees"), featureCount, treeGroups, weights);
}

function checkLeaves(model: Fields): void {
  if (!model.has("gbtree_model_param")) return;
  const parameters = model.object("gbtree_model_param");
  const stated = parameters.has("num_trees") ? parameters.integer("num_trees", 0, 2 ** 31) : undefined;
  const count = model.length("trees");
  if (stated !== undefined && stated !== count) throw invalid(`it states ${stated} trees and has ${count}`);
  if (parameters.has("size_leaf_vector") && parameters.integer("size_leaf_vector", 0, 2 ** 31) > 1) {
    throw unsupported("its leaves are vectors", 'train it with multi_strategy="one_output_per_tree"');
  }
}

/** Dart's weights stand beside the model up to 3.3, and inside it from 3.4 on. */
function readTreeWeights(booster: Fields, model: Fields, count: number): Float32Array {
  const weights = (booster.has("weight_drop") ? booster : model).floats("weight_drop");
  if (weights.length !== count) throw invalid(`it has ${count} trees and ${weights.length} weights for them`);
  if (!weights.every(Number.isFinite)) throw invalid("the weight of one of its trees is no number");
  return weights;
}

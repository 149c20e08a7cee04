import type { TrainedTrees } from "./train-trees.ts";
import { LEAF, type Tree } from "./tree.ts";

/** XGBoost writes 2^31 - 1 for the parent of a root. */
const NO_PARENT = 2147483647;

/**
 * Writes a model as XGBoost does since 1.0 (schema: https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html),
 * for any version to load.
 *
 * @param attributes kept with the model: XGBoost's `Booster.attributes()`.
 */
export function xgboostJson(model: TrainedTrees, attributes: Readonly<Record<string, string>> = {}): string {
  const width = String(model.columns.length);
  return write({
    learner: {
      attributes,
      feature_names: model.columns,
      feature_types: [],
      gradient_booster: {
        model: {
          gbtree_model_param: { num_parallel_tree: "1", num_trees: String(model.trees.length), size_leaf_vector: "0" },
          tree_info: model.trees.map(() => 0),
          trees: model.trees.map((tree, id) => treeDocument(tree, id, width)),
        },
        name: "gbtree",
      },
      learner_model_param: {
        base_score: shortest(model.baseScore),
        boost_from_average: "1",
        num_class: "0",
        num_feature: width,
        num_target: "1",
      },
      objective: { name: "binary:logistic", reg_loss_param: { scale_pos_weight: "1" } },
    },
    version: [1, 7, 4],
  });
}

function treeDocument(tree: Tree, id: number, width: string): object {
  return {
    // What a node would say if it were a leaf: needed to go on growing a tree, not to predict.
    base_weights: new Float32Array(tree.length),
    categories: [],
    categories_nodes: [],
    categories_segments: [],
    categories_sizes: [],
    default_left: tree.map((node) => (node.missingLeft ? 1 : 0)),
    id,
    left_children: tree.map((node) => node.left),
    loss_changes: Float32Array.from(tree, (node) => brief(node.gain)),
    parents: tree.map((node) => (node.parent < 0 ? NO_PARENT : node.parent)),
    right_children: tree.map((node) => node.right),
    split_conditions: Float32Array.from(tree, (node) => (node.feature === LEAF ? node.value : node.threshold)),
    split_indices: tree.map((node) => Math.max(0, node.feature)),
    split_type: tree.map(() => 0),
    sum_hessian: Float32Array.from(tree, (node) => brief(node.cover)),
    tree_param: { num_deleted: "0", num_feature: width, num_nodes: String(tree.length), size_leaf_vector: "0" },
  };
}

/** JSON, with the members of a Float32Array as XGBoost wants its numbers: `1` is an integer to it and refused, `10e-1` is not. */
function write(value: unknown): string {
  if (value instanceof Float32Array) return `[${Array.from(value, shortest).join(",")}]`;
  if (Array.isArray(value)) return `[${value.map(write).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}:${write(member)}`);
  return `{${members.join(",")}}`;
}

/** The shortest decimal that reads back as the same float32. */
function shortest(value: number): string {
  const exact = Math.fround(value);
  const digits = [1, 2, 3, 4, 5, 6, 7, 8, 9].find((count) => Math.fround(Number(exact.toPrecision(count))) === exact);
  const text = String(Number(exact.toPrecision(digits ?? 9)));
  // An exponent of 0 would do for XGBoost, but formatters of JSON take it away.
  const [, whole, zeros = ""] = /^(-?\d+?)(0*)$/.exec(text) ?? [];
  if (whole === undefined) return text;
  if (whole === "0") return "0e1";
  return zeros === "" ? `${whole}0e-1` : `${whole}e${zeros.length}`;
}

/** What only describes a tree needs no more than 2 digits. */
function brief(value: number): number {
  return Number(value.toPrecision(2));
}

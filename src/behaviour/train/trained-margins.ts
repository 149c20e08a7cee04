import type { TrainingTable } from "./table.ts";
import type { TrainedTrees } from "./train-trees.ts";
import { LEAF, type Tree, type TreeNode } from "./tree.ts";

/** What a model makes of each row of a table, as margins: log odds. */
export function marginsOf(model: TrainedTrees, { values, columns, labels }: TrainingTable): Float64Array {
  const base = Math.log(model.baseScore / (1 - model.baseScore));
  return Float64Array.from(labels, (_, row) => {
    const own = values.subarray(row * columns.length, (row + 1) * columns.length);
    return model.trees.reduce((sum, tree) => sum + leafOf(tree, own).value, base);
  });
}

function leafOf(tree: Tree, row: Float32Array): TreeNode {
  let node = tree[0] as TreeNode;
  while (node.feature !== LEAF) {
    const value = row[node.feature] as number;
    const goesLeft = Number.isNaN(value) ? node.missingLeft : value < node.threshold;
    node = tree[goesLeft ? node.left : node.right] as TreeNode;
  }
  return node;
}

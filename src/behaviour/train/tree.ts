import { type BinnedColumns, MISSING_BIN } from "./bins.ts";

export const LEAF = -1;

/** One node of a tree. Children come after their parents, and the right one after the left one. */
export interface TreeNode {
  /** Index of the parent, -1 at the root. */
  readonly parent: number;
  /** Column of a split, -1 in a leaf. */
  feature: number;
  /** Values below it go left. */
  threshold: number;
  /** The last bin that goes left. */
  bin: number;
  missingLeft: boolean;
  left: number;
  right: number;
  /** What a leaf adds to the margin. */
  value: number;
  /** How much the split lowers the loss, 0 in a leaf. */
  gain: number;
  /** Sum of the second derivatives of the rows in it. */
  cover: number;
}

export type Tree = readonly TreeNode[];

/** Adds to each row's margin what its leaf says. */
export function addTree(tree: Tree, { bins, rows }: BinnedColumns, margins: Float64Array): void {
  for (let row = 0; row < rows; row++) {
    let node = tree[0] as TreeNode;
    while (node.feature !== LEAF) {
      const bin = bins[node.feature * rows + row] as number;
      const goesLeft = bin === MISSING_BIN ? node.missingLeft : bin <= node.bin;
      node = tree[goesLeft ? node.left : node.right] as TreeNode;
    }
    margins[row] = (margins[row] as number) + node.value;
  }
}

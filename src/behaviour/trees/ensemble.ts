import type { Fields } from "./fields.ts";
import { invalid, unsupported } from "./refusals.ts";

/** Adds what it makes of a row to one margin per group. */
export interface Booster {
  addTo(margins: Float32Array, row: Float32Array): void;
}

const NO_CHILD = -1;
const LEAF = -1;

/**
 * The nodes of many trees, side by side in arrays; a node is an index into them. The right child of a
 * split follows its left one.
 */
interface Nodes<List> {
  /** Column that a split looks at; -1 marks a leaf. */
  readonly feature: List;
  /** What a leaf adds; the threshold of a split, below which a row goes left. */
  readonly value: List;
  readonly left: List;
  /** The child for rows without a value. */
  readonly missing: List;
  /** Of a categorical split, the categories that go right; all others go left. */
  readonly categories: Map<number, ReadonlySet<number>>;
}

/** Trees to sum up: a plain boosted model (gbtree), a forest, or one with dropped trees (dart). */
export class TreeEnsemble implements Booster {
  readonly #feature: Int32Array;
  readonly #value: Float32Array;
  readonly #left: Int32Array;
  readonly #missing: Int32Array;
  readonly #categories: ReadonlyMap<number, ReadonlySet<number>>;
  readonly #roots: Int32Array;
  readonly #groups: Int32Array;
  readonly #weights: Float32Array;

  /**
   * @param trees as XGBoost writes them.
   * @param groups for each tree, the margin it adds to.
   * @param weights for each tree, what its leaves are multiplied by.
   * @throws CctvError TREES_INVALID where one is no tree over so many features; TREES_UNSUPPORTED
   *   where its leaves are vectors.
   */
  constructor(trees: Iterable<Fields>, featureCount: number, groups: Int32Array, weights: Float32Array) {
    const nodes: Nodes<number[]> = { feature: [], value: [], left: [], missing: [], categories: new Map() };
    const roots = Array.from(trees, (tree) => addTree(nodes, readTree(tree, featureCount)));
    this.#feature = Int32Array.from(nodes.feature);
    this.#value = Float32Array.from(nodes.value);
    this.#left = Int32Array.from(nodes.left);
    this.#missing = Int32Array.from(nodes.missing);
    this.#categories = nodes.categories;
    this.#roots = Int32Array.from(roots);
    this.#groups = groups;
    this.#weights = weights;
  }

  addTo(margins: Float32Array, row: Float32Array): void {
    for (let tree = 0; tree < this.#roots.length; tree++) {
      const leaf = this.#leaf(this.#roots[tree] as number, row);
      const share = Math.fround((this.#value[leaf] as number) * (this.#weights[tree] as number));
      const group = this.#groups[tree] as number;
      margins[group] = (margins[group] as number) + share;
    }
  }

  #leaf(root: number, row: Float32Array): number {
    let node = root;
    for (let feature = this.#feature[node] as number; feature !== LEAF; feature = this.#feature[node] as number) {
      const value = row[feature] as number;
      if (Number.isNaN(value)) node = this.#missing[node] as number;
      else node = (this.#left[node] as number) + (this.#goesLeft(node, value) ? 0 : 1);
    }
    return node;
  }

  #goesLeft(node: number, value: number): boolean {
    const categories = this.#categories.size > 0 ? this.#categories.get(node) : undefined;
    if (!categories) return value < (this.#value[node] as number);
    return value < 0 || !categories.has(Math.trunc(value));
  }
}

/** One tree as the document has it, its arrays of equal length. */
interface TreeDocument {
  readonly place: string;
  readonly featureCount: number;
  readonly left: Int32Array;
  readonly right: Int32Array;
  readonly feature: Int32Array;
  readonly value: Float32Array;
  readonly defaultLeft: Int32Array;
  readonly categories: ReadonlyMap<number, ReadonlySet<number>>;
}

function readTree(tree: Fields, featureCount: number): TreeDocument {
  const left = tree.integers("left_children");
  const size = left.length;
  if (size === 0) throw invalid(`${tree.place} has no nodes`);
  const lists = {
    right: tree.integers("right_children"),
    feature: tree.integers("split_indices"),
    value: tree.floats("split_conditions"),
    defaultLeft: tree.integers("default_left"),
  };
  const sizes = Object.values(lists).map((list) => list.length);
  if (tree.has("tree_param")) sizes.push(checkParameters(tree.object("tree_param")));
  if (sizes.some((other) => other !== size)) {
    throw invalid(`the lists of ${tree.place} differ in length: ${[size, ...sizes].join(", ")}`);
  }
  return { place: tree.place, featureCount, left, ...lists, categories: readCategories(tree, size) };
}

/** @returns the number of nodes that the tree claims to have. */
function checkParameters(parameters: Fields): number {
  if (parameters.has("size_leaf_vector") && parameters.integer("size_leaf_vector", 0, 2 ** 31) > 1) {
    throw unsupported(
      `the leaves of ${parameters.place} are vectors`,
      'train it with multi_strategy="one_output_per_tree"',
    );
  }
  return parameters.integer("num_nodes", 1, 2 ** 31);
}

/** The categorical splits, which models before 1.3 know nothing of. */
function readCategories(tree: Fields, size: number): ReadonlyMap<number, ReadonlySet<number>> {
  const splits = new Map<number, ReadonlySet<number>>();
  if (!tree.has("split_type")) return splits;
  const types = tree.integers("split_type");
  if (types.length !== size) throw invalid(`${tree.place}.split_type has ${types.length} values for ${size} nodes`);
  if (!types.includes(1)) return splits;

  const categories = tree.integers("categories");
  const nodes = tree.integers("categories_nodes");
  const starts = tree.integers("categories_segments");
  const lengths = tree.integers("categories_sizes");
  if (starts.length !== nodes.length || lengths.length !== nodes.length) {
    throw invalid(`the lists of categories of ${tree.place} differ in length`);
  }
  for (const [index, node] of nodes.entries()) {
    const start = starts[index] as number;
    const end = start + (lengths[index] as number);
    if (start < 0 || end < start || end > categories.length || splits.has(node)) {
      throw invalid(`the categories of node ${node} of ${tree.place} are out of place`);
    }
    splits.set(node, new Set(categories.subarray(start, end)));
  }
  for (const [node, type] of types.entries()) {
    if (type !== 0 && !splits.has(node)) throw invalid(`node ${node} of ${tree.place} has no categories`);
    if (type === 0 && splits.has(node)) throw invalid(`node ${node} of ${tree.place} has categories but needs none`);
  }
  return splits;
}

/**
 * Adds the nodes that can be reached, level by level; pruned trees hold others too.
 *
 * @returns where its root is.
 */
function addTree(nodes: Nodes<number[]>, tree: TreeDocument): number {
  const root = nodes.feature.length;
  const reached = [0];
  const seen = new Uint8Array(tree.left.length);
  seen[0] = 1;
  for (let position = 0; position < reached.length; position++) {
    const source = reached[position] as number;
    const left = tree.left[source] as number;
    const right = tree.right[source] as number;
    if (left === NO_CHILD && right === NO_CHILD) {
      addLeaf(nodes, tree, source);
      continue;
    }
    for (const child of [left, right]) {
      if (child < 0 || child >= seen.length) {
        throw invalid(`node ${source} of ${tree.place} has a child ${child}, outside 0..${seen.length - 1}`);
      }
      if (seen[child]) throw invalid(`node ${child} of ${tree.place} can be reached in two ways, so it is no tree`);
      seen[child] = 1;
    }
    addSplit(nodes, tree, source, root + reached.length);
    reached.push(left, right);
  }
  return root;
}

function addLeaf(nodes: Nodes<number[]>, tree: TreeDocument, source: number): void {
  const value = tree.value[source] as number;
  if (!Number.isFinite(value)) throw invalid(`leaf ${source} of ${tree.place} is ${value}`);
  nodes.feature.push(LEAF);
  nodes.value.push(value);
  nodes.left.push(NO_CHILD);
  nodes.missing.push(NO_CHILD);
}

function addSplit(nodes: Nodes<number[]>, tree: TreeDocument, source: number, left: number): void {
  const feature = tree.feature[source] as number;
  const value = tree.value[source] as number;
  const categories = tree.categories.get(source);
  if (feature < 0 || feature >= tree.featureCount) {
    throw invalid(`node ${source} of ${tree.place} splits feature ${feature}, outside 0..${tree.featureCount - 1}`);
  }
  if (categories) nodes.categories.set(nodes.feature.length, categories);
  else if (Number.isNaN(value)) throw invalid(`node ${source} of ${tree.place} has no threshold`);
  nodes.feature.push(feature);
  nodes.value.push(value);
  nodes.left.push(left);
  nodes.missing.push(tree.defaultLeft[source] ? left : left + 1);
}

import { BIN_COUNT, type BinnedColumns, MISSING_BIN } from "./bins.ts";
import { LEAF, type Tree, type TreeNode } from "./tree.ts";

export interface GrowthSettings {
  /** Splits from the root to a leaf, at most. */
  readonly depth: number;
  /** Each leaf is multiplied by it, 0..1. */
  readonly learningRate: number;
  /** Added to the second derivatives of a leaf, which makes it smaller. */
  readonly l2: number;
  /** Sum of second derivatives that each side of a split must have. */
  readonly minChildWeight: number;
  /** By how much a split must lower the loss. */
  readonly minGain: number;
}

/** Two numbers a bin: the sums of first and second derivatives of the rows in it. */
type Histogram = Float64Array;

/** A node that may still be split, and its rows: those from `start` up to `end` of the grower's list. */
interface OpenNode {
  readonly index: number;
  readonly start: number;
  readonly end: number;
  readonly gradient: number;
  readonly hessian: number;
  readonly histogram: Histogram;
}

interface Split {
  readonly feature: number;
  readonly bin: number;
  readonly missingLeft: boolean;
  readonly gain: number;
  readonly leftGradient: number;
  readonly leftHessian: number;
}

/** Less than this share of a node's rows is what rounding left over of none. */
const NEGLIGIBLE = 1e-9;

/**
 * Grows regression trees on derivatives of a loss, level by level, by histograms: the larger child of a
 * split gets its parent's less its sibling's (Chen and Guestrin, "XGBoost", arXiv 1603.02754; Ke et al.,
 * "LightGBM", NeurIPS 2017). Keeps its memory from tree to tree.
 */
export class TreeGrower {
  readonly #columns: BinnedColumns;
  readonly #settings: GrowthSettings;
  readonly #pairs: Float64Array;
  readonly #aside: Uint32Array;
  readonly #spare: Histogram[] = [];

  constructor(columns: BinnedColumns, settings: GrowthSettings) {
    this.#columns = columns;
    this.#settings = settings;
    this.#pairs = new Float64Array(2 * columns.rows);
    this.#aside = new Uint32Array(columns.rows);
  }

  /**
   * @param derivatives first and second derivative of the loss, for each row of the table.
   * @param rows the rows to learn from; their order changes.
   * @param features the columns to split, ascending.
   */
  grow(derivatives: Float64Array, rows: Uint32Array, features: Uint32Array): Tree {
    const nodes: TreeNode[] = [];
    const histogram = this.#histogram(features.length);
    this.#fill(histogram, derivatives, rows, 0, rows.length, features);
    let gradient = 0;
    let hessian = 0;
    for (const row of rows) {
      gradient += derivatives[2 * row] as number;
      hessian += derivatives[2 * row + 1] as number;
    }
    let open: OpenNode[] = [{ index: 0, start: 0, end: rows.length, gradient, hessian, histogram }];
    nodes.push(this.#leaf(-1, gradient, hessian));
    for (let depth = 1; open.length > 0; depth++) {
      const next: OpenNode[] = [];
      for (const node of open) {
        const split = this.#bestSplit(node, features);
        if (split) next.push(...this.#divide(nodes, node, split, derivatives, rows, features, depth));
        else this.#spare.push(node.histogram);
      }
      open = next;
    }
    return nodes;
  }

  /** @returns the children that may be split further. */
  #divide(
    nodes: TreeNode[],
    node: OpenNode,
    split: Split,
    derivatives: Float64Array,
    rows: Uint32Array,
    features: Uint32Array,
    depth: number,
  ): OpenNode[] {
    const { feature, bin, missingLeft, gain } = split;
    const left = nodes.length;
    const threshold = this.#columns.cuts[feature]?.[bin - 1] as number;
    Object.assign(nodes[node.index] as TreeNode, {
      feature,
      bin,
      missingLeft,
      gain,
      threshold,
      left,
      right: left + 1,
      value: 0,
    });
    const sums = [
      { gradient: split.leftGradient, hessian: split.leftHessian },
      { gradient: node.gradient - split.leftGradient, hessian: node.hessian - split.leftHessian },
    ] as const;
    for (const { gradient, hessian } of sums) nodes.push(this.#leaf(node.index, gradient, hessian));
    if (depth === this.#settings.depth) {
      this.#spare.push(node.histogram);
      return [];
    }
    const border = this.#part(rows, node, split);
    const one = { index: left, start: node.start, end: border, ...sums[0] };
    const other = { index: left + 1, start: border, end: node.end, ...sums[1] };
    const [smaller, larger] = border - node.start <= node.end - border ? [one, other] : [other, one];
    const histogram = this.#histogram(features.length);
    this.#fill(histogram, derivatives, rows, smaller.start, smaller.end, features);
    const rest = node.histogram;
    for (let index = 0; index < rest.length; index++)
      rest[index] = (rest[index] as number) - (histogram[index] as number);
    const children = [
      { ...smaller, histogram },
      { ...larger, histogram: rest },
    ];
    return children.sort((a, b) => a.index - b.index);
  }

  #fill(
    histogram: Histogram,
    derivatives: Float64Array,
    rows: Uint32Array,
    start: number,
    end: number,
    features: Uint32Array,
  ): void {
    const { bins, rows: height } = this.#columns;
    const pairs = this.#pairs;
    const count = end - start;
    for (let index = 0; index < count; index++) {
      const row = rows[start + index] as number;
      pairs[2 * index] = derivatives[2 * row] as number;
      pairs[2 * index + 1] = derivatives[2 * row + 1] as number;
    }
    for (let slot = 0; slot < features.length; slot++) {
      const column = (features[slot] as number) * height;
      const base = slot * BIN_COUNT;
      for (let index = 0; index < count; index++) {
        const at = 2 * (base + (bins[column + (rows[start + index] as number)] as number));
        histogram[at] = (histogram[at] as number) + (pairs[2 * index] as number);
        histogram[at + 1] = (histogram[at + 1] as number) + (pairs[2 * index + 1] as number);
      }
    }
  }

  #bestSplit(node: OpenNode, features: Uint32Array): Split | undefined {
    const { l2, minChildWeight, minGain } = this.#settings;
    const { histogram, gradient, hessian } = node;
    const whole = (gradient * gradient) / (hessian + l2);
    let best: Split | undefined;
    let bestGain = Math.max(minGain, 1e-6);
    const consider = (
      feature: number,
      bin: number,
      missingLeft: boolean,
      ownGradient: number,
      ownHessian: number,
    ): void => {
      const otherGradient = gradient - ownGradient;
      const otherHessian = hessian - ownHessian;
      if (ownHessian < minChildWeight || otherHessian < minChildWeight) return;
      const gain =
        (ownGradient * ownGradient) / (ownHessian + l2) + (otherGradient * otherGradient) / (otherHessian + l2) - whole;
      if (!(gain > bestGain)) return;
      bestGain = gain;
      best = { feature, bin, missingLeft, gain, leftGradient: ownGradient, leftHessian: ownHessian };
    };
    for (let slot = 0; slot < features.length; slot++) {
      const feature = features[slot] as number;
      const at = 2 * slot * BIN_COUNT;
      const missingGradient = histogram[at + 2 * MISSING_BIN] as number;
      const missingHessian = histogram[at + 2 * MISSING_BIN + 1] as number;
      const someMissing = missingHessian > NEGLIGIBLE * hessian;
      const splits = (this.#columns.cuts[feature] as Float32Array).length;
      let below = 0;
      let belowHessian = 0;
      for (let bin = 1; bin <= splits; bin++) {
        below += histogram[at + 2 * bin] as number;
        belowHessian += histogram[at + 2 * bin + 1] as number;
        // Where none is missing, a missing value later goes with the majority.
        if (!someMissing) consider(feature, bin, 2 * belowHessian >= hessian, below, belowHessian);
        else {
          consider(feature, bin, true, below + missingGradient, belowHessian + missingHessian);
          consider(feature, bin, false, below, belowHessian);
        }
      }
    }
    return best;
  }

  /** Puts the rows that go left before the others, both in their order. @returns where the others begin. */
  #part(rows: Uint32Array, { start, end }: OpenNode, { feature, bin, missingLeft }: Split): number {
    const { bins, rows: height } = this.#columns;
    const column = feature * height;
    let border = start;
    let aside = 0;
    for (let index = start; index < end; index++) {
      const row = rows[index] as number;
      const own = bins[column + row] as number;
      if (own === MISSING_BIN ? missingLeft : own <= bin) rows[border++] = row;
      else this.#aside[aside++] = row;
    }
    rows.set(this.#aside.subarray(0, aside), border);
    return border;
  }

  #leaf(parent: number, gradient: number, hessian: number): TreeNode {
    const { l2, learningRate } = this.#settings;
    const value = Math.fround((-learningRate * gradient) / (hessian + l2));
    return {
      parent,
      feature: LEAF,
      threshold: 0,
      bin: 0,
      missingLeft: false,
      left: -1,
      right: -1,
      value,
      gain: 0,
      cover: hessian,
    };
  }

  #histogram(features: number): Histogram {
    const spare = this.#spare.pop();
    return spare ? spare.fill(0) : new Float64Array(2 * features * BIN_COUNT);
  }
}

import { CctvError } from "../../errors.ts";
import { seededRandom } from "../features/random.ts";
import { type BinnedColumns, binColumns } from "./bins.ts";
import { type GrowthSettings, TreeGrower } from "./grow-tree.ts";
import { checkTable, rowCount, type TrainingTable } from "./table.ts";
import { addTree, type Tree } from "./tree.ts";

export interface TrainingSettings extends GrowthSettings {
  /** Trees of one ensemble, at most. */
  readonly trees: number;
  /** Models that are trained with other samples and averaged into one. */
  readonly models: number;
  /** Share of the rows that each tree sees, above 0 to 1. */
  readonly rowShare: number;
  /** Share of the columns that each tree sees, above 0 to 1. */
  readonly columnShare: number;
  /** The same numbers for the same seed, table and settings. */
  readonly seed: number;
  /** With held-out rows, training ends after so many trees that did not lower their loss. */
  readonly patience: number;
}

export const DEFAULT_TRAINING: TrainingSettings = {
  trees: 200,
  models: 1,
  depth: 3,
  learningRate: 0.1,
  l2: 1,
  minChildWeight: 5,
  minGain: 0,
  rowShare: 0.7,
  columnShare: 0.5,
  seed: 1,
  patience: 30,
};

/** A model of boosted trees as it comes out of training. */
export interface TrainedTrees {
  readonly columns: readonly string[];
  /** What every row starts from, as a probability. */
  readonly baseScore: number;
  readonly trees: readonly Tree[];
}

export interface Progress {
  /** Trees grown so far, and to be grown at most. */
  readonly done: number;
  readonly total: number;
  /** Mean logistic loss of the held-out rows; undefined where there are none. */
  readonly heldOutLoss: number | undefined;
}

/**
 * Trains boosted trees for two classes with logistic loss.
 *
 * @param heldOut rows of the same columns that decide how many trees are kept: those of another camera, so
 *   that the number suits cameras that were not seen.
 * @throws CctvError DATA_INVALID, SETTING_INVALID
 */
export function trainTrees(
  table: TrainingTable,
  settings: TrainingSettings = DEFAULT_TRAINING,
  heldOut?: TrainingTable,
  onProgress: (progress: Progress) => void = () => {},
): TrainedTrees {
  checkSettings(settings);
  checkTable(table);
  const width = table.columns.length;
  const columns = binColumns(table.values, width);
  const test = heldOut && { table: heldOut, columns: binColumns(heldOut.values, width, columns.cuts) };
  const baseScore = Math.fround(baseScoreOf(table));
  const total = settings.models * settings.trees;
  const trees: Tree[] = [];
  for (let model = 0; model < settings.models; model++) {
    const start = model * settings.trees;
    const random = seededRandom(settings.seed * 1000 + model);
    const report = (done: number, heldOutLoss: number | undefined): void =>
      onProgress({ done: start + done, total, heldOutLoss });
    const grown = boost(table, columns, test, baseScore, settings, random, report);
    trees.push(...grown.map((tree) => scaled(tree, 1 / settings.models)));
  }
  return { columns: table.columns, baseScore, trees };
}

function boost(
  table: TrainingTable,
  columns: BinnedColumns,
  test: { table: TrainingTable; columns: BinnedColumns } | undefined,
  baseScore: number,
  settings: TrainingSettings,
  random: () => number,
  report: (done: number, loss: number | undefined) => void,
): Tree[] {
  const base = Math.log(baseScore / (1 - baseScore));
  const margins = new Float64Array(columns.rows).fill(base);
  const testMargins = new Float64Array(test?.columns.rows ?? 0).fill(base);
  const derivatives = new Float64Array(2 * columns.rows);
  const grower = new TreeGrower(columns, settings);
  const counting = table.weights.reduce((sum, weight) => sum + (weight > 0 ? 1 : 0), 0);
  const rowsPerTree = Math.max(1, Math.round(settings.rowShare * counting));
  const columnsPerTree = Math.max(1, Math.round(settings.columnShare * table.columns.length));
  const allRows = Uint32Array.from(table.weights.keys()).filter((row) => (table.weights[row] as number) > 0);
  const allColumns = Uint32Array.from(table.columns.keys());
  const trees: Tree[] = [];
  let best = { loss: Number.POSITIVE_INFINITY, trees: 0 };
  while (trees.length < settings.trees) {
    derive(table, margins, derivatives);
    const rows = sample(allRows, rowsPerTree, random);
    const tree = grower.grow(derivatives, rows, sample(allColumns, columnsPerTree, random));
    trees.push(tree);
    addTree(tree, columns, margins);
    if (!test) {
      report(trees.length, undefined);
      continue;
    }
    addTree(tree, test.columns, testMargins);
    const loss = logisticLoss(test.table, testMargins);
    report(trees.length, loss);
    if (loss < best.loss) best = { loss, trees: trees.length };
    if (trees.length - best.trees >= settings.patience) break;
  }
  return test ? trees.slice(0, best.trees) : trees;
}

/** Derivatives of the weighted logistic loss by the margin. */
function derive({ labels, weights }: TrainingTable, margins: Float64Array, derivatives: Float64Array): void {
  for (let row = 0; row < margins.length; row++) {
    const chance = 1 / (1 + Math.exp(-(margins[row] as number)));
    const weight = weights[row] as number;
    derivatives[2 * row] = weight * (chance - (labels[row] as number));
    derivatives[2 * row + 1] = weight * Math.max(1e-16, chance * (1 - chance));
  }
}

function logisticLoss(table: TrainingTable, margins: Float64Array): number {
  let loss = 0;
  let total = 0;
  for (let row = 0; row < rowCount(table); row++) {
    const signed = table.labels[row] ? (margins[row] as number) : -(margins[row] as number);
    const weight = table.weights[row] as number;
    loss += weight * (signed > 0 ? Math.log1p(Math.exp(-signed)) : Math.log1p(Math.exp(signed)) - signed);
    total += weight;
  }
  return loss / total;
}

function baseScoreOf({ labels, weights }: TrainingTable): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const positive = weights.reduce((sum, weight, row) => sum + weight * (labels[row] as number), 0);
  return Math.min(0.999, Math.max(0.001, positive / total));
}

/** `count` of the items, in their order (Knuth, volume 2, algorithm 3.4.2S). */
function sample(items: Uint32Array, count: number, random: () => number): Uint32Array {
  if (count >= items.length) return items.slice();
  const out = new Uint32Array(count);
  let taken = 0;
  for (let index = 0; taken < count; index++) {
    if (random() * (items.length - index) < count - taken) out[taken++] = items[index] as number;
  }
  return out;
}

function scaled(tree: Tree, by: number): Tree {
  return tree.map((node) => ({ ...node, value: leafValue(node.value * by) }));
}

/** Three digits are more than a leaf is known to, and keep files small. */
function leafValue(value: number): number {
  return Math.fround(Number(value.toPrecision(3)));
}

function checkSettings(settings: TrainingSettings): void {
  const rules: readonly [keyof TrainingSettings, number, number, boolean][] = [
    ["trees", 1, 5000, true],
    ["models", 1, 50, true],
    ["depth", 1, 8, true],
    ["patience", 1, 5000, true],
    ["seed", 0, 2 ** 31 - 1, true],
    ["learningRate", 1e-4, 1, false],
    ["rowShare", 1e-3, 1, false],
    ["columnShare", 1e-3, 1, false],
    ["l2", 0, 1e6, false],
    ["minChildWeight", 0, 1e9, false],
    ["minGain", 0, 1e9, false],
  ];
  for (const [name, least, most, whole] of rules) {
    const value = settings[name];
    if (value >= least && value <= most && (!whole || Number.isInteger(value))) continue;
    const kind = whole ? "a whole number" : "a number";
    throw new CctvError("SETTING_INVALID", `${name} is ${value}; set it to ${kind} from ${least} to ${most}`);
  }
}

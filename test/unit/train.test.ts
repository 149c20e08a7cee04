import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededRandom } from "../../src/behaviour/features/random.ts";
import { binColumns } from "../../src/behaviour/train/bins.ts";
import { selectRows, type TrainingTable } from "../../src/behaviour/train/table.ts";
import {
  DEFAULT_TRAINING,
  type Progress,
  type TrainingSettings,
  trainTrees,
} from "../../src/behaviour/train/train-trees.ts";
import { marginsOf } from "../../src/behaviour/train/trained-margins.ts";
import { trainInThread } from "../../src/behaviour/train/training-thread.ts";
import { xgboostJson } from "../../src/behaviour/train/xgboost-document.ts";
import { parseTrees } from "../../src/behaviour/trees/load.ts";
import { CctvError } from "../../src/errors.ts";

const QUICK: TrainingSettings = { ...DEFAULT_TRAINING, trees: 40, learningRate: 0.2 };
const PYTHON = "/usr/bin/python3";

type Rule = (row: readonly number[], random: () => number) => number;

/** Rows of random numbers in -1..1 with labels by a rule; `missing` is the share of values that are absent. */
function tableOf(rows: number, columns: number, rule: Rule, { seed = 1, missing = 0 } = {}): TrainingTable {
  const random = seededRandom(seed);
  const values = new Float32Array(rows * columns);
  const labels = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) {
    const own = Array.from({ length: columns }, () => 2 * random() - 1);
    labels[row] = rule(own, random);
    values.set(
      own.map((value) => (random() < missing ? Number.NaN : value)),
      row * columns,
    );
  }
  const names = Array.from({ length: columns }, (_, index) => `column ${index}`);
  return { columns: names, values, labels, weights: new Float32Array(rows).fill(1) };
}

/** Needs two columns at a time: no single one tells anything. */
const exclusive: Rule = ([a = 0, b = 0]) => (a > 0.1 !== b > -0.2 ? 1 : 0);

function accuracy(table: TrainingTable, margins: ArrayLike<number>): number {
  return (
    table.labels.reduce((sum, label, row) => sum + ((margins[row] as number) > 0 === (label === 1) ? 1 : 0), 0) /
    table.labels.length
  );
}

function assertCode(run: () => unknown, code: string, words: RegExp): void {
  assert.throws(run, (error) => error instanceof CctvError && error.code === code && words.test(error.message));
}

describe("bins", () => {
  it("part all values of a column that has few", () => {
    const { cuts, bins } = binColumns(Float32Array.of(3, 1, Number.NaN, 2, 1), 1);
    assert.deepEqual([...(cuts[0] as Float32Array)], [1.5, 2.5]);
    assert.deepEqual([...bins], [3, 1, 0, 2, 1]);
  });

  it("hold about as many values each, and never mix the two sides of a threshold", () => {
    const random = seededRandom(2);
    const values = Float32Array.from({ length: 20_000 }, () => (random() < 0.3 ? 0 : random() ** 3));
    const { cuts, bins } = binColumns(values, 1);
    const [thresholds = new Float32Array()] = cuts;
    const counts = new Map<number, number>();
    for (const [row, bin] of bins.entries()) {
      counts.set(bin, (counts.get(bin) ?? 0) + 1);
      const value = values[row] as number;
      assert.ok(bin === 1 || value >= (thresholds[bin - 2] as number));
      assert.ok(bin > thresholds.length || value < (thresholds[bin - 1] as number));
    }
    assert.ok(thresholds.length > 150 && thresholds.length <= 254, `${thresholds.length} thresholds`);
    assert.ok(thresholds.every((threshold, index) => index === 0 || threshold > (thresholds[index - 1] as number)));
    const crowded = [...counts.values()].filter((count) => count > 160);
    assert.equal(crowded.length, 1);
  });
});

describe("training of trees", () => {
  it("learns a rule that needs two columns, and not by heart", () => {
    const model = trainTrees(tableOf(3000, 6, exclusive), QUICK);
    const unseen = tableOf(1000, 6, exclusive, { seed: 2 });
    assert.ok(accuracy(unseen, marginsOf(model, unseen)) > 0.96);
  });

  it("gives the same model for the same seed, and another for another", () => {
    const table = tableOf(500, 5, exclusive);
    const [one, same, other] = [1, 1, 2].map((seed) => xgboostJson(trainTrees(table, { ...QUICK, seed })));
    assert.equal(one, same);
    assert.notEqual(one, other);
  });

  it("sends missing values to the side where they belong", () => {
    const rule: Rule = (_, random) => (random() < 0.5 ? 1 : 0);
    const table = tableOf(2000, 3, rule);
    for (const [row, label] of table.labels.entries()) {
      if (label === 1 && row % 10 !== 0) table.values[3 * row + 1] = Number.NaN;
    }
    const model = trainTrees(table, QUICK);
    assert.ok(accuracy(table, marginsOf(model, table)) > 0.93);
  });

  it("stops where held-out rows gain no more, and keeps the trees up to there", () => {
    const noisy: Rule = ([a = 0], random) => (random() < (a > 0 ? 0.7 : 0.3) ? 1 : 0);
    const told: Progress[] = [];
    const settings = { ...QUICK, trees: 400, patience: 10, depth: 5 };
    const heldOut = tableOf(600, 8, noisy, { seed: 9 });
    const model = trainTrees(tableOf(600, 8, noisy), settings, heldOut, (progress) => told.push(progress));
    assert.ok(told.length < 200, `${told.length} trees`);
    const losses = told.map(({ heldOutLoss }) => heldOutLoss as number);
    assert.equal(model.trees.length, losses.indexOf(Math.min(...losses)) + 1);
    assert.equal(told.length, model.trees.length + settings.patience);
  });

  it("leaves out rows of weight 0, and heeds heavier ones", () => {
    const table = tableOf(1000, 2, ([a = 0]) => (a > 0 ? 1 : 0));
    for (let row = 0; row < 500; row++) {
      table.labels[row] = 1 - (table.labels[row] as number);
      table.weights[row] = 0;
    }
    const kept = selectRows(table, (row) => row >= 500);
    const model = trainTrees(table, { ...QUICK, minChildWeight: 1 });
    assert.ok(accuracy(kept, marginsOf(model, kept)) > 0.99);
  });

  it("averages several models", () => {
    const table = tableOf(800, 4, exclusive);
    const model = trainTrees(table, { ...QUICK, trees: 15, models: 3 });
    assert.equal(model.trees.length, 45);
    const margins = marginsOf(model, table);
    const one = marginsOf(trainTrees(table, { ...QUICK, trees: 15 }), table);
    const size = (list: Float64Array) => list.reduce((sum, value) => sum + Math.abs(value), 0);
    assert.ok(Math.abs(size(margins) / size(one) - 1) < 0.2);
  });

  it("refuses tables and settings that make no sense, with the reason", () => {
    const table = tableOf(20, 2, exclusive);
    assertCode(() => trainTrees({ ...table, labels: new Uint8Array(20) }), "DATA_INVALID", /examples of both/);
    assertCode(() => trainTrees({ ...table, labels: new Uint8Array(19) }), "DATA_INVALID", /rows of 2/);
    assertCode(() => trainTrees({ ...table, values: new Float32Array(40).fill(Infinity) }), "DATA_INVALID", /infinite/);
    assertCode(() => trainTrees({ ...table, weights: new Float32Array(20).fill(-1) }), "DATA_INVALID", /weight/);
    assertCode(() => trainTrees(table, { ...QUICK, depth: 0 }), "SETTING_INVALID", /depth is 0/);
    assertCode(() => trainTrees(table, { ...QUICK, rowShare: 2 }), "SETTING_INVALID", /rowShare is 2/);
  });
});

describe("trained model as a file of XGBoost", () => {
  const table = tableOf(2000, 7, exclusive, { missing: 0.15 });
  const model = trainTrees(table, { ...QUICK, models: 2 });
  const json = xgboostJson(model, { "gesture.note": 'with "quotes"' });

  it("is read by our own loader with the same margins", () => {
    const trees = parseTrees(Buffer.from(json));
    assert.deepEqual(trees.featureNames, table.columns);
    for (const [row, margin] of marginsOf(model, table).entries()) {
      const own = trees.margin(table.values.subarray(row * 7, row * 7 + 7))[0] as number;
      assert.ok(Math.abs(own - margin) < 1e-5, `row ${row}: ${own} instead of ${margin}`);
    }
  });

  it("is read by XGBoost itself with the same predictions to 1e-6", function () {
    if (spawnSync(PYTHON, ["-c", "import xgboost"]).status !== 0) this.skip();
    this.timeout(30_000);
    const folder = mkdtempSync(join(tmpdir(), "train-"));
    try {
      writeFileSync(join(folder, "model.json"), json);
      writeFileSync(join(folder, "rows"), new Uint8Array(table.values.buffer));
      const script = `
import json, numpy, xgboost
booster = xgboost.Booster()
booster.load_model("model.json")
rows = numpy.fromfile("rows", dtype="float32").reshape(-1, 7)
out = booster.predict(xgboost.DMatrix(rows, feature_names=booster.feature_names))
print(json.dumps([booster.attr("gesture.note"), out.tolist()]))`;
      const [note, predictions] = JSON.parse(
        execFileSync(PYTHON, ["-c", script], { cwd: folder, encoding: "utf8", env: { OMP_NUM_THREADS: "1" } }),
      );
      assert.equal(note, 'with "quotes"');
      const trees = parseTrees(Buffer.from(json));
      assert.equal(predictions.length, 2000);
      for (const [row, prediction] of predictions.entries()) {
        const own = trees.predict(table.values.subarray(row * 7, row * 7 + 7))[0] as number;
        assert.ok(Math.abs(own - prediction) < 1e-6, `row ${row}: ${own} instead of ${prediction}`);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("training in a thread", () => {
  const table = tableOf(400, 4, exclusive);

  it("gives the same model as without, and tells how far it is", async () => {
    const told: number[] = [];
    const model = await trainInThread(table, QUICK, { onProgress: ({ done }) => told.push(done) });
    assert.equal(xgboostJson(model), xgboostJson(trainTrees(table, QUICK)));
    assert.deepEqual(
      told,
      Array.from({ length: 40 }, (_, index) => index + 1),
    );
  });

  it("ends at once when it is cancelled, with the reason", async () => {
    const cancel = new AbortController();
    const reason = new Error("enough");
    const onProgress = ({ done }: Progress) => done === 3 && cancel.abort(reason);
    const started = Date.now();
    const training = trainInThread(table, { ...QUICK, trees: 5000, models: 50 }, { onProgress, signal: cancel.signal });
    await assert.rejects(training, reason);
    assert.ok(Date.now() - started < 5000);
    await assert.rejects(trainInThread(table, QUICK, { signal: cancel.signal }), reason);
  });

  it("says what is wrong with a table", async () => {
    const training = trainInThread({ ...table, labels: new Uint8Array(400) }, QUICK);
    await assert.rejects(training, { code: "DATA_INVALID" });
  });
});

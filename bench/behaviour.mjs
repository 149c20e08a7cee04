// Training of boosted trees against XGBoost in the same run, and the cost of scoring people.
//
//     node bench/behaviour.mjs [--rows 80000] [--columns 240] [--trees 200] [--model models/gesture-poselift.json]
//
// It needs the build of the tests (npm run pretest). XGBoost is Debian's python3-xgboost; without it that row says so.

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";

const BUILD = new URL("../build/", import.meta.url);
const load = (path) => import(new URL(path, BUILD).href);
const { Ranking } = await load("src/behaviour/evaluate/ranking.js");
const { seededRandom } = await load("src/behaviour/features/random.js");
const { loadGesture, SHIPPED_MODEL } = await load("src/behaviour/gesture.js");
const { DEFAULT_TRAINING, trainTrees } = await load("src/behaviour/train/train-trees.js");
const { marginsOf } = await load("src/behaviour/train/trained-margins.js");

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "80000" },
    columns: { type: "string", default: "240" },
    trees: { type: "string", default: "200" },
    model: { type: "string", default: SHIPPED_MODEL },
  },
});
const [rows, columns, trees] = [values.rows, values.columns, values.trees].map(Number);
const PYTHON = "/usr/bin/python3";

const PEER = `
import json, sys, time
import numpy, xgboost
rows, columns, trees = map(int, sys.argv[1:4])
read = lambda name, kind, shape: numpy.fromfile(name, dtype=kind).reshape(shape)
table, unseen = read("table", "float32", (rows, columns)), read("unseen", "float32", (-1, columns))
labels = read("labels", "uint8", (-1,))
settings = dict(objective="binary:logistic", tree_method="hist", max_depth=3, eta=0.1, subsample=0.7,
  colsample_bytree=0.5, min_child_weight=5, reg_lambda=1, nthread=int(sys.argv[4]), verbosity=0)
start = time.time()
model = xgboost.train(settings, xgboost.DMatrix(table, labels), trees)
seconds = time.time() - start
model.predict(xgboost.DMatrix(unseen), output_margin=True).astype("float64").tofile("margins")
print(json.dumps([xgboost.__version__, seconds]))
`;

function tableOf(count, seed) {
  const random = seededRandom(seed);
  const table = new Float32Array(count * columns);
  const labels = new Uint8Array(count);
  for (let row = 0; row < count; row++) {
    const own = table.subarray(row * columns, (row + 1) * columns);
    for (let column = 0; column < columns; column++) own[column] = 4 * random() - 2;
    const [a, b, c, d] = own;
    labels[row] = random() < 1 / (1 + Math.exp(-(a + b * c + (d > 1 ? 2 : 0) - 1))) ? 1 : 0;
    for (let column = 0; column < columns; column++) if (random() < 0.03) own[column] = Number.NaN;
  }
  const names = Array.from({ length: columns }, (_, index) => `f${index}`);
  return { columns: names, values: table, labels, weights: new Float32Array(count).fill(1) };
}

function aucOf(scores, labels) {
  return new Ranking({ scores, labels, groups: new Int32Array(labels.length) }).quality().auc;
}

function benchTraining() {
  const table = tableOf(rows, 1);
  const unseen = tableOf(20_000, 2);
  const start = performance.now();
  const model = trainTrees(table, { ...DEFAULT_TRAINING, trees });
  const seconds = (performance.now() - start) / 1000;
  const auc = aucOf(marginsOf(model, unseen), unseen.labels);
  const results = [{ name: "this package, 1 thread", seconds, auc }];
  if (spawnSync(PYTHON, ["-c", "import xgboost"]).status !== 0) return { results, missing: true };

  const folder = mkdtempSync(join(tmpdir(), "bench-"));
  try {
    const bytes = (array) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    writeFileSync(join(folder, "table"), bytes(table.values));
    writeFileSync(join(folder, "labels"), bytes(table.labels));
    writeFileSync(join(folder, "unseen"), bytes(unseen.values));
    for (const threads of [1, 2]) {
      const script = `${PEER}\nprint(json.dumps(numpy.fromfile("margins").tolist()))`;
      const args = ["-c", script, ...[rows, columns, trees, threads].map(String)];
      const output = execFileSync(PYTHON, args, { cwd: folder, encoding: "utf8", maxBuffer: 2 ** 26 });
      const [[version, took], margins] = output
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      const name = `XGBoost ${version}, hist, ${threads} thread${threads > 1 ? "s" : ""}`;
      results.push({ name, seconds: took, auc: aucOf(Float64Array.from(margins), unseen.labels) });
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return { results, missing: false };
}

/** Four people who move, 15 frames a second, for a minute and a half after a warm-up. */
async function benchScoring(path) {
  const model = await loadGesture({ path });
  const random = seededRandom(3);
  const people = Array.from({ length: 4 }, (_, index) => ({ id: String(index), x: 0.1 + 0.2 * index }));
  const frameAt = (frame) =>
    people.map(({ id, x }) => ({
      id,
      score: 0.9,
      box: { x, y: 0.2, width: 0.1, height: 0.5 },
      keypoints: Array.from({ length: 17 }, (_, joint) => [
        x + 0.02 * (joint % 2) + 0.01 * Math.sin(frame / 7 + joint) + 0.002 * random(),
        0.2 + 0.03 * joint + 0.002 * random(),
        0.9,
      ]),
    }));
  const judge = (frame) =>
    model.judge(frameAt(frame), { camera: "bench", timestamp: (frame * 1000) / 15, width: 640, height: 360 });
  for (let frame = 0; frame < 450; frame++) judge(frame);
  const frames = Array.from({ length: 1350 }, (_, index) => frameAt(450 + index));
  const start = performance.now();
  for (const [index, persons] of frames.entries()) {
    const timestamp = ((450 + index) * 1000) / 15;
    model.judge(persons, { camera: "bench", timestamp, width: 640, height: 360 });
  }
  return (performance.now() - start) / frames.length / people.length;
}

const { results, missing } = benchTraining();
console.log(`Training, ${rows} rows of ${columns} columns, ${trees} trees of depth 3\n`);
console.log("| | seconds | AUC on 20,000 unseen rows |\n|---|---:|---:|");
for (const { name, seconds, auc } of results) console.log(`| ${name} | ${seconds.toFixed(1)} | ${auc.toFixed(4)} |`);
if (missing) console.log("| XGBoost | python3-xgboost is not installed | |");
if (existsSync(values.model)) {
  const milliseconds = await benchScoring(values.model);
  console.log(`\nScoring: ${milliseconds.toFixed(4)} ms per person and frame (${values.model.split("/").at(-1)})`);
}

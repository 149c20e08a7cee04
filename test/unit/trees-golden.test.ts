import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { BoostedTrees } from "../../src/behaviour/trees/boosted-trees.ts";
import { loadTrees, parseTrees } from "../../src/behaviour/trees/load.ts";
import { golden, goldenBytes, goldenDocument, goldenModels, goldenPath } from "./golden-trees.ts";

const TOLERANCE = 1e-6;

describe("boosted trees against XGBoost's own predictions", () => {
  for (const { name, file } of goldenModels()) {
    it(`agrees on 200 rows: ${file}`, () => {
      assertAgrees(parseTrees(goldenBytes(file)), name);
    });
  }

  it("knows what it loaded", async () => {
    const trees = await loadTrees(fileURLToPath(goldenPath("logistic.json")));
    assert.equal(trees.objective, "binary:logistic");
    assert.equal(trees.featureCount, 5);
    assert.deepEqual(trees.featureNames, ["joint0", "joint1", "joint2", "joint3", "joint4"]);
    assert.equal(trees.outputs, 1);
    assert.equal(parseTrees(goldenBytes("softprob.ubj")).outputs, 3);
    assert.equal(parseTrees(goldenBytes("softmax.json")).outputs, 1);
    assert.equal(parseTrees(goldenBytes("squared.json")).featureNames, undefined);
  });

  it("refuses a row of another length", () => {
    const trees = parseTrees(goldenBytes("squared.json"));
    assert.throws(() => trees.predict(new Float32Array(4)), {
      code: "TREES_INVALID",
      message: /takes 5 features, got 4/,
    });
  });
});

/** Golden models rewritten the way other versions of XGBoost would have saved them. */
describe("boosted trees in the layouts of other versions", () => {
  // biome-ignore lint/suspicious/noExplicitAny: each rewrites some part of the document
  const LAYOUTS: readonly [layout: string, name: string, rewrite: (document: any) => void][] = [
    [
      "1.0: no target count, no split types",
      "logistic",
      (document) => {
        delete document.learner.learner_model_param.num_target;
        for (const tree of treesOf(document)) {
          for (const key of [
            "split_type",
            "categories",
            "categories_nodes",
            "categories_segments",
            "categories_sizes",
          ]) {
            delete tree[key];
          }
        }
      },
    ],
    [
      "1.0: default_left as booleans",
      "missing",
      (document) => {
        for (const tree of treesOf(document)) tree.default_left = tree.default_left.map(Boolean);
      },
    ],
    [
      "no feature names at all",
      "logistic",
      (document) => {
        delete document.learner.feature_names;
      },
    ],
    [
      "2.x: leaf vectors of size 1",
      "softprob",
      (document) => {
        delete document.learner.gradient_booster.model.gbtree_model_param.size_leaf_vector;
        for (const tree of treesOf(document)) tree.tree_param.size_leaf_vector = "1";
      },
    ],
    [
      "3.1: base score as a list in text",
      "logistic-base",
      (document) => {
        document.learner.learner_model_param.base_score = "[3E-1]";
      },
    ],
    [
      "3.1: base score per class",
      "softprob",
      (document) => {
        document.learner.learner_model_param.base_score = "[5E-1,5E-1, 5E-1]";
      },
    ],
    [
      "base score as a number",
      "logistic-base",
      (document) => {
        document.learner.learner_model_param.base_score = 0.3;
      },
    ],
    [
      "base score as a list of numbers",
      "logistic-base",
      (document) => {
        document.learner.learner_model_param.base_score = [0.3];
      },
    ],
    [
      "3.3: dart's weights beside the model",
      "dart",
      (document) => {
        const { gbtree, weight_drop } = document.learner.gradient_booster;
        document.learner.gradient_booster = { name: "dart", model: gbtree.model, weight_drop };
      },
    ],
    [
      "3.4: dart's weights inside the model",
      "dart",
      (document) => {
        const { gbtree, weight_drop } = document.learner.gradient_booster;
        document.learner.gradient_booster = { name: "dart", model: { ...gbtree.model, weight_drop } };
      },
    ],
    [
      "a field that nobody knows yet",
      "squared",
      (document) => {
        document.learner.gradient_booster.model.cats = { enc: [], feature_segments: [] };
      },
    ],
  ];

  for (const [layout, name, rewrite] of LAYOUTS) {
    it(`agrees: ${layout}`, () => {
      const document = goldenDocument(name);
      rewrite(document);
      assertAgrees(parseTrees(Buffer.from(JSON.stringify(document))), name);
    });
  }

  it("takes a base score apart from 0.5 through the link of its objective", () => {
    const document = goldenDocument("no-trees");
    document.learner.learner_model_param.base_score = "5.7971317E-1";
    const trees = parseTrees(Buffer.from(JSON.stringify(document)));
    assert.ok(Math.abs((trees.predict(new Float32Array(5))[0] as number) - 0.57971317) < TOLERANCE);
    assert.ok(
      Math.abs((trees.margin(new Float32Array(5))[0] as number) - Math.log(0.57971317 / 0.42028683)) < TOLERANCE,
    );
  });

  it("gives each class the base score of its own", () => {
    const document = goldenDocument("softprob");
    const before = parseTrees(Buffer.from(JSON.stringify(document)));
    document.learner.learner_model_param.base_score = "[1.5E0,5E-1,-2E0]";
    const after = parseTrees(Buffer.from(JSON.stringify(document)));
    const row = Float32Array.of(0.1, 0.2, 0.3, 0.4, 0.5);
    const shift = after.margin(row).map((margin, index) => margin - (before.margin(row)[index] as number));
    assertClose(shift, [1, 0, -2.5], "shift of the margins");
  });

  it("reads line breaks, and text before the first brace that means nothing", () => {
    const pretty = JSON.stringify(goldenDocument("squared"), null, 2);
    assertAgrees(parseTrees(Buffer.from(`\ufeff${pretty}\n`)), "squared");
  });

  // biome-ignore lint/suspicious/noExplicitAny: part of a document
  function treesOf(document: any): any[] {
    return document.learner.gradient_booster.model.trees;
  }
});

function assertAgrees(trees: BoostedTrees, name: string): void {
  const { rows, margin, predict } = golden(name);
  assert.equal(rows.length, 200);
  for (const [index, row] of rows.entries()) {
    assertClose(trees.margin(row), margin[index] ?? [], `margin of row ${index}`);
    assertClose(trees.predict(row), predict[index] ?? [], `prediction of row ${index}`);
  }
}

function assertClose(actual: ArrayLike<number>, expected: readonly number[], what: string): void {
  assert.equal(actual.length, expected.length, what);
  for (const [index, value] of expected.entries()) {
    const difference = Math.abs((actual[index] as number) - value);
    assert.ok(difference <= TOLERANCE * Math.max(1, Math.abs(value)), `${what}: ${actual[index]} instead of ${value}`);
  }
}

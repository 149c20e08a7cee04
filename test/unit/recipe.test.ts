import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  loadRecipe,
  RECIPE_FEATURES,
  type RecipeGates,
  recipeColumns,
  recipeValues,
  recipeVerdict,
} from "../../src/behaviour/recipe.ts";
import type { Keypoint, Person } from "../../src/pose/person.ts";
import { goldenBytes } from "./golden-trees.ts";

const GATES: RecipeGates = { suspiciousWhen: "below", scoreGate: 0.75, alertGate: 0.85, predictionGate: 0.5 };
const SIGHTING = { camera: "aisle", timestamp: 0, width: 640, height: 480 };

describe("the recipe's features", () => {
  const keypoints = Array.from({ length: 17 }, (_, index): Keypoint => [index / 20, index / 40, index / 16]);

  it("are x and y of each joint in turn, as fractions of the picture", () => {
    assert.equal(RECIPE_FEATURES.length, 34);
    assert.deepEqual(RECIPE_FEATURES.slice(0, 4), ["x0", "y0", "x1", "y1"]);
    assert.equal(RECIPE_FEATURES.at(-1), "y16");
    const values = recipeValues({ keypoints }, false);
    assert.equal(values.length, 34);
    assert.deepEqual([...values.slice(0, 4)], [0, 0, Math.fround(0.05), Math.fround(0.025)]);
    assert.equal(values[33], Math.fround(0.4));
  });

  it("are 0 for joints below 0.5 where the model was trained so", () => {
    const values = recipeValues({ keypoints }, true);
    assert.deepEqual([...values.slice(0, 16)], Array(16).fill(0));
    assert.deepEqual([...values.slice(16, 18)], [Math.fround(0.4), Math.fround(0.2)], "exactly 0.5 stays");
  });

  it("go to the model's columns by name", () => {
    const reversed = RECIPE_FEATURES.toReversed();
    const columns = recipeColumns({ featureNames: reversed, featureCount: 34 }, "m.json");
    assert.deepEqual(
      columns.map((column) => RECIPE_FEATURES[column]),
      reversed,
    );
  });

  it("go by place where the model has no names", () => {
    const columns = recipeColumns({ featureNames: undefined, featureCount: 34 }, "m.json");
    assert.deepEqual(
      columns,
      RECIPE_FEATURES.map((_, index) => index),
    );
  });

  const REFUSED: readonly (readonly [what: string, names: string[] | undefined, count: number, message: RegExp])[] = [
    ["51 features", undefined, 51, /m\.json takes 51 features; the recipe has 34: x0, y0/],
    ["no features", undefined, 0, /takes 0 features/],
    [
      "other names",
      RECIPE_FEATURES.map((name) => `joint-${name}`),
      34,
      /features named joint-x0, joint-y0, joint-x1; the/,
    ],
    ["one other name", ["score", ...RECIPE_FEATURES.slice(1)], 34, /features named score; the recipe/],
    ["a name twice", ["y0", ...RECIPE_FEATURES.slice(1)], 34, /a feature twice/],
  ];
  for (const [what, featureNames, featureCount, message] of REFUSED) {
    it(`refuse a model with ${what}`, () => {
      assert.throws(() => recipeColumns({ featureNames, featureCount }, "m.json"), {
        code: "TREES_UNSUPPORTED",
        message,
      });
    });
  }
});

describe("the recipe's verdict", () => {
  const CASES: readonly (readonly [
    what: string,
    prediction: number,
    personScore: number,
    gates: Partial<RecipeGates>,
    label: string,
    score: number,
  ])[] = [
    ["low prediction, sure person", 0.1, 0.9, {}, "suspicious", 0.9],
    ["low prediction, person at the gate", 0.1, 0.85, {}, "suspicious", 0.9],
    ["low prediction, unsure person", 0.1, 0.84, {}, "normal", 0.9],
    ["prediction at the gate", 0.5, 0.9, {}, "normal", 0.5],
    ["high prediction", 0.9, 0.9, {}, "normal", 0.1],
    ["other polarity, low prediction", 0.1, 0.9, { suspiciousWhen: "above" }, "normal", 0.1],
    ["other polarity, high prediction", 0.9, 0.9, { suspiciousWhen: "above" }, "suspicious", 0.9],
    ["other polarity, prediction at the gate", 0.5, 0.9, { suspiciousWhen: "above" }, "normal", 0.5],
    ["a stricter gate", 0.3, 0.9, { predictionGate: 0.2 }, "normal", 0.7],
    ["a looser gate for persons", 0.3, 0.6, { alertGate: 0.5 }, "suspicious", 0.7],
    ["a prediction beyond 0..1", -3, 0.9, {}, "suspicious", 1],
  ];
  for (const [what, prediction, personScore, gates, label, score] of CASES) {
    it(`of ${what}: ${label}`, () => {
      const behaviour = recipeVerdict(prediction, personScore, "m.json", { ...GATES, ...gates });
      assert.equal(behaviour.label, label);
      assert.ok(Math.abs(behaviour.score - score) < 1e-12);
      assert.equal(behaviour.model, "m.json");
      assert.deepEqual(behaviour.reasons, label === "suspicious" ? ["posture singled out by m.json"] : []);
    });
  }
});

describe("the recipe with a model from a file", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "recipe-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** One tree: where `feature` is below 0.5 the prediction is about 0.12, else 0.88. */
  async function stump(feature: string, names: readonly string[] = RECIPE_FEATURES): Promise<string> {
    const tree = {
      left_children: [1, -1, -1],
      right_children: [2, -1, -1],
      split_indices: [names.indexOf(feature), 0, 0],
      split_conditions: [0.5, -2, 2],
      default_left: [0, 0, 0],
      tree_param: { num_nodes: "3", size_leaf_vector: "1" },
    };
    const learner = {
      feature_names: names,
      gradient_booster: { name: "gbtree", model: { trees: [tree], tree_info: [0] } },
      learner_model_param: { base_score: "[5E-1]", num_class: "0", num_feature: `${names.length}` },
      objective: { name: "binary:logistic" },
    };
    const path = join(folder, `${feature}-${names[0]}.json`);
    await writeFile(path, JSON.stringify({ learner, version: [3, 1, 0] }));
    return path;
  }

  function person(score: number, at: readonly [x: number, y: number], jointScore = 0.9): Person {
    const keypoints = Array.from({ length: 17 }, (): Keypoint => [at[0], at[1], jointScore]);
    return { id: "1", score, box: { x: 0, y: 0, width: 1, height: 1 }, keypoints };
  }

  it("judges each person of a picture, in order", async () => {
    const model = await loadRecipe({ path: await stump("y3") });
    assert.equal(model.name, "y3-x0.json");
    const persons = [
      person(0.9, [0.9, 0.2]),
      person(0.9, [0.2, 0.9]),
      person(0.8, [0.9, 0.2]),
      person(0.75, [0.9, 0.2]),
    ];
    const judged = model.judge(persons, SIGHTING);
    assert.deepEqual(
      judged.map(({ label }) => label),
      ["suspicious", "normal", "normal", "normal"],
    );
    assert.deepEqual(
      judged.map(({ score }) => score.toFixed(2)),
      ["0.88", "0.12", "0.88", "0.00"],
    );
    assert.deepEqual(judged[0]?.reasons, ["posture singled out by y3-x0.json"]);
  });

  it("finds features by name in a model that has them in another order", async () => {
    const model = await loadRecipe({ path: await stump("y3", RECIPE_FEATURES.toReversed()) });
    const judged = model.judge([person(0.9, [0.9, 0.2]), person(0.9, [0.2, 0.9])], SIGHTING);
    assert.deepEqual(
      judged.map(({ label }) => label),
      ["suspicious", "normal"],
    );
  });

  it("masks faint joints on demand", async () => {
    const path = await stump("x5");
    const faint = [person(0.9, [0.9, 0.9], 0.4)];
    assert.equal((await loadRecipe({ path })).judge(faint, SIGHTING)[0]?.label, "normal");
    assert.equal((await loadRecipe({ path, zeroMask: true })).judge(faint, SIGHTING)[0]?.label, "suspicious");
  });

  it("takes its gates and polarity from the settings", async () => {
    const model = await loadRecipe({
      path: await stump("y3"),
      suspiciousWhen: "above",
      scoreGate: 0.2,
      alertGate: 0.3,
    });
    const judged = model.judge([person(0.4, [0, 0.9]), person(0.25, [0, 0.9]), person(0.4, [0, 0.1])], SIGHTING);
    assert.deepEqual(
      judged.map(({ label }) => label),
      ["suspicious", "normal", "normal"],
    );
  });

  it("refuses a model of other features, of several outputs, or none at all", async () => {
    const other = join(folder, "other.json");
    await writeFile(other, goldenBytes("logistic.json"));
    await assert.rejects(loadRecipe({ path: other }), { code: "TREES_UNSUPPORTED", message: /takes 5 features/ });
    const classes = join(folder, "classes.ubj");
    await writeFile(classes, goldenBytes("softprob.ubj"));
    await assert.rejects(loadRecipe({ path: classes }), {
      code: "TREES_UNSUPPORTED",
      message: /3 outputs \(multi:softprob\)/,
    });
    await assert.rejects(loadRecipe({ path: join(folder, "nothing.json") }), { code: "TREES_NOT_FOUND" });
  });
});

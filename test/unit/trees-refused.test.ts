import assert from "node:assert/strict";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadTrees, parseTrees } from "../../src/behaviour/trees/load.ts";
import { CctvError, type ErrorCode } from "../../src/errors.ts";
import { goldenBytes, goldenDocument } from "./golden-trees.ts";
import { seededRandom } from "./seeded-random.ts";

describe("boosted trees that are refused", () => {
  // biome-ignore lint/suspicious/noExplicitAny: each spoils some part of the document
  type Spoil = (document: any) => unknown;
  // biome-ignore lint/suspicious/noExplicitAny: part of a document
  const tree = (document: any, index = 2) => document.learner.gradient_booster.model.trees[index];

  const DOCUMENTS: readonly [what: string, code: ErrorCode, message: RegExp, spoil: Spoil, name?: string][] = [
    ["a cycle", "TREES_INVALID", /node 0 of .*trees\[2\] can be reached/, (d) => (tree(d).left_children[1] = 0)],
    ["a node with two parents", "TREES_INVALID", /reached in two ways/, (d) => (tree(d).left_children[1] = 2)],
    ["a split with one child", "TREES_INVALID", /child -1, outside/, (d) => (tree(d).right_children[0] = -1)],
    ["a child out of range", "TREES_INVALID", /child 99, outside 0\.\./, (d) => (tree(d).left_children[0] = 99)],
    ["a child below zero", "TREES_INVALID", /child -7, outside/, (d) => (tree(d).left_children[0] = -7)],
    ["a child that is half a number", "TREES_INVALID", /is 1\.5 where/, (d) => (tree(d).left_children[0] = 1.5)],
    ["a feature out of range", "TREES_INVALID", /feature 5, outside 0\.\.4/, (d) => (tree(d).split_indices[0] = 5)],
    ["a feature below zero", "TREES_INVALID", /feature -1, outside/, (d) => (tree(d).split_indices[0] = -1)],
    ["a list that is too short", "TREES_INVALID", /differ in length/, (d) => tree(d).split_conditions.pop()],
    ["a list that is too long", "TREES_INVALID", /differ in length/, (d) => tree(d).default_left.push(1)],
    ["a text among the numbers", "TREES_INVALID", /is "x" where/, (d) => (tree(d).split_conditions[0] = "x")],
    ["a threshold that is no number", "TREES_INVALID", /no threshold/, (d) => (tree(d).split_conditions[0] = null)],
    [
      "a leaf that is no number",
      "TREES_INVALID",
      /leaf .* is NaN/,
      (d) => tree(d).split_conditions.splice(-1, 1, null),
    ],
    ["a tree without nodes", "TREES_INVALID", /no nodes/, (d) => (tree(d).left_children = [])],
    ["a list that is missing", "TREES_INVALID", /has no left_children/, (d) => delete tree(d).left_children],
    ["a false count of nodes", "TREES_INVALID", /differ in length/, (d) => (tree(d).tree_param.num_nodes = "3")],
    [
      "vector leaves",
      "TREES_UNSUPPORTED",
      /vectors.*one_output_per_tree/,
      (d) => (tree(d).tree_param.size_leaf_vector = "3"),
    ],
    [
      "vector leaves, said of all trees",
      "TREES_UNSUPPORTED",
      /vectors/,
      (d) => (d.learner.gradient_booster.model.gbtree_model_param.size_leaf_vector = "3"),
    ],
    [
      "a false count of trees",
      "TREES_INVALID",
      /states 7 trees and has 40/,
      (d) => (d.learner.gradient_booster.model.gbtree_model_param.num_trees = "7"),
    ],
    [
      "a tree for no output",
      "TREES_INVALID",
      /output 4, outside 0\.\.0/,
      (d) => (d.learner.gradient_booster.model.tree_info[0] = 4),
    ],
    ["a short tree_info", "TREES_INVALID", /tree_info for 39/, (d) => d.learner.gradient_booster.model.tree_info.pop()],
    ["too many names", "TREES_INVALID", /names 6 features and has 5/, (d) => d.learner.feature_names.push("one more")],
    ["names that are numbers", "TREES_INVALID", /no list of texts/, (d) => (d.learner.feature_names = [1, 2, 3, 4, 5])],
    ["no base score", "TREES_INVALID", /has no base_score/, (d) => delete d.learner.learner_model_param.base_score],
    [
      "a base score in words",
      "TREES_INVALID",
      /base score "half"/,
      (d) => (d.learner.learner_model_param.base_score = "half"),
    ],
    ["an empty base score", "TREES_INVALID", /base score/, (d) => (d.learner.learner_model_param.base_score = "[]")],
    [
      "a base score beyond the link",
      "TREES_INVALID",
      /does not suit/,
      (d) => (d.learner.learner_model_param.base_score = "1E0"),
    ],
    [
      "too many base scores",
      "TREES_INVALID",
      /2 base scores for 1/,
      (d) => (d.learner.learner_model_param.base_score = "[1E-1,2E-1]"),
    ],
    ["a million classes", "TREES_INVALID", /num_class/, (d) => (d.learner.learner_model_param.num_class = "1000000")],
    [
      "an unknown objective",
      "TREES_UNSUPPORTED",
      /"my:own".*binary:logistic/,
      (d) => (d.learner.objective.name = "my:own"),
    ],
    [
      "an objective out of Object.prototype",
      "TREES_UNSUPPORTED",
      /"constructor"/,
      (d) => (d.learner.objective.name = "constructor"),
    ],
    ["an unknown booster", "TREES_UNSUPPORTED", /"gbforest"/, (d) => (d.learner.gradient_booster.name = "gbforest")],
    ["no learner", "TREES_INVALID", /has no learner/, (d) => delete d.learner],
    ["a learner that is a list", "TREES_INVALID", /is no object/, (d) => (d.learner = [])],
    [
      "dart's weights, too few",
      "TREES_INVALID",
      /15 trees and 14 weights/,
      (d) => d.learner.gradient_booster.weight_drop.pop(),
      "dart",
    ],
    [
      "dart's weights, none",
      "TREES_INVALID",
      /has no weight_drop/,
      (d) => delete d.learner.gradient_booster.weight_drop,
      "dart",
    ],
    [
      "linear weights, too few",
      "TREES_INVALID",
      /5 linear weights and needs 6/,
      (d) => d.learner.gradient_booster.model.weights.pop(),
      "linear",
    ],
    [
      "categories out of place",
      "TREES_INVALID",
      /out of place/,
      (d) => (tree(d, 0).categories_sizes[0] = 500),
      "categories-lists",
    ],
    [
      "categories below zero",
      "TREES_INVALID",
      /out of place/,
      (d) => (tree(d, 0).categories_segments[0] = -1),
      "categories-lists",
    ],
    [
      "a split that lacks its categories",
      "TREES_INVALID",
      /has no categories/,
      (d) => (tree(d, 0).categories_nodes[0] = 999),
      "categories-lists",
    ],
  ];

  for (const [what, code, message, spoil, name = "logistic"] of DOCUMENTS) {
    it(`refuses ${what}`, () => {
      const document = goldenDocument(name);
      spoil(document);
      assert.throws(() => parseTrees(Buffer.from(JSON.stringify(document))), { code, message });
    });
  }

  const BYTES: readonly [what: string, code: ErrorCode, message: RegExp, bytes: () => Uint8Array][] = [
    ["no bytes", "TREES_INVALID", /it is empty/, () => new Uint8Array()],
    ["half a JSON file", "TREES_INVALID", /cut short/, () => goldenBytes("logistic.json").subarray(0, 20_000)],
    ["half a UBJSON file", "TREES_INVALID", /cut short/, () => goldenBytes("logistic.ubj").subarray(0, 20_000)],
    ["JSON of something else", "TREES_INVALID", /has no learner/, () => Buffer.from('{"name":"package"}')],
    ["text", "TREES_INVALID", /neither JSON nor UBJSON/, () => Buffer.from("import xgboost")],
    ["a dump of trees", "TREES_UNSUPPORTED", /dump_model/, () => Buffer.from('[{"nodeid":0,"leaf":1}]')],
    ["a dump of trees as text", "TREES_UNSUPPORTED", /dump_model/, () => Buffer.from("booster[0]:\n0:leaf=1\n")],
    ["XGBoost's old binary format", "TREES_UNSUPPORTED", /old binary/, () => Buffer.from("binf\0\0\0?")],
    ["a pickle", "TREES_UNSUPPORTED", /pickle/, () => Uint8Array.of(0x80, 4, 0x95)],
    ["JSON that is not UTF-8", "TREES_INVALID", /damaged/, () => Buffer.from('{"\xff":1}', "latin1")],
    ["a word that begins as NaN does", "TREES_INVALID", /byte 5 is not JSON/, () => Buffer.from('{"a":Nan}')],
    ["200,000 levels of lists", "TREES_INVALID", /more than 32 levels/, () => Buffer.from(`{"a":${"[".repeat(2e5)}`)],
    ["200,000 levels of objects", "TREES_INVALID", /more than 32 levels/, () => Buffer.from('{"a":'.repeat(2e5))],
    ["levels of UBJSON", "TREES_INVALID", /more than 32 levels/, () => Buffer.from(`{i\x01a${"[".repeat(2e5)}`)],
    [
      "more lists than any model has",
      "TREES_TOO_LARGE",
      /more than 1000000/,
      () => Buffer.from(`{"a":[${"[],".repeat(1.1e6)}0]}`),
    ],
    [
      "more UBJSON values than any model has",
      "TREES_TOO_LARGE",
      /more than 1000000/,
      () => Buffer.from(`{i\x01a[${"Z".repeat(1.1e6)}]}`),
    ],
  ];

  for (const [what, code, message, bytes] of BYTES) {
    it(`refuses ${what}`, () => {
      assert.throws(() => parseTrees(bytes()), { code, message });
    });
  }

  describe("from files", () => {
    let folder: string;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "trees-"));
    });
    after(() => rm(folder, { recursive: true, force: true }));

    it("names a file that is not there", async () => {
      const path = join(folder, "missing.json");
      await assert.rejects(loadTrees(path), {
        code: "TREES_NOT_FOUND",
        message: new RegExp(`^${path}: .*check the path`),
      });
    });

    it("refuses a folder, and no path at all", async () => {
      await assert.rejects(loadTrees(folder), { code: "TREES_NOT_FOUND" });
      await assert.rejects(loadTrees(""), { code: "TREES_NOT_FOUND", message: /no model file is named/ });
    });

    it("refuses 200 MB without reading them", async () => {
      const path = join(folder, "huge.json");
      await writeFile(path, "[");
      await truncate(path, 200 * 1024 * 1024);
      const began = performance.now();
      await assert.rejects(loadTrees(path), { code: "TREES_TOO_LARGE", message: /209715200 bytes, at most 33554432/ });
      assert.ok(performance.now() - began < 500);
    });

    it("says which file is damaged", async () => {
      const path = join(folder, "damaged.json");
      await writeFile(path, goldenBytes("logistic.json").subarray(0, 1000));
      await assert.rejects(loadTrees(path), {
        code: "TREES_INVALID",
        message: new RegExp(`^${path}: .*save the model again`),
      });
    });
  });

  it("refuses 32 MB of nothing but brackets within a second", () => {
    const began = performance.now();
    for (const filler of ["[", "[],", '"",', "{}"]) {
      const bytes = Buffer.alloc(32 * 1024 * 1024, filler);
      bytes.write('{"a":[');
      assert.throws(() => parseTrees(bytes), { name: "CctvError" });
    }
    assert.ok(performance.now() - began < 2000);
  });
});

describe("boosted trees from damaged bytes", () => {
  const SOURCES = [
    "categories-one-hot.json",
    "categories-one-hot.ubj",

    "linear.json",
    "linear.ubj",
    "missing.json",
    "missing.ubj",
  ];
  const VARIANTS = 10_000;

  it(`either loads and scores or refuses, ${VARIANTS} times`, function () {
    this.timeout(60_000);
    const random = seededRandom(20_261_122);
    let loaded = 0;
    for (let variant = 0; variant < VARIANTS; variant++) {
      const file = SOURCES[variant % SOURCES.length] as string;
      const bytes = damage(goldenBytes(file), random);
      const began = performance.now();
      if (loadsAndScores(bytes)) loaded++;
      assert.ok(performance.now() - began < 1000, `variant ${variant} of ${file} took too long`);
    }
    assert.ok(loaded > VARIANTS / 20, `only ${loaded} variants loaded`);
    assert.ok(loaded < VARIANTS - VARIANTS / 20, `only ${VARIANTS - loaded} variants were refused`);
  });
});

function loadsAndScores(bytes: Uint8Array): boolean {
  try {
    const trees = parseTrees(bytes);
    // A damaged number of features may be a large one.
    const row = new Float32Array(Math.min(trees.featureCount, 1e6));
    if (row.length === trees.featureCount) assert.equal(trees.predict(row).length, trees.outputs);
    return true;
  } catch (error) {
    assert.ok(error instanceof CctvError, `${error}`);
    assert.match(error.code, /^TREES_(?:INVALID|UNSUPPORTED|TOO_LARGE)$/);
    return false;
  }
}

/** Cuts, changes, inserts or removes a few bytes; or only changes small numbers, so that the format holds and the model does not. */
function damage(source: Uint8Array, random: () => number): Uint8Array {
  const bytes = Array.from(source);
  const below = (limit: number) => Math.floor(random() * limit);
  if (random() < 0.1) return Uint8Array.from(bytes.slice(0, below(bytes.length)));
  const gentle = random() < 0.5;
  const changes = 1 + below(3);
  for (let change = 0; change < changes; change++) {
    const place = below(bytes.length);
    const byte = bytes[place] as number;
    const kind = random();
    if (gentle && isDigit(byte)) bytes[place] = 48 + below(10);
    else if (gentle && byte < 16) bytes[place] = below(16);
    else if (gentle) change--;
    else if (kind < 0.4) bytes[place] = below(256);
    else if (kind < 0.8) bytes[place] = byte ^ (1 << below(8));
    else if (kind < 0.9) bytes.splice(place, 1 + below(8));
    else bytes.splice(place, 0, ...source.slice(below(source.length)).slice(0, 8));
  }
  return Uint8Array.from(bytes);
}

function isDigit(byte: number): boolean {
  return byte >= 48 && byte <= 57;
}

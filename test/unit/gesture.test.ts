import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { scorePerson } from "../../src/behaviour/evaluate/score-persons.ts";
import { seededRandom } from "../../src/behaviour/features/random.ts";
import type { RecordedPerson } from "../../src/behaviour/features/recording.ts";
import { loadGesture, SHIPPED_MODEL } from "../../src/behaviour/gesture.ts";
import { gestureJson, probability, rateBy } from "../../src/behaviour/train/gesture-file.ts";
import { GESTURE_TRAINING, trainGesture } from "../../src/behaviour/train/gesture-training.ts";
import { trainTrees } from "../../src/behaviour/train/train-trees.ts";
import { loadTrees } from "../../src/behaviour/trees/load.ts";
import type { Person } from "../../src/pose/person.ts";
import { CONCEALING, inventedShop } from "./gesture-recordings.ts";
import { draw, PLAIN, type Pose, walking } from "./stick-figure.ts";

const SIZE = { width: PLAIN.width, height: PLAIN.height };

/** The person of a recording as a pose model would have given it. */
function personAt({ bodies }: RecordedPerson, index: number, id: string): Person {
  const body = bodies[index] as Float64Array;
  const keypoints = Array.from({ length: 17 }, (_, joint) => {
    const [x, y] = [body[2 * joint] as number, body[2 * joint + 1] as number];
    return Number.isNaN(x) ? ([0, 0, 0] as const) : ([x / SIZE.width, y / SIZE.height, 0.9] as const);
  });
  return { id, score: 0.9, box: { x: 0, y: 0, width: 1, height: 1 }, keypoints };
}

describe("gesture", function () {
  this.timeout(20_000);
  let folder = "";
  let path = "";
  const shop = inventedShop();

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "gesture-"));
    path = join(folder, "invented.json");
    const model = await trainGesture(shop, { ...GESTURE_TRAINING, trees: 30, columnShare: 0.2 }, trainTrees);
    writeFileSync(path, gestureJson(model, { smoothing: 0.1, threshold: 0.6, cameras: ["1", "2", "3"] }));
  });
  after(() => rmSync(folder, { recursive: true }));

  it("gives live the scores that an evaluation gives, for several people at once", async () => {
    const model = await loadGesture({ path });
    const rate = rateBy(await loadTrees(path));
    const people = shop.persons.slice(0, 2);
    const expected = people.map((person) => scorePerson(person, rate, 0.1).scores);
    for (let frame = 0; frame < 90; frame++) {
      const persons = people.map((person, index) => personAt(person, frame, String(index)));
      const behaviours = model.judge(persons, { camera: "a", timestamp: (frame * 1000) / 15, ...SIZE });
      for (const [index, behaviour] of behaviours.entries()) {
        const score = frame < 7 ? 0 : probability(expected[index]?.[frame] as number);
        assert.ok(Math.abs(behaviour.score - score) < 1e-4, `frame ${frame}: ${behaviour.score} instead of ${score}`);
        assert.equal(behaviour.label, behaviour.score >= 0.6 ? "suspicious" : "normal");
        assert.equal(behaviour.model, "invented");
      }
    }
  });

  it("proposes what it learned, with reasons in words, and nothing else", async () => {
    const film = async (pose: (seconds: number) => Pose, fps: number) => {
      const model = await loadGesture({ path });
      const random = seededRandom(2);
      let last = model.judge([], { camera: "a", timestamp: 0, ...SIZE });
      for (let index = 0; index < 4 * fps; index++) {
        const person = draw(pose(index / fps), { ...PLAIN, jitter: 0.02 }, random);
        last = model.judge([person], { camera: "a", timestamp: (1000 * index) / fps, ...SIZE });
      }
      return last[0];
    };
    for (const fps of [15, 5]) {
      assert.equal((await film(walking, fps))?.label, "normal");
      const proposed = await film(() => CONCEALING, fps);
      assert.equal(proposed?.label, "suspicious");
      assert.ok(proposed?.reasons.includes("head bowed"), String(proposed?.reasons));
    }
  });

  it("keeps cameras and people apart, and forgets who is gone", async () => {
    const model = await loadGesture({ path });
    const [person] = shop.persons;
    assert.ok(person);
    const judge = (camera: string, index: number, timestamp: number) =>
      model.judge([personAt(person, index, "1")], { camera, timestamp, ...SIZE })[0]?.score as number;
    for (let index = 0; index < 60; index++) judge("a", index, (index * 1000) / 15);
    assert.equal(judge("b", 60, 4000), 0);
    assert.ok(judge("a", 60, 4000) > 0);
    assert.equal(judge("a", 60, 30_000), 0);
  });

  it("can be made stricter", async () => {
    const strict = await loadGesture({ path, threshold: 1 });
    const [person] = shop.persons;
    assert.ok(person);
    for (let index = 0; index < 70; index++) {
      const [behaviour] = strict.judge([personAt(person, index, "1")], { camera: "a", timestamp: index * 67, ...SIZE });
      assert.equal(behaviour?.label, "normal");
    }
    await assert.rejects(loadGesture({ path, threshold: 0 }), { code: "SETTING_INVALID" });
  });

  it("refuses models of other features, and such without notes, with the reason", async () => {
    const document = JSON.parse(readFileSync(path, "utf8"));
    const write = (name: string, change: (learner: typeof document.learner) => void) => {
      const copy = structuredClone(document);
      change(copy.learner);
      writeFileSync(join(folder, name), JSON.stringify(copy));
      return join(folder, name);
    };
    const renamed = write("renamed.json", (learner) => {
      learner.feature_names[0] = "height";
    });
    await assert.rejects(loadGesture({ path: renamed }), {
      code: "TREES_UNSUPPORTED",
      message: /features of this version/,
    });
    const bare = write("bare.json", (learner) => {
      learner.attributes = {};
    });
    await assert.rejects(loadGesture({ path: bare }), { code: "TREES_UNSUPPORTED", message: /gesture\.smoothing/ });
    await assert.rejects(loadGesture({ path: join(folder, "none.json") }), { code: "TREES_NOT_FOUND" });
  });

  it("ships with a model that takes these features", async function () {
    if (!existsSync(SHIPPED_MODEL)) this.skip();
    const model = await loadGesture();
    assert.equal(model.name, "gesture-poselift");
    const [person] = shop.persons;
    assert.ok(person);
    for (let index = 0; index < 30; index++) {
      const [behaviour] = model.judge([personAt(person, index, "1")], { camera: "a", timestamp: index * 67, ...SIZE });
      assert.ok((behaviour?.score as number) >= 0 && (behaviour?.score as number) <= 1);
    }
  });
});

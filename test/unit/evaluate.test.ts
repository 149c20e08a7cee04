import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { AlertCurve, alertsOf, type ScoredPerson } from "../../src/behaviour/evaluate/alerts.ts";
import { interval, resamples } from "../../src/behaviour/evaluate/bootstrap.ts";
import { figuresOf } from "../../src/behaviour/evaluate/figures.ts";
import { judgeBy, judgesWithoutTheirCamera, thresholdFor } from "../../src/behaviour/evaluate/leave-one-out.ts";
import {
  extentOf,
  scoreAll,
  scoreAllAtRandom,
  splitOf,
  verdictOn,
  verdictsWhenDegraded,
} from "../../src/behaviour/evaluate/protocol.ts";
import { Ranking } from "../../src/behaviour/evaluate/ranking.ts";
import { scorePerson } from "../../src/behaviour/evaluate/score-persons.ts";
import { seededRandom } from "../../src/behaviour/features/random.ts";
import { ofCameras, type RecordedPerson, readRecordings, type Span } from "../../src/behaviour/features/recording.ts";
import { FEATURES } from "../../src/behaviour/features/track-features.ts";
import { GESTURE_TRAINING, trainGesture } from "../../src/behaviour/train/gesture-training.ts";
import { trainTrees } from "../../src/behaviour/train/train-trees.ts";
import { asJsonLines, inventedShop } from "./gesture-recordings.ts";

const REAL_DATA = new URL("../../../../shared/data/poselift-dev/", import.meta.url);

function ranking(scores: readonly number[], labels: readonly number[], groups = scores.map(() => 0)): Ranking {
  return new Ranking({
    scores: Float64Array.from(scores),
    labels: Uint8Array.from(labels),
    groups: Int32Array.from(groups),
  });
}

function personWith(frames: readonly number[], theft: readonly Span[], video = "a", camera = "1"): RecordedPerson {
  return {
    video: { video, camera, frames: 2000, fps: 15, theft },
    frames: Int32Array.from(frames),
    bodies: frames.map(() => new Float64Array(34)),
  };
}

const upTo = (count: number, from = 0) => Array.from({ length: count }, (_, index) => from + index);

function scoredWith(person: RecordedPerson, score: (frame: number) => number): ScoredPerson {
  return { person, scores: Float64Array.from(person.frames, score) };
}

describe("ranking", () => {
  const CASES: readonly [string, number[], number[], number, number][] = [
    ["all found first", [4, 3, 2, 1], [1, 1, 0, 0], 1, 1],
    ["all found last", [4, 3, 2, 1], [0, 0, 1, 1], 0, (1 / 3 + 2 / 4) / 2],
    ["one in between", [4, 3, 2, 1], [1, 0, 1, 0], 3 / 4, (1 + 2 / 3) / 2],
    ["all alike", [5, 5, 5, 5], [1, 0, 0, 0], 1 / 2, 1 / 4],
    ["a tie of both kinds", [3, 2, 2, 1], [1, 1, 0, 0], 3.5 / 4, (1 + 2 / 3) / 2],
    ["no score at all for one", [1, Number.NEGATIVE_INFINITY], [1, 0], 1, 1],
  ];
  for (const [name, scores, labels, auc, averagePrecision] of CASES) {
    it(`gives AUC and average precision as counted by hand: ${name}`, () => {
      const quality = ranking(scores, labels).quality();
      assert.ok(Math.abs(quality.auc - auc) < 1e-12);
      assert.ok(Math.abs(quality.averagePrecision - averagePrecision) < 1e-12);
    });
  }

  it("counts a group twice as if it were there twice", () => {
    const scores = [5, 4, 3, 2, 1, 3];
    const labels = [0, 1, 0, 1, 0, 1];
    const groups = [0, 0, 1, 1, 2, 2];
    const doubled = ranking([...scores.slice(2), 3, 2], [...labels.slice(2), 0, 1]).quality();
    const weighted = ranking(scores, labels, groups).quality([0, 2, 1]);
    assert.ok(Math.abs(doubled.auc - weighted.auc) < 1e-12);
    assert.ok(Math.abs(doubled.averagePrecision - weighted.averagePrecision) < 1e-12);
  });

  it("is not a number where one kind is lacking", () => {
    assert.ok(Number.isNaN(ranking([1, 2], [0, 0]).quality().auc));
  });
});

describe("bootstrap", () => {
  it("draws as many groups as there are, with replacement, the same for the same seed", () => {
    const all = [...resamples(10, 200, seededRandom(1))];
    assert.ok(all.every((times) => times.reduce((sum, count) => sum + count, 0) === 10));
    const never = all.reduce((sum, times) => sum + times.filter((count) => count === 0).length, 0) / 2000;
    assert.ok(Math.abs(never - 0.9 ** 10) < 0.03);
    assert.deepEqual(all, [...resamples(10, 200, seededRandom(1))]);
  });

  it("gives the middle 95 %", () => {
    assert.deepEqual(interval([...upTo(201), Number.NaN].reverse()), [5, 195]);
    assert.ok(interval([]).every(Number.isNaN));
  });
});

describe("alerts", () => {
  it("open once a person and half minute, and are right during a theft and a second after", () => {
    const table: readonly [string, readonly number[], readonly Span[], number[][]][] = [
      ["never reached", [], [[10, 20]], []],
      ["during the theft", [12], [[10, 20]], [[0]]],
      ["a second late", [35], [[10, 20]], [[0]]],
      ["later", [36], [[10, 20]], [[]]],
      ["before it only", [9], [[10, 20]], [[]]],
      ["opened before it and still there", [5, 12], [[10, 20]], [[0]]],
      ["again within half a minute", [5, 449], [], [[]]],
      ["again after half a minute", [5, 455], [], [[], []]],
      [
        "right about two thefts",
        [15, 55],
        [
          [10, 20],
          [50, 60],
        ],
        [[0, 1]],
      ],
    ];
    for (const [name, reached, theft, expected] of table) {
      const person = personWith(upTo(600), theft);
      const { scores } = scoredWith(person, (frame) => (reached.includes(frame) ? 0.7 : 0.1));
      assert.deepEqual(alertsOf(person, scores, 0.7), expected, name);
    }
  });

  it("give the largest recall within a budget, and the threshold for it", () => {
    // An hour of four people without a theft, of whom three score 0.9, 0.6 and 0.5 for a moment, and two thefts.
    const hour = upTo(13_500);
    const ordinary = [0.9, 0.6, 0.5, 0].map((peak, index) =>
      scoredWith(personWith(hour, [], `ordinary ${index}`), (frame) => (frame === 77 ? peak : 0)),
    );
    const thefts = [0.8, 0.55].map((peak, index) =>
      scoredWith(personWith(upTo(20), [[0, 19]], `theft ${index}`), () => peak),
    );
    const scored = [...ordinary, ...thefts];
    const videos = scored.map(({ person }) => person.video.video);
    const curve = new AlertCurve(scored, videos);
    assert.deepEqual(
      [0, 1, 2, 3].map((budget) => curve.recallAt(budget)),
      [0, 0.5, 1, 1],
    );
    assert.equal(curve.thresholdAt(1), 0.8);
    assert.equal(curve.thresholdAt(0), Number.POSITIVE_INFINITY);
    // Without the first ordinary person the first theft costs nothing.
    assert.equal(curve.recallAt(0, [0, 1, 1, 1, 1, 1]), 0.5);
  });
});

describe("figures", () => {
  it("take the person with the highest score of each frame, and know no frame without persons", () => {
    const theft: Span[] = [[0, 9]];
    const quiet = scoredWith(personWith(upTo(20), theft), () => 0);
    const loud = scoredWith(personWith(upTo(20), theft), (frame) => (frame < 10 ? 1 : 0.5));
    assert.equal(figuresOf([quiet, loud], "cameras", 0).auc.value, 1);
    assert.equal(figuresOf([quiet], "cameras", 0).auc.value, 0.5);
  });

  it("are the mean of the cameras, or of all frames at once", () => {
    const one = scoredWith(personWith(upTo(20), [[0, 9]], "a", "1"), (frame) => (frame < 10 ? 2 : 1));
    const other = scoredWith(personWith(upTo(20), [[0, 9]], "b", "2"), (frame) => (frame < 10 ? 12 : 11));
    assert.equal(figuresOf([one, other], "cameras", 0).auc.value, 1);
    assert.equal(figuresOf([one, other], "pooled", 0).auc.value, 0.75);
  });

  it("are near 0.5 for random scores, within their interval", () => {
    const theft: Span[] = [[40, 90]];
    const scored = upTo(20).map((index) => personWith(upTo(120), index % 2 ? theft : [], `v${index}`));
    const random = seededRandom(4);
    const { auc } = figuresOf(
      scored.map((person) => scoredWith(person, random)),
      "cameras",
      100,
    );
    assert.ok(Math.abs(auc.value - 0.5) < 0.05, String(auc.value));
    assert.ok(auc.interval[0] <= 0.5 && auc.interval[1] >= 0.5, String(auc.interval));
  });
});

describe("scores of recorded persons", () => {
  it("begin with that of the first full window", () => {
    const [person] = inventedShop().persons;
    assert.ok(person);
    const column = FEATURES.indexOf("torsoLength.mean");
    const { scores } = scorePerson(person, (values) => values[column] as number, 1);
    assert.equal(scores.length, 90);
    assert.ok(scores.slice(0, 7).every((score) => score === scores[7]));
    assert.notEqual(scores[8], scores[7]);
  });

  it("do not exist for somebody who is seen too shortly", () => {
    const { scores } = scorePerson(personWith(upTo(5), []), () => 1, 1);
    assert.ok(scores.every(Number.isNaN));
  });
});

describe("protocols", () => {
  const shop = inventedShop();
  const settings = { ...GESTURE_TRAINING, trees: 30, columnShare: 0.2 };

  it("leave each camera out and find the invented gesture, whoever of two makes it", async () => {
    const trained: string[] = [];
    const judgeOf = await judgesWithoutTheirCamera(shop, settings, trainTrees, (camera) => trained.push(camera));
    assert.deepEqual(trained, ["1", "2", "3"]);
    const scored = scoreAll(shop, judgeOf);
    const { loco, split } = verdictOn(shop, scored, 20);
    assert.ok(loco.auc.value > 0.95, String(loco.auc.value));
    assert.ok(split.auc.value > 0.9, String(split.auc.value));
    assert.equal(loco.recall[0]?.value, 1);
    const threshold = thresholdFor(5, shop, judgeOf);
    assert.ok(threshold > 0 && threshold <= 1);
    const degraded = verdictsWhenDegraded(shop, judgeOf, 0);
    for (const [name, { auc }] of degraded) assert.ok(auc.value > 0.85 && auc.value <= 1, `${name}: ${auc.value}`);
  }).timeout(30_000);

  it("part training from judging by camera", async () => {
    const rows: number[] = [];
    const others = ofCameras(shop, (camera) => camera !== "2");
    const model = await trainGesture(others, settings, (table, own) => {
      rows.push(table.labels.length);
      return trainTrees(table, own);
    });
    // Two persons in each theft make the first, smaller training necessary; 83 windows each of 20 persons.
    assert.deepEqual(rows, [1660, 1660]);
    const judge = judgeBy(model);
    assert.ok(
      verdictOn(
        others,
        scoreAll(others, () => judge),
        0,
      ).loco.auc.value > 0.95,
    );
  }).timeout(20_000);

  it("know chance through the same code", () => {
    const { loco, split } = verdictOn(shop, scoreAllAtRandom(shop, 1), 50);
    assert.ok(loco.auc.interval[0] < 0.5 && loco.auc.interval[1] > 0.5);
    assert.ok(Math.abs(split.auc.value - 0.5) < 0.15);
  });

  it("count what they rest on", () => {
    const { personHours, ...counts } = extentOf(shop);
    assert.deepEqual(counts, { videos: 15, thefts: 3 });
    assert.ok(Math.abs(personHours - 0.05) < 1e-9);
    assert.deepEqual(
      [...splitOf(shop)],
      ["video 0", "video 1", "video 4", "video 5", "video 6", "video 9", "video 10", "video 11", "video 14"],
    );
  });
});

describe("folder of recordings", () => {
  let folder = "";
  const { videos, tracks } = asJsonLines(inventedShop());
  const put = (name: string, content: string | Uint8Array) => writeFileSync(join(folder, name), content);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "recordings-"));
    put("videos.jsonl", videos);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("gives back what was written, plain or compressed", async () => {
    put("tracks.jsonl.gz", gzipSync(tracks));
    const read = await readRecordings(folder);
    const shop = inventedShop();
    assert.deepEqual(read.videos, shop.videos);
    assert.equal(read.persons.length, shop.persons.length);
    const body = (at: number) => read.persons[3]?.bodies[at];
    assert.deepEqual(body(7), shop.persons[3]?.bodies[7]);
    rmSync(join(folder, "tracks.jsonl.gz"));
    put("tracks.jsonl", tracks);
    assert.deepEqual(await readRecordings(folder), read);
  });

  it("takes joints without a confidence for seen, and another frame rate as told", async () => {
    const points = Array.from({ length: 17 }, (_, joint) => [joint, 2 * joint, joint === 4 ? 0.05 : null]);
    put("videos.jsonl", '{"video":"a","camera":"till","frames":9,"fps":10,"theft":[]}\n\n');
    put("tracks.jsonl", JSON.stringify({ video: "a", frames: [4], keypoints: [points] }));
    const [person] = (await readRecordings(folder)).persons;
    assert.deepEqual([person?.video.camera, person?.video.fps], ["till", 10]);
    assert.deepEqual([...(person?.bodies[0]?.slice(6, 12) ?? [])], [3, 6, Number.NaN, Number.NaN, 5, 10]);
  });

  const WRONG: readonly [string, string, RegExp][] = [
    ["tracks.jsonl", "", /no tracks/],
    ["tracks.jsonl", '{"video":"nowhere","frames":[],"keypoints":[]}', /tracks\.jsonl, line 1: .*no video "nowhere"/],
    ["tracks.jsonl", '\n{"video":"video 0","frames":[2,1],"keypoints":[]}', /line 2: frames is no ascending/],
    ["tracks.jsonl", '{"video":"video 0","frames":[1],"keypoints":[]}', /as long as frames/],
    ["tracks.jsonl", '{"video":"video 0","frames":[1],"keypoints":[[[1,2,3]]]}', /17 key points/],
    ["tracks.jsonl", "{", /line 1/],
    ["videos.jsonl", '{"video":"a","camera":1,"frames":5,"theft":[[3,1]]}', /theft/],
    ["videos.jsonl", `${'{"video":"a","camera":1,"frames":5,"theft":[]}\n'.repeat(2)}`, /line 2: .*twice/],
    ["other", "", /no tracks\.jsonl or tracks\.jsonl\.gz/],
  ];
  for (const [file, content, words] of WRONG) {
    it(`names what is wrong: ${words.source}`, async () => {
      put(file, content);
      if (file === "videos.jsonl") put("tracks.jsonl", tracks);
      await assert.rejects(readRecordings(folder), (error: Error) => {
        assert.match(error.message, words);
        assert.equal((error as Error & { code: string }).code, "DATA_INVALID");
        return true;
      });
    });
  }

  it("can be PoseLift's, on which random scores are near 0.5", async function () {
    if (!existsSync(REAL_DATA)) this.skip();
    const real = await readRecordings(new URL(".", REAL_DATA).pathname);
    const { loco } = verdictOn(real, scoreAllAtRandom(real, 1), 0);
    assert.ok(Math.abs(loco.auc.value - 0.5) < 0.06, String(loco.auc.value));
  });
});

import assert from "node:assert/strict";
import type { Behaviour } from "../../src/behaviour/behaviour.ts";
import { createCues, verdict } from "../../src/behaviour/cues.ts";
import { seededRandom } from "./seeded-random.ts";
import {
  type Drawing,
  draw,
  HANDS_AT_WAIST,
  HANDS_IN_FRONT,
  HEAD_BOWED,
  LEFT_HAND_AT_CHEST,
  PLAIN,
  type Pose,
  REACHING,
  RIGHT_HAND_IN_POCKET,
  STANDING,
  turned,
  walking,
} from "./stick-figure.ts";

type Motion = (seconds: number) => Pose;
interface Filming extends Drawing {
  readonly fps: number;
  readonly seconds: number;
}

const FILMING: Filming = { ...PLAIN, fps: 10, seconds: 4 };

const holding =
  (...changes: Partial<Pose>[]): Motion =>
  () =>
    Object.assign({}, STANDING, ...changes);

/** Turns the side to the camera between 2 and 3.5 s. */
const turningWith =
  (...changes: Partial<Pose>[]): Motion =>
  (seconds) =>
    turned(Object.assign({}, STANDING, ...changes), Math.min(1, Math.max(0, (seconds - 2) / 1.5)));

/** @returns what is made of the last picture. */
function film(motion: Motion, filming: Partial<Filming> = {}): Behaviour {
  return filmAll(motion, filming).at(-1) as Behaviour;
}

function filmAll(motion: Motion, filming: Partial<Filming>): Behaviour[] {
  const { fps, seconds, ...drawing } = { ...FILMING, ...filming };
  const cues = createCues();
  const random = seededRandom(7);
  return Array.from({ length: Math.round(fps * seconds) }, (_, index) => {
    const person = draw(motion(index / fps), drawing, random);
    const sighting = {
      camera: "aisle",
      timestamp: 1_000_000 + (index * 1000) / fps,
      width: drawing.width,
      height: drawing.height,
    };
    return cues.judge([person], sighting)[0] as Behaviour;
  });
}

/** Without for how long. */
const words = ({ reasons }: Behaviour) => reasons.map((reason) => reason.replace(/ for .*/, ""));

const VARIANTS: readonly (readonly [how: string, filming: Partial<Filming>])[] = [
  ["plain", {}],
  ["mirrored", { mirrored: true }],
  ["small and in a corner", { torso: 30, at: [0.1, 0.2] }],
  ["large", { torso: 160 }],
  ["in a wide picture", { width: 1920, height: 600 }],
  ["in a tall picture", { width: 480, height: 1280 }],
  ["with 2 % of jitter", { jitter: 0.02 }],
  ["with 20 % of the joints absent", { missing: 0.2 }],
  ["at 2 pictures a second", { fps: 2 }],
  ["at 5 pictures a second", { fps: 5 }],
  ["at 15 pictures a second", { fps: 15 }],
  ["with jitter and absent joints", { jitter: 0.02, missing: 0.2 }],
  ["at 5 pictures a second, with jitter and some absent joints", { fps: 5, jitter: 0.02, missing: 0.1 }],
];

const CASES: readonly (readonly [
  what: string,
  motion: Motion,
  label: Behaviour["label"] | undefined,
  reasons: readonly string[],
])[] = [
  ["standing with hanging arms", holding(), "normal", []],
  ["walking", walking, "normal", []],
  ["reaching for a shelf", holding(REACHING), "normal", []],
  ["turning round with hanging arms", turningWith(), "normal", []],
  ["head bowed over the hands", holding(HEAD_BOWED, HANDS_IN_FRONT), "suspicious", ["head bowed over the hands"]],
  ["head bowed, arms hanging", holding(HEAD_BOWED), "suspicious", ["head bowed"]],
  ["a hand in the pocket", holding(RIGHT_HAND_IN_POCKET), "normal", ["right wrist at the waist"]],
  // At the edge of the threshold: absent joints decide.
  ["a hand at the chest", holding(LEFT_HAND_AT_CHEST), undefined, ["left hand at the chest"]],
  [
    "head bowed, a hand in the pocket",
    holding(HEAD_BOWED, RIGHT_HAND_IN_POCKET),
    "suspicious",
    ["head bowed", "right wrist at the waist"],
  ],
  [
    "both hands at the waist",
    holding(HANDS_AT_WAIST),
    "suspicious",
    ["both hands together at the waist", "left wrist at the waist", "right wrist at the waist"],
  ],
];

describe("pose cues", () => {
  for (const [what, motion, label, expected] of CASES) {
    describe(what, () => {
      for (const [how, filming] of VARIANTS) {
        it(how, () => {
          const behaviour = film(motion, filming);
          if (label) assert.equal(behaviour.label, label, `score ${behaviour.score}: ${behaviour.reasons.join(", ")}`);
          const swapped = expected.map((text) => (filming.mirrored ? swapSides(text) : text));
          for (const reason of swapped) assert.ok(words(behaviour).includes(reason), `${behaviour.reasons.join(", ")}`);
          if (expected.length === 0) assert.deepEqual(behaviour.reasons, []);
        });
      }
    });
  }

  it("sees hands go to the torso while somebody turns away", () => {
    const withHands = film(turningWith(HANDS_AT_WAIST), { fps: 5 });
    const standing = film(holding(HANDS_AT_WAIST), { fps: 5 });
    assert.ok(words(withHands).includes("hands to the torso while turning away"));
    assert.ok(!words(standing).includes("hands to the torso while turning away"));
  });

  it("scores a mirrored picture the same", () => {
    for (const [, motion] of CASES) {
      assert.ok(Math.abs(film(motion).score - film(motion, { mirrored: true }).score) < 1e-9);
    }
  });

  it("says for how long, and the weightiest reason first", () => {
    const { reasons } = film(holding(HEAD_BOWED, RIGHT_HAND_IN_POCKET));
    assert.deepEqual(
      reasons.map((reason) => reason.replace(/\d\.\d/, "#")),
      ["head bowed", "right wrist at the waist for # s"],
    );
    const seconds = Number(/for (\d\.\d) s/.exec(reasons[1] ?? "")?.[1]);
    assert.ok(seconds >= 2.3 && seconds <= 2.5, `${seconds} s`);
  });

  it("tells a short hold from a long one", () => {
    const moment: Motion = (seconds) => (seconds > 2.5 && seconds < 3.3 ? holding(RIGHT_HAND_IN_POCKET)(0) : STANDING);
    assert.deepEqual(film(moment).reasons, ["right wrist at the waist for 0.7 s"]);
  });

  it("judges nobody on a few pictures, and comes to its full score within a second or so", () => {
    for (const fps of [2, 5, 10, 15]) {
      const scores = filmAll(holding(HEAD_BOWED, HANDS_IN_FRONT), { fps, seconds: 3 }).map(({ score }) => score);
      assert.deepEqual(scores.slice(0, 2), [0, 0]);
      assert.ok((scores[Math.ceil(0.4 * fps)] ?? 0) < 0.5, `after 0.4 s at ${fps}/s: ${scores}`);
      assert.ok((scores[Math.ceil(1.5 * fps)] ?? 0) > 0.7, `after 1.5 s at ${fps}/s: ${scores}`);
    }
  });

  it("lets go when the pose is over", () => {
    const bowedFirst: Motion = (seconds) => holding(...(seconds < 3 ? [HEAD_BOWED] : []))(0);
    assert.equal(film(bowedFirst, { seconds: 3 }).label, "suspicious");
    assert.equal(film(bowedFirst, { seconds: 5 }).label, "normal");
    assert.equal(film(bowedFirst, { seconds: 6 }).score, 0);
  });

  it("takes no absent joint for evidence, wherever it is said to be", () => {
    const { score, reasons } = film(holding(HEAD_BOWED, HANDS_AT_WAIST), { missing: 1 });
    assert.equal(score, 0);
    assert.deepEqual(reasons, []);
  });

  it("keeps people and cameras apart", () => {
    const cues = createCues();
    const random = seededRandom(1);
    const bowed = draw(holding(HEAD_BOWED)(0), PLAIN, random);
    const upright = { ...draw(STANDING, PLAIN, random), id: "2" };
    const last = { aisle: [] as Behaviour[], till: [] as Behaviour[] };
    for (let timestamp = 0; timestamp < 3000; timestamp += 100) {
      last.aisle = cues.judge([upright, bowed], { camera: "aisle", timestamp, width: 640, height: 480 });
      last.till = cues.judge([{ ...upright, id: "1" }], { camera: "till", timestamp, width: 640, height: 480 });
    }
    assert.deepEqual(
      last.aisle.map(({ label }) => label),
      ["normal", "suspicious"],
    );
    assert.equal(last.till[0]?.score, 0);
  });

  it("gives an empty answer for an empty picture", () => {
    assert.deepEqual(createCues().judge([], { camera: "aisle", timestamp: 0, width: 640, height: 480 }), []);
  });

  it("takes another threshold", () => {
    const cues = createCues({ threshold: 0.9 });
    const person = draw(holding(HEAD_BOWED)(0), PLAIN, seededRandom(1));
    const judged = Array.from({ length: 30 }, (_, index) =>
      cues.judge([person], { camera: "aisle", timestamp: index * 100, width: 640, height: 480 }),
    );
    assert.equal(judged.at(-1)?.[0]?.label, "normal");
    for (const threshold of [0, -1, 1.1, Number.NaN]) {
      assert.throws(() => createCues({ threshold }), { code: "SETTING_INVALID" });
    }
  });
});

describe("the verdict on cues", () => {
  const cue = (name: string, weight: number, strength: number) => ({ words: name, weight, strength });
  const CASES: readonly (readonly [
    what: string,
    cues: ReturnType<typeof cue>[],
    score: number,
    label: string,
    reasons: string[],
  ])[] = [
    ["none", [], 0, "normal", []],
    ["one at full strength", [cue("a", 0.75, 1)], 0.75, "suspicious", ["a"]],
    ["one that is too faint to tell", [cue("a", 0.5, 0.1)], 0.05, "normal", []],
    ["two that are not enough alone", [cue("a", 0.4, 1), cue("b", 0.5, 0.6)], 0.58, "suspicious", ["a", "b"]],
    ["the weightier one last", [cue("a", 0.4, 0.5), cue("b", 0.8, 0.5)], 0.52, "suspicious", ["b", "a"]],
    ["just the threshold", [cue("a", 1, 0.5)], 0.5, "suspicious", ["a"]],
    ["all there is", [cue("a", 1, 1), cue("b", 1, 1)], 1, "suspicious", ["a", "b"]],
  ];
  for (const [what, cues, score, label, reasons] of CASES) {
    it(`of ${what}`, () => {
      const behaviour = verdict(cues, 0.5);
      assert.ok(Math.abs(behaviour.score - score) < 1e-9, `${behaviour.score}`);
      assert.equal(behaviour.label, label);
      assert.deepEqual(behaviour.reasons, reasons);
      assert.equal(behaviour.model, "cues");
    });
  }
});

function swapSides(text: string): string {
  return text.replace(/left|right/, (side) => (side === "left" ? "right" : "left"));
}

import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { Box } from "../../src/pose/person.ts";
import { decodeYoloEndToEnd, decodeYoloNms } from "../../src/pose/yolo.ts";

interface Candidate {
  box: Box;
  score: number;
  kind?: number;
}

const jointValues = Array.from({ length: 17 }, (_, joint) => [100 + joint, 200 + joint, joint / 32]).flat();
const jointTriples = Array.from({ length: 17 }, (_, joint) => [100 + joint, 200 + joint, joint / 32]);

/** `[1, 56, N]` */
function nmsOutput(candidates: Candidate[]): Float32Array {
  const columns = candidates.map(({ box: { x, y, width, height }, score }) => [
    x + width / 2,
    y + height / 2,
    width,
    height,
    score,
    ...jointValues,
  ]);
  return Float32Array.from(
    { length: 56 * columns.length },
    (_, index) => columns[index % columns.length]?.[Math.floor(index / columns.length)] as number,
  );
}

/** `[1, N, 57]` */
function endToEndOutput(candidates: Candidate[]): Float32Array {
  const rows = candidates.map(({ box: { x, y, width, height }, score, kind = 0 }) => [
    x,
    y,
    x + width,
    y + height,
    score,
    kind,
    ...jointValues,
  ]);
  return Float32Array.from(rows.flat());
}

const left: Box = { x: 10, y: 20, width: 100, height: 200 };
const leftAgain: Box = { x: 20, y: 20, width: 100, height: 200 };
const beside: Box = { x: 60, y: 20, width: 100, height: 200 };
const right: Box = { x: 400, y: 20, width: 100, height: 200 };

const nmsCases: { name: string; candidates: Candidate[]; found: [Box, number][] }[] = [
  { name: "nobody", candidates: [{ box: left, score: 0.125 }], found: [] },
  { name: "the threshold itself", candidates: [{ box: left, score: 0.25 }], found: [[left, 0.25]] },
  {
    name: "the best of overlapping boxes (0.82)",
    candidates: [
      { box: left, score: 0.5 },
      { box: leftAgain, score: 0.75 },
    ],
    found: [[leftAgain, 0.75]],
  },
  {
    name: "both of boxes that overlap less (0.33), by falling score",
    candidates: [
      { box: left, score: 0.5 },
      { box: beside, score: 0.75 },
      { box: right, score: 0.625 },
    ],
    found: [
      [beside, 0.75],
      [right, 0.625],
      [left, 0.5],
    ],
  },
];

describe("decodeYoloNms", () => {
  for (const { name, candidates, found } of nmsCases) {
    it(`finds ${name}`, () => {
      const persons = decodeYoloNms(nmsOutput(candidates), 0.25);
      assert.deepEqual(
        persons.map(({ box, score }) => [box, score]),
        found,
      );
      for (const { keypoints } of persons) assert.deepEqual(keypoints, jointTriples);
    });
  }

  it("keeps a hundred persons at most", () => {
    const crowd = Array.from({ length: 300 }, (_, index) => ({
      box: { x: 1000 * index, y: 0, width: 10, height: 10 },
      score: 0.5,
    }));
    assert.equal(decodeYoloNms(nmsOutput(crowd), 0.25).length, 100);
  });
});

describe("decodeYoloEndToEnd", () => {
  const rows = endToEndOutput([
    { box: left, score: 0.5 },
    { box: right, score: 0.75 },
    { box: beside, score: 0.875, kind: 1 },
    { box: leftAgain, score: 0.125 },
  ]);

  it("reads persons by falling score, without other classes", () => {
    const persons = decodeYoloEndToEnd(rows, 0.25);
    assert.deepEqual(
      persons.map(({ box, score }) => [box, score]),
      [
        [right, 0.75],
        [left, 0.5],
      ],
    );
    for (const { keypoints } of persons) assert.deepEqual(keypoints, jointTriples);
  });

  it("follows the threshold", () => {
    assert.equal(decodeYoloEndToEnd(rows, 0.0625).length, 3);
    assert.equal(decodeYoloEndToEnd(rows, 0.9).length, 0);
  });
});

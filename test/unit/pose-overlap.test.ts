import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { boxOverlap, poseSimilarity, withoutDuplicates } from "../../src/pose/overlap.ts";
import type { Box, Keypoint } from "../../src/pose/person.ts";
import { keypoints } from "./pose-fixtures.ts";

const box = (x: number, y: number, width: number, height: number): Box => ({ x, y, width, height });

const overlaps: [a: Box, b: Box, expected: number][] = [
  [box(0, 0, 2, 2), box(0, 0, 2, 2), 1],
  [box(0, 0, 2, 2), box(2, 0, 2, 2), 0],
  [box(0, 0, 2, 2), box(5, 5, 1, 1), 0],
  [box(0, 0, 2, 2), box(1, 0, 2, 2), 1 / 3],
  [box(0, 0, 4, 4), box(1, 1, 2, 2), 1 / 4],
  [box(0, 0, 0, 0), box(0, 0, 0, 0), 0],
];

describe("boxOverlap", () => {
  for (const [a, b, expected] of overlaps) {
    it(`of ${JSON.stringify(a)} and ${JSON.stringify(b)} is ${expected}`, () => {
      assert.equal(boxOverlap(a, b), expected);
      assert.equal(boxOverlap(b, a), expected);
    });
  }
});

describe("poseSimilarity", () => {
  const here: Keypoint = [10, 10, 1];

  it("is 1 for one pose, and near 0 for poses far apart", () => {
    assert.equal(poseSimilarity(keypoints(here), keypoints(here), 100), 1);
    assert.ok(poseSimilarity(keypoints(here), keypoints([100, 10, 1]), 100) < 1e-6);
  });

  it("follows COCO's formula", () => {
    // A hip, spread 0.107, 3 pixels off in an area of 400: exp(-9 / (8 * 400 * 0.107²)) of a seventeenth.
    const moved = keypoints(here, { 11: [13, 10, 1] });
    const expected = (16 + Math.exp(-9 / (8 * 400 * 0.107 ** 2))) / 17;
    assert.ok(Math.abs(poseSimilarity(keypoints(here), moved, 400) - expected) < 1e-12);
  });

  it("is 0 for a person without an area", () => {
    assert.equal(poseSimilarity(keypoints(here), keypoints(here), 0), 0);
  });
});

describe("withoutDuplicates", () => {
  const near = (a: number, b: number) => Math.abs(a - b) < 2;

  it("keeps the first of those that are the same", () => {
    assert.deepEqual(withoutDuplicates([10, 11, 20, 9, 21, 12], near, 10), [10, 20, 12]);
  });

  it("keeps no more than the limit", () => {
    assert.deepEqual(withoutDuplicates([10, 20, 30], near, 2), [10, 20]);
  });
});

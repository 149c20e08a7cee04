import assert from "node:assert/strict";
import type { Keypoint } from "../../src/pose/person.ts";
import { type Body, measureBody } from "../../src/track/body.ts";
import { COST_LIMIT, matchingCost } from "../../src/track/matching-cost.ts";
import { continueTrack, predictTrack, startTrack } from "../../src/track/track.ts";

/** A body 0.2 high in a square picture, its joints `lean` to one side of the box's middle. */
function body(x: number, { lean = 0, height = 0.2, joints = 17, score = 0.5 } = {}): Body {
  const keypoints = Array.from({ length: 17 }, (_, index): Keypoint => {
    return [x + lean, 0.4 + index * 0.011, index < joints ? score : 0];
  });
  return measureBody({ box: { x: x - 0.04, y: 0.5 - height / 2, width: 0.08, height }, keypoints, score: 0.5 }, 1);
}

/** Somebody seen once at `x` 0.5, and expected to be anywhere near after some seconds. */
const after = (seconds: number) => predictTrack(startTrack(body(0.5), 0), seconds);

describe("matchingCost", () => {
  it("is nothing for the same body in the same place", () => {
    assert.ok(matchingCost(after(0.2), body(0.5)) < 1e-9);
  });

  it("grows with distance, and stays a match for a walker whose boxes do not overlap", () => {
    const costs = [0.5, 0.53, 0.56, 0.59].map((x) => matchingCost(after(0.5), body(x)));
    assert.deepEqual(costs, [...costs].sort());
    assert.ok((costs.at(-1) ?? Number.NaN) < COST_LIMIT, `${costs}`);
  });

  it("forbids what is out of reach, which is more the longer a body was unseen, up to a bound", () => {
    assert.equal(matchingCost(after(0.1), body(0.62)), Number.POSITIVE_INFINITY);
    assert.ok(matchingCost(after(1), body(0.62)) < Number.POSITIVE_INFINITY);
    assert.equal(matchingCost(after(2), body(0.8)), Number.POSITIVE_INFINITY);
  });

  it("looks where the body was going", () => {
    let track = startTrack(body(0.2), 0);
    for (let step = 1; step <= 5; step++) {
      track = continueTrack(predictTrack(track, 0.2), body(0.2 + step * 0.03), step * 200);
    }
    track = predictTrack(track, 0.4);
    assert.ok(matchingCost(track, body(0.41)) < matchingCost(track, body(0.35)) / 2);
  });

  it("tells bodies in one box apart by their joints", () => {
    const cost = matchingCost(after(0.2), body(0.5));
    assert.ok(matchingCost(after(0.2), body(0.5, { lean: 0.03 })) > cost + 0.05);
  });

  for (const [what, other] of Object.entries({
    "joints that are hardly seen": { lean: 0.03, score: 0.1 },
    "only a few joints": { lean: 0.03, joints: 3 },
  })) {
    it(`leaves it to the boxes with ${what}`, () => {
      assert.ok(matchingCost(after(0.2), body(0.5, other)) < 1e-9);
    });
  }

  it("grows with a change of size", () => {
    assert.ok(matchingCost(after(0.2), body(0.5, { height: 0.3 })) > matchingCost(after(0.2), body(0.5)) + 0.2);
  });
});

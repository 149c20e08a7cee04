import assert from "node:assert/strict";
import { Posture } from "../../src/behaviour/posture.ts";
import { extendWindow, type Observation, Windows } from "../../src/behaviour/window.ts";

const posture = new Posture({ keypoints: [] }, 640, 480);

function windowOf(...timestamps: number[]): Observation[] {
  return timestamps.reduce<Observation[]>((window, timestamp) => extendWindow(window, timestamp, posture), []);
}

describe("the window of a person", () => {
  const CASES: readonly (readonly [what: string, timestamps: number[], kept: number[], seconds: number[]])[] = [
    ["begins with no time", [5000], [5000], [0]],
    ["counts the time between pictures", [0, 200, 500], [0, 200, 500], [0, 0.2, 0.3]],
    ["keeps the last 2.5 s", [0, 500, 1000, 2600, 3000], [1000, 2600, 3000], [0.5, 0.75, 0.4]],
    ["counts a gap as no more than 0.75 s", [0, 2000], [0, 2000], [0, 0.75]],
    ["is empty after a long gap", [0, 60_000], [60_000], [0.75]],
    ["begins anew when the clock runs back", [5000, 5200, 1000], [1000], [0]],
    ["counts the same moment once", [0, 200, 200], [0, 200], [0, 0.2]],
  ];
  for (const [what, timestamps, kept, seconds] of CASES) {
    it(what, () => {
      const window = windowOf(...timestamps);
      assert.deepEqual(
        window.map(({ timestamp }) => timestamp),
        kept,
      );
      assert.deepEqual(
        window.map((observation) => observation.seconds),
        seconds,
      );
    });
  }

  it("is bounded at any frame rate", () => {
    assert.equal(windowOf(...Array.from({ length: 1000 }, (_, index) => index)).length, 64);
  });
});

describe("the windows of everybody", () => {
  it("forgets who is out of sight", () => {
    const windows = new Windows();
    windows.extend("aisle", "1", 0, posture);
    windows.extend("till", "1", 0, posture);
    windows.extend("aisle", "2", 2000, posture);
    windows.forgetUnseen("aisle", 3000);
    assert.equal(windows.size, 2);
    windows.forgetUnseen("aisle", 10_000);
    windows.forgetUnseen("till", 10_000);
    windows.forgetUnseen("nowhere", 10_000);
    assert.equal(windows.size, 0);
  });

  it("forgets everybody when a clip starts again", () => {
    const windows = new Windows();
    windows.extend("clip", "1", 60_000, posture);
    windows.forgetUnseen("clip", 0);
    assert.equal(windows.size, 0);
  });

  it("is bounded, and forgets who was not seen for longest", () => {
    const windows = new Windows();
    for (let person = 0; person < 300; person++) {
      windows.extend("aisle", "the first", person, posture);
      windows.extend("aisle", `${person}`, person, posture);
    }
    assert.equal(windows.size, 256);
    assert.ok(windows.extend("aisle", "the first", 300, posture).length > 1);
    assert.equal(windows.extend("aisle", "0", 301, posture).length, 1);
    for (let camera = 0; camera < 300; camera++) windows.extend(`${camera}`, "1", 0, posture);
    assert.equal(windows.size, 256);
  });
});

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Box, Detection, Keypoint } from "../../src/pose/person.ts";
import { Tracker } from "../../src/track/tracker.ts";

interface GoldenPoses {
  width: number;
  height: number;
  framesPerSecond: number;
  frames: {
    timestamp: number;
    detections: { score: number; box: [number, number, number, number]; keypoints: number[] }[];
  }[];
}

/** A sighting; `x`, `y` is the middle of the box. Lengths in heights of the picture. */
interface Step {
  timestamp: number;
  x: number;
  y: number;
  size: number;
}

const golden = JSON.parse(
  readFileSync(new URL("../../../test/golden/pose-plaza.json", import.meta.url), "utf8"),
) as GoldenPoses;
const aspectRatio = golden.width / golden.height;

/** What the model found in a real clip of a busy plaza, at every n-th frame. */
function poses(every: number): { timestamp: number; detections: Detection[] }[] {
  return golden.frames
    .filter((_, index) => index % every === 0)
    .map(({ timestamp, detections }) => ({
      timestamp,
      detections: detections.map(({ score, box: [x, y, width, height], keypoints }) => ({
        score,
        box: { x, y, width, height },
        keypoints: Array.from({ length: 17 }, (_, index) =>
          keypoints.slice(3 * index, 3 * index + 3),
        ) as never as Keypoint[],
      })),
    }));
}

function track(every = 1): Map<string, Step[]> {
  const tracker = new Tracker({ aspectRatio });
  const tracks = new Map<string, Step[]>();
  for (const { timestamp, detections } of poses(every)) {
    for (const { id, box } of tracker.update(detections, timestamp)) {
      const steps = tracks.get(id) ?? [];
      steps.push(stepOf(box, timestamp));
      tracks.set(id, steps);
    }
  }
  return tracks;
}

function stepOf({ x, y, width, height }: Box, timestamp: number): Step {
  const size = Math.hypot(width * aspectRatio, height);
  return { timestamp, x: (x + width / 2) * aspectRatio, y: y + height / 2, size };
}

/** The id of whoever is at a place, in 0..1 of the picture, at a time in seconds. */
function idAt(tracks: Map<string, Step[]>, seconds: number, [x, y]: readonly [number, number]): string | undefined {
  const found = [...tracks].find(([, steps]) =>
    steps.some(
      (step) =>
        step.timestamp === Math.round(seconds * 1000) &&
        Math.hypot(step.x - x * aspectRatio, step.y - y) < step.size / 3,
    ),
  );
  return found?.[0];
}

describe("Tracker on the poses of a real clip", () => {
  // Five frames a second, about sixteen people at a time, 13.6 s. Places and times were read off the pictures.
  const walks: { who: string; from: [number, [number, number]]; to: [number, [number, number]] }[] = [
    { who: "the man in a white shirt who comes down the middle", from: [0, [0.5, 0.23]], to: [10.2, [0.53, 0.95]] },
    { who: "the man with a shoulder bag who goes up the middle", from: [0.4, [0.61, 0.9]], to: [12.2, [0.55, 0.07]] },
    { who: "the man who crosses from the right edge to the top", from: [0.4, [0.98, 0.68]], to: [10.8, [0.77, 0.06]] },
    { who: "the man in black who comes down on the right", from: [0.4, [0.58, 0.1]], to: [12.4, [0.68, 0.94]] },
    { who: "the man in black who goes up on the right", from: [3, [0.63, 0.94]], to: [13.4, [0.68, 0.06]] },
    { who: "the man who stands at the top", from: [0.8, [0.73, 0.08]], to: [13.4, [0.73, 0.07]] },
    { who: "somebody in the group that stands on the left", from: [2.2, [0.19, 0.52]], to: [13.4, [0.19, 0.49]] },
  ];
  for (const { who, from, to } of walks) {
    it(`follows ${who}`, () => {
      const tracks = track();
      const id = idAt(tracks, ...from);
      assert.ok(id !== undefined);
      assert.equal(idAt(tracks, ...to), id);
    });
  }

  it("uses few ids: most sightings belong to somebody who is followed for two seconds or more", () => {
    const lengths = [...track().values()].map(({ length }) => length);
    const sightings = lengths.reduce((sum, length) => sum + length, 0);
    const long = lengths.filter((length) => length >= 10);
    assert.ok(lengths.length <= 50, `${lengths.length} ids`);
    assert.ok(long.length >= 28, `${long.length} long tracks`);
    assert.ok(sightings / lengths.length >= 19, `mean length ${sightings / lengths.length}`);
    assert.ok(long.reduce((sum, length) => sum + length, 0) > 0.85 * sightings);
  });

  it("names nearly everybody whom the model finds", () => {
    const found = poses(1).reduce((sum, { detections }) => sum + detections.length, 0);
    const named = [...track().values()].reduce((sum, { length }) => sum + length, 0);
    assert.ok(named / found > 0.85, `${named} of ${found}`);
  });

  for (const [pace, every] of Object.entries({ "5 a second": 1, "2.5 a second": 2, "1.7 a second": 3 })) {
    it(`lets nobody leap, at ${pace}`, () => {
      for (const [id, steps] of track(every)) {
        for (const [index, step] of steps.entries()) {
          const before = steps[index - 1] ?? step;
          const leap = Math.hypot(step.x - before.x, step.y - before.y) / before.size;
          const seconds = (step.timestamp - before.timestamp) / 1000;
          assert.ok(leap < 0.6 + 1.2 * seconds, `${id} leaps ${leap} body sizes at ${step.timestamp} in ${seconds} s`);
        }
      }
    });
  }

  it("gives half the frames no more than a few ids more", () => {
    assert.ok(track(2).size <= track().size + 5, `${track(2).size} against ${track().size}`);
  });

  it("gives the same ids for the same input", () => assert.deepEqual(track(), track()));
});

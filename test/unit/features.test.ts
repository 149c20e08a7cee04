import assert from "node:assert/strict";
import { type Body, bodyOf } from "../../src/behaviour/features/body.ts";
import { degrade, harm, UNHARMED } from "../../src/behaviour/features/degrade.ts";
import { MEASURES, measure } from "../../src/behaviour/features/measures.ts";
import { seededRandom } from "../../src/behaviour/features/random.ts";
import { FEATURES, featuresOfTrack, TrackFeatures, WINDOW_TICKS } from "../../src/behaviour/features/track-features.ts";
import { TrackScore } from "../../src/behaviour/features/track-score.ts";
import {
  type Drawing,
  draw,
  HEAD_BOWED,
  PLAIN,
  type Pose,
  RIGHT_HAND_IN_POCKET,
  STANDING,
  walking,
} from "./stick-figure.ts";

function bodyIn(pose: Pose, drawing: Partial<Drawing> = {}, random = () => 0.5): Body {
  const all = { ...PLAIN, ...drawing };
  return bodyOf(draw(pose, all, random).keypoints, all.width, all.height);
}

function measured(body: Body, name: string): number {
  const index = MEASURES.indexOf(name);
  assert.notEqual(index, -1, name);
  return measure(body, 80, undefined, 0.2)[index] as number;
}

function feature(values: Float32Array, name: string): number {
  assert.ok(FEATURES.includes(name), name);
  return values[FEATURES.indexOf(name)] as number;
}

/** Somebody who walks, recorded at so many frames a second. */
function walk(fps: number, seconds: number, drawing: Partial<Drawing> = {}) {
  const times = Array.from({ length: Math.floor(fps * seconds) + 1 }, (_, index) => index / fps);
  return { timestamps: times.map((time) => 1000 * time), bodies: times.map((time) => bodyIn(walking(time), drawing)) };
}

function close(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what: string): void {
  assert.equal(actual.length, expected.length);
  for (let index = 0; index < actual.length; index++) {
    const [one, other] = [actual[index] as number, expected[index] as number];
    if (Number.isNaN(one) && Number.isNaN(other)) continue;
    const most = tolerance * Math.max(1, Math.abs(other));
    assert.ok(Math.abs(one - other) <= most, `${what}, value ${index}: ${one} instead of ${other}`);
  }
}

describe("features of a posture", () => {
  it("are those that a ruler gives", () => {
    const body = bodyIn({ ...STANDING, ...HEAD_BOWED });
    const table: readonly [string, number][] = [
      ["noseBelowEars", 0.3],
      ["noseOverShoulders", 0.1],
      ["shouldersApart", 0.6],
      ["torsoLength", 1],
      ["leanAside", 0],
      ["wristToHip.least", Math.hypot(0.2, 0.08)],
      ["wristOverHips.most", -0.08],
    ];
    for (const [name, expected] of table) assert.ok(Math.abs(measured(body, name) - expected) < 1e-5, name);
    assert.ok(Math.abs(measured(bodyIn({ ...STANDING, leftWrist: [0.88, 0.55] }), "elbowAngle.least") - 96.2) < 0.5);
  });

  const POSES: readonly Pose[] = [STANDING, { ...STANDING, ...HEAD_BOWED, ...RIGHT_HAND_IN_POCKET, nose: [0.1, -0.2] }];
  const SEEN: Readonly<Record<string, Partial<Drawing>>> = {
    "another place": { at: [0.2, 0.1] },
    "a mirror": { mirrored: true },
    "a picture of other proportions": { width: 1280, height: 500 },
  };
  for (const [name, drawing] of Object.entries(SEEN)) {
    it(`are the same in ${name}`, () => {
      for (const pose of POSES) {
        const expected = measure(bodyIn(pose), 80, undefined, 0.2);
        close(measure(bodyIn(pose, drawing), 80, undefined, 0.2), expected, 1e-3, name);
      }
    });
  }

  it("are the same for a person who is twice as large", () => {
    const expected = measure(bodyIn(STANDING), 80, undefined, 0.2);
    close(measure(bodyIn(STANDING, { torso: 160 }), 160, undefined, 0.2), expected, 1e-4, "large");
  });

  it("do not know what absent joints would tell, and all else", () => {
    const body = bodyIn(STANDING);
    const person = draw(STANDING, PLAIN, () => 0.5);
    const keypoints = person.keypoints.map((point, index) => (index === 9 ? ([0.9, 0.9, 0.1] as const) : point));
    const partial = bodyOf(keypoints, PLAIN.width, PLAIN.height);
    assert.ok(Number.isNaN(measured(partial, "wristsApart")));
    assert.equal(measured(partial, "wristToHip.least"), measured(body, "wristToHip.most"));
    assert.equal(measured(partial, "noseBelowEars"), measured(body, "noseBelowEars"));
  });

  it("hold no infinite value, even for somebody who is a point", () => {
    const point = new Float64Array(34).fill(5);
    const rows = featuresOfTrack({
      timestamps: Array.from({ length: 20 }, (_, i) => i * 67),
      bodies: Array(20).fill(point),
    });
    assert.ok(rows.length > 0);
    for (const { values } of rows) assert.ok(values.every((value) => Number.isNaN(value) || Number.isFinite(value)));
  });
});

describe("features of a track", () => {
  it("are mean, deviation, least and most of the last 8 ticks", () => {
    const { timestamps, bodies } = walk(15, 1.2);
    const rows = featuresOfTrack({ timestamps, bodies });
    assert.equal(rows.length, bodies.length - WINDOW_TICKS + 1);
    const last = bodies.slice(-WINDOW_TICKS).map((body) => measured(body, "wristOverHips.most"));
    const mean = last.reduce((sum, value) => sum + value, 0) / last.length;
    const deviation = Math.sqrt(last.reduce((sum, value) => sum + (value - mean) ** 2, 0) / last.length);
    const values = rows.at(-1)?.values as Float32Array;
    const expected = [mean, deviation, Math.min(...last), Math.max(...last)];
    const actual = ["mean", "std", "min", "max"].map((what) => feature(values, `wristOverHips.most.${what}`));
    close(actual, expected, 1e-5, "wrist");
  });

  it("measure speed in torso lengths a second", () => {
    const fps = 15;
    const bodies = Array.from({ length: 15 }, (_, index) =>
      bodyIn(STANDING, { at: [0.2 + (0.5 * index * 80) / fps / 640, 0.3] }),
    );
    const rows = featuresOfTrack({ timestamps: bodies.map((_, index) => (index * 1000) / fps), bodies });
    assert.ok(Math.abs(feature(rows.at(-1)?.values as Float32Array, "hipsSpeed.mean") - 0.5) < 1e-3);
  });

  it("come the same one pose at a time as from a whole track, with gaps and absent joints", () => {
    const random = seededRandom(3);
    const timestamps: number[] = [];
    const bodies: Body[] = [];
    for (let time = 0; time < 12_000; time += 40 + 60 * random() + (random() < 0.03 ? 1500 : 0)) {
      timestamps.push(time);
      bodies.push(bodyIn(walking(time / 1000), { jitter: 0.03, missing: 0.1 }, random));
    }
    const batch = featuresOfTrack({ timestamps, bodies });
    const features = new TrackFeatures();
    const streamed = bodies.flatMap((body, index) => features.push(timestamps[index] as number, body));
    assert.ok(batch.length > 60);
    assert.deepEqual(streamed, batch);
  });

  for (const fps of [30, 25, 10, 5]) {
    it(`differ little at ${fps} frames a second`, () => {
      const slow = featuresOfTrack(walk(fps, 3));
      const truth = featuresOfTrack(walk(15, 3));
      assert.ok(Math.abs(slow.length - truth.length) <= 1, `${slow.length} rows instead of ${truth.length}`);
      const row = slow[20]?.values as Float32Array;
      const same = truth[20]?.values as Float32Array;
      for (const name of ["wristToHip.least.mean", "noseBelowEars.mean", "elbowAngle.least.mean", "torsoLength.max"]) {
        assert.ok(Math.abs(feature(row, name) / feature(same, name) - 1) < 0.08, `${name} at ${fps}`);
      }
    });
  }

  it("say nothing of a window that is not full, nor across a gap, nor of the same time twice", () => {
    const features = new TrackFeatures();
    const body = bodyIn(STANDING);
    const counts = [0, 66.7, 133.3, 200, 266.7, 333.3, 400, 466.7, 466.7, 533.3, 2000, 2066].map(
      (timestamp) => features.push(timestamp, body).length,
    );
    assert.deepEqual(counts, [0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0]);
  });

  it("begin anew where the clock runs backwards", () => {
    const features = new TrackFeatures();
    const body = bodyIn(STANDING);
    for (let tick = 0; tick < 10; tick++) features.push(5000 + tick * 66.7, body);
    assert.equal(features.push(1000, body).length, 0);
    assert.equal(features.push(1066.7, body).length, 0);
  });
});

describe("score of a track", () => {
  it("is the exponential mean of its rows", () => {
    const track = new TrackScore((values) => feature(values, "noseBelowEars.mean"), 0.5);
    const scores: (number | undefined)[] = [];
    for (let tick = 0; tick < 18; tick++) {
      scores.push(track.push((tick * 1000) / 15, bodyIn(tick < 8 ? STANDING : { ...STANDING, ...HEAD_BOWED })));
    }
    assert.deepEqual(scores.slice(0, 7), Array(7).fill(undefined));
    assert.ok(Math.abs((scores[7] as number) - 0.03) < 1e-5);
    const nextRow = (7 * 0.03 + 0.3) / 8;
    assert.ok(Math.abs((scores[8] as number) - (0.03 + nextRow) / 2) < 1e-5);
    assert.ok((scores[17] as number) > 0.25);
  });
});

describe("degraded recordings", () => {
  const video = { video: "a", camera: "1", frames: 300, fps: 15, theft: [] };
  const bodies = Array.from({ length: 300 }, () => bodyIn(STANDING));
  const recordings = { videos: [video], persons: [{ video, frames: Int32Array.from(bodies.keys()), bodies }] };

  it("lose as many frames as a slower camera", () => {
    for (const fps of [10, 5, 2]) {
      const [person] = degrade(recordings, { ...UNHARMED, fps }, seededRandom(1)).persons;
      assert.equal(person?.frames.length, (300 * fps) / 15);
      assert.equal(person?.bodies.length, person?.frames.length);
    }
  });

  it("lose as many joints, and jitter as much, as they are told", () => {
    const body = bodyIn(STANDING);
    const random = seededRandom(5);
    let lost = 0;
    let squares = 0;
    const rounds = 500;
    for (let round = 0; round < rounds; round++) {
      lost += harm(body, 0, 0.2, random).filter(Number.isNaN).length / 34;
      squares +=
        harm(body, 0.04, 0, random).reduce((sum, value, index) => sum + (value - (body[index] as number)) ** 2, 0) / 34;
    }
    assert.ok(Math.abs(lost / rounds - 0.2) < 0.02);
    assert.ok(Math.abs(Math.sqrt(squares / rounds) - 0.04 * 80) < 0.1);
  });
});

import assert from "node:assert/strict";
import { correctMotion, type Motion, predictMotion, startMotion } from "../../src/track/motion.ts";

const close = (actual: number, expected: number, tolerance = 1e-9) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not within ${tolerance} of ${expected}`);

const follow = (places: readonly (readonly [seconds: number, position: number])[]): Motion =>
  places.reduce<Motion>(
    (motion, [seconds, position]) => correctMotion(predictMotion(motion, seconds, 0.5), position, 0.05),
    startMotion(0, 0.05, 1),
  );

describe("Motion", () => {
  it("predicts along its velocity and is less sure of it the longer it looks ahead", () => {
    const motion = { ...startMotion(2, 0.1, 0.3), velocity: -0.5 };
    const soon = predictMotion(motion, 0.2, 0.4);
    const late = predictMotion(motion, 2, 0.4);
    close(soon.position, 1.9);
    close(late.position, 1);
    assert.ok(motion.positionVariance < soon.positionVariance && soon.positionVariance < late.positionVariance);
  });

  it("counts in seconds: ten small steps are one large one", () => {
    const start = { ...startMotion(0, 0.1, 0.3), velocity: 1 };
    let stepped: Motion = start;
    for (let step = 0; step < 10; step++) stepped = predictMotion(stepped, 0.1, 0.4);
    const leapt = predictMotion(start, 1, 0.4);
    for (const key of ["position", "velocity", "positionVariance", "covariance", "velocityVariance"] as const) {
      close(stepped[key], leapt[key], 1e-12);
    }
  });

  for (const [pace, seconds] of Object.entries({ "15 a second": 1 / 15, "2 a second": 0.5 })) {
    it(`learns a velocity from frames at ${pace}`, () => {
      const frames = Math.round(4 / seconds);
      const motion = follow(Array.from({ length: frames }, (_, index) => [seconds, (index + 1) * seconds * 0.8]));
      close(motion.velocity, 0.8, 0.02);
    });
  }

  it("believes the surer of guess and measurement", () => {
    const unsure = startMotion(0, 10, 1);
    const sure = startMotion(0, 0.01, 1);
    close(correctMotion(unsure, 1, 0.1).position, 1, 0.001);
    close(correctMotion(sure, 1, 0.1).position, 0.0099, 0.001);
  });
});

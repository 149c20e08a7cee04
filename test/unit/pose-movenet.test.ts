import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { decodeMovenet, type MovenetHeads } from "../../src/pose/movenet.ts";

const WIDTH = 24;
const HEIGHT = 16;
const CELLS = WIDTH * HEIGHT;
const NOTHING = -30;
/** A logit whose probability is 1 in double precision as far as these tests look. */
const CERTAIN = 30;

const logit = (probability: number) => Math.log(probability / (1 - probability));
const close = (actual: number | undefined, expected: number, tolerance = 1e-5) =>
  assert.ok(actual !== undefined && Math.abs(actual - expected) < tolerance, `${actual} is not ${expected}`);

function emptyHeads(): MovenetHeads {
  return {
    width: WIDTH,
    height: HEIGHT,
    center: new Float32Array(CELLS).fill(NOTHING),
    boxScale: new Float32Array(2 * CELLS),
    boxOffset: new Float32Array(2 * CELLS),
    keypointHeatmap: new Float32Array(17 * CELLS).fill(NOTHING),
    keypointRegression: new Float32Array(34 * CELLS),
    keypointOffset: new Float32Array(34 * CELLS),
  };
}

interface Placed {
  x: number;
  y: number;
  probability: number;
  width: number;
  height: number;
}

/** A person all of whose joints are certain and in the centre's cell, until a test moves them. */
function place(heads: MovenetHeads, { x, y, probability, width, height }: Placed): number {
  const cell = y * WIDTH + x;
  heads.center[cell] = logit(probability);
  heads.boxScale[cell] = height;
  heads.boxScale[CELLS + cell] = width;
  for (let joint = 0; joint < 17; joint++) heads.keypointHeatmap[joint * CELLS + cell] = CERTAIN;
  return cell;
}

describe("decodeMovenet", () => {
  it("finds nobody in an empty picture", () => {
    assert.deepEqual(decodeMovenet(emptyHeads(), 0.16), []);
  });

  it("reads box, joints and score of one person", () => {
    const heads = emptyHeads();
    const cell = place(heads, { x: 10, y: 8, probability: 0.8, width: 4, height: 6 });
    heads.boxOffset[cell] = 0.25;
    heads.boxOffset[CELLS + cell] = -0.5;
    const [person, ...others] = decodeMovenet(heads, 0.16);
    assert.deepEqual(others, []);
    // Middle of the box at (9.5, 8.25) cells of 4 pixels.
    assert.deepEqual(person?.box, { x: 30, y: 21, width: 16, height: 24 });
    assert.equal(person?.keypoints.length, 17);
    close(person?.score, 0.8);
    for (const [x, y, score] of person?.keypoints ?? []) {
      assert.deepEqual([x, y], [40, 32]);
      close(score, 1);
    }
  });

  it("takes a joint from the heatmap's best cell near the expected place, and refines it", () => {
    const heads = emptyHeads();
    const cell = place(heads, { x: 10, y: 8, probability: 0.8, width: 8, height: 12 });
    const rightWrist = 10;
    heads.keypointHeatmap[rightWrist * CELLS + cell] = NOTHING;
    heads.keypointRegression[2 * rightWrist * CELLS + cell] = 2;
    heads.keypointRegression[(2 * rightWrist + 1) * CELLS + cell] = -3;
    // Expected at (7, 10); seen in the cell one to the right of that.
    const seen = 10 * WIDTH + 8;
    heads.keypointHeatmap[rightWrist * CELLS + seen] = logit(0.6);
    heads.keypointOffset[2 * rightWrist * CELLS + seen] = 0.5;
    heads.keypointOffset[(2 * rightWrist + 1) * CELLS + seen] = 0.25;
    const wrist = decodeMovenet(heads, 0.16)[0]?.keypoints[rightWrist];
    close(wrist?.[0], 8.25 * 4);
    close(wrist?.[1], 10.5 * 4);
    close(wrist?.[2], 0.6 * Math.exp(-1 / (16 * 0.300048828125)));
  });

  it("prefers a weaker cell at the expected place to a stronger one far from it", () => {
    const heads = emptyHeads();
    const cell = place(heads, { x: 12, y: 8, probability: 0.8, width: 12, height: 12 });
    heads.keypointHeatmap[cell] = logit(0.5);
    heads.keypointHeatmap[cell + 3] = logit(0.9);
    const nose = decodeMovenet(heads, 0.16)[0]?.keypoints[0];
    assert.deepEqual(nose?.slice(0, 2), [48, 32]);
    close(nose?.[2], 0.5);
  });

  it("looks for joints inside the box only, and calls one absent that cannot be there", () => {
    const heads = emptyHeads();
    const cell = place(heads, { x: 10, y: 8, probability: 0.8, width: 4, height: 4 });
    const leftAnkle = 15;
    heads.keypointHeatmap[leftAnkle * CELLS + cell] = NOTHING;
    heads.keypointHeatmap[leftAnkle * CELLS + 8 * WIDTH + 20] = CERTAIN;
    heads.keypointRegression[(2 * leftAnkle + 1) * CELLS + cell] = 11;
    const ankle = decodeMovenet(heads, 0.16)[0]?.keypoints[leftAnkle];
    assert.deepEqual(ankle, [84, 32, 0]);
  });

  it("multiplies the centre's probability by the mean of the joints that are seen", () => {
    const heads = emptyHeads();
    const cell = place(heads, { x: 10, y: 8, probability: 0.8, width: 4, height: 4 });
    for (let joint = 0; joint < 17; joint++) {
      heads.keypointHeatmap[joint * CELLS + cell] = joint < 4 ? logit(0.6) : logit(0.05);
    }
    close(decodeMovenet(heads, 0.16)[0]?.score, 0.8 * 0.6);
  });

  it("leaves out who is below the threshold", () => {
    const heads = emptyHeads();
    place(heads, { x: 4, y: 8, probability: 0.4, width: 3, height: 3 });
    place(heads, { x: 16, y: 8, probability: 0.3, width: 3, height: 3 });
    const scores = (threshold: number) => decodeMovenet(heads, threshold).length;
    assert.deepEqual([scores(0.2), scores(0.35), scores(0.5)], [2, 1, 0]);
  });

  it("takes local maxima as centres, strongest first", () => {
    const heads = emptyHeads();
    place(heads, { x: 4, y: 8, probability: 0.6, width: 3, height: 3 });
    place(heads, { x: 6, y: 8, probability: 0.5, width: 3, height: 3 });
    place(heads, { x: 18, y: 8, probability: 0.9, width: 3, height: 3 });
    const persons = decodeMovenet(heads, 0.2);
    assert.deepEqual(
      persons.map(({ keypoints }) => keypoints[0]?.[0]),
      [72, 16],
    );
  });

  it("gives one person for two centres that describe the same", () => {
    const heads = emptyHeads();
    place(heads, { x: 8, y: 8, probability: 0.7, width: 8, height: 12 });
    const second = place(heads, { x: 11, y: 8, probability: 0.6, width: 8, height: 12 });
    assert.equal(decodeMovenet(heads, 0.2).length, 2);
    // The second centre now sees its box and its joints where the first does.
    heads.boxOffset[CELLS + second] = -3;
    for (let joint = 0; joint < 17; joint++) {
      heads.keypointHeatmap[joint * CELLS + second] = NOTHING;
      heads.keypointRegression[(2 * joint + 1) * CELLS + second] = -3;
    }
    const persons = decodeMovenet(heads, 0.2);
    assert.equal(persons.length, 1);
    close(persons[0]?.score, 0.7);
  });

  it("cuts boxes at the edge of the picture", () => {
    const heads = emptyHeads();
    place(heads, { x: 0, y: 15, probability: 0.8, width: 4, height: 6 });
    assert.deepEqual(decodeMovenet(heads, 0.2)[0]?.box, { x: 0, y: 48, width: 8, height: 16 });
  });

  it("finds a hundred people and no more", () => {
    const width = 60;
    const height = 60;
    const cells = width * height;
    const heads: MovenetHeads = {
      width,
      height,
      center: new Float32Array(cells).fill(NOTHING),
      boxScale: new Float32Array(2 * cells).fill(2),
      boxOffset: new Float32Array(2 * cells),
      keypointHeatmap: new Float32Array(17 * cells).fill(0),
      keypointRegression: new Float32Array(34 * cells),
      keypointOffset: new Float32Array(34 * cells),
    };
    for (let y = 2; y < height; y += 5) {
      for (let x = 2; x < width; x += 5) heads.center[y * width + x] = 4;
    }
    assert.equal(decodeMovenet(heads, 0.16).length, 100);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { copyPlanes, copyRows, type InputSize, letterbox } from "../../src/pose/letterbox.ts";
import { normalize } from "../../src/pose/normalize.ts";
import { keypoints } from "./pose-fixtures.ts";

const any640: InputSize = { longSide: 640, multiple: 32 };

const cases: [picture: [number, number], size: InputSize, content: [number, number], input: [number, number]][] = [
  [[640, 360], any640, [640, 360], [640, 384]],
  [[640, 480], any640, [640, 480], [640, 480]],
  [[360, 640], any640, [360, 640], [384, 640]],
  [[1920, 1080], any640, [640, 360], [640, 384]],
  [[320, 240], any640, [640, 480], [640, 480]],
  [[512, 288], { longSide: 512, multiple: 32 }, [512, 288], [512, 288]],
  [[640, 360], { longSide: 500, multiple: 32 }, [500, 281], [512, 288]],
  [[4000, 3], any640, [640, 1], [640, 32]],
  [[640, 360], { width: 640, height: 640 }, [640, 360], [640, 640]],
  [[360, 640], { width: 640, height: 384 }, [216, 384], [640, 384]],
  [[320, 180], { width: 640, height: 384 }, [640, 360], [640, 384]],
];

describe("letterbox", () => {
  for (const [[width, height], size, [contentWidth, contentHeight], input] of cases) {
    it(`puts ${width}x${height} into ${JSON.stringify(size)}`, () => {
      assert.deepEqual(letterbox(width, height, size), {
        contentWidth,
        contentHeight,
        width: input[0],
        height: input[1],
      });
    });
  }

  it("copies rows and leaves the padding", () => {
    const target = new Uint8Array(3 * 2 * 3).fill(7);
    copyRows(Uint8Array.of(1, 2, 3, 4, 5, 6), { contentWidth: 2, contentHeight: 1, width: 3, height: 2 }, target);
    assert.deepEqual([...target], [1, 2, 3, 4, 5, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7]);
    copyRows(
      Uint8Array.of(1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16),
      { contentWidth: 2, contentHeight: 2, width: 3, height: 2 },
      target,
    );
    assert.deepEqual([...target], [1, 2, 3, 4, 5, 6, 7, 7, 7, 11, 12, 13, 14, 15, 16, 7, 7, 7]);
  });

  it("copies whole rows at once where the picture is as wide as the input", () => {
    const target = new Uint8Array(2 * 2 * 3).fill(7);
    copyRows(Uint8Array.of(1, 2, 3, 4, 5, 6), { contentWidth: 2, contentHeight: 1, width: 2, height: 2 }, target);
    assert.deepEqual([...target], [1, 2, 3, 4, 5, 6, 7, 7, 7, 7, 7, 7]);
  });

  it("copies planes of 0..1, red first, and leaves the padding", () => {
    const target = new Float32Array(2 * 2 * 3).fill(-1);
    copyPlanes(
      Uint8Array.of(0, 51, 255, 255, 0, 102),
      { contentWidth: 1, contentHeight: 2, width: 2, height: 2 },
      target,
    );
    const expected = [0, -1, 1, -1, 0.2, -1, 0, -1, 1, -1, 0.4, -1];
    assert.deepEqual([...target], expected.map(Math.fround));
  });
});

describe("normalize", () => {
  it("gives 0..1 of the picture, not of its padding, and nothing outside", () => {
    const fit = { contentWidth: 640, contentHeight: 360, width: 640, height: 384 };
    const [person] = normalize(
      [
        {
          box: { x: -64, y: 180, width: 384, height: 200 },
          keypoints: keypoints([160, 90, 0.5], { 15: [700, 370, 0.3] }),
          score: 0.7,
        },
      ],
      fit,
    );
    assert.deepEqual(person?.box, { x: 0, y: 0.5, width: 0.5, height: 0.5 });
    assert.deepEqual(person?.keypoints[0], [0.25, 0.25, 0.5]);
    assert.deepEqual(person?.keypoints[15], [1, 1, 0.3]);
    assert.equal(person?.score, 0.7);
  });
});

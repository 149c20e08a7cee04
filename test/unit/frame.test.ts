import assert from "node:assert/strict";
import sharp from "sharp";
import type { CctvError } from "../../src/errors.ts";
import { Frame } from "../../src/frame/frame.ts";

const camera = { id: "door", name: "Door", location: "front", site: "shop" };
const frame = (over = {}) =>
  new Frame({ data: Buffer.alloc(4 * 2 * 3, 200), width: 4, height: 2, timestamp: 7, sequence: 3, camera, ...over });

describe("Frame", () => {
  for (const [why, over] of Object.entries({
    "too few bytes": { data: Buffer.alloc(3) },
    "too many bytes": { data: Buffer.alloc(25) },
    "no width": { width: 0 },
    "half a pixel": { width: 1.5 },
  })) {
    it(`refuses ${why}`, () => {
      assert.throws(
        () => frame(over),
        (error: CctvError) => error.code === "FRAME_INVALID",
      );
    });
  }

  it("prints as a summary, without its pixels", () => {
    assert.equal(
      JSON.stringify(frame()),
      '{"type":"Frame","camera":"door","sequence":3,"width":4,"height":2,"timestamp":7}',
    );
    assert.equal(`${frame()}`, "Frame Door #3 4x2");
  });

  it("cannot be changed", () => {
    assert.throws(() => Object.assign(frame(), { width: 9 }), TypeError);
    assert.throws(() => Object.assign(frame().camera, { id: "other" }), TypeError);
  });

  it("encodes a JPEG once and remembers it", async () => {
    const one = frame();
    assert.equal(one.jpeg(), one.jpeg());
    const { format, width, height } = await sharp(await one.jpeg()).metadata();
    assert.deepEqual([format, width, height], ["jpeg", 4, 2]);
  });
});

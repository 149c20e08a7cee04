import assert from "node:assert/strict";
import type { CctvError } from "../../src/errors.ts";
import { type Picture, PictureAssembler } from "../../src/stream/picture-assembler.ts";

const SIZE = 4 * 2 * 3;
const line = (n: number, pts: number | string = n * 200, size = "4x2") =>
  `[Parsed_showinfo_5 @ 0x55ac083950c0] [info] n:${String(n).padStart(4)} pts:${String(pts).padStart(7)} pts_time:0.2     pos:     9024 fmt:rgb24 sar:1/1 s:${size} i:P iskey:0 type:P `;
const bytes = (value: number, length = SIZE) => new Uint8Array(length).fill(value);

describe("picture assembler", () => {
  let pictures: Picture[];
  let assembler: PictureAssembler;

  beforeEach(() => {
    pictures = [];
    assembler = new PictureAssembler({ longSide: 8, onPicture: (picture) => pictures.push(picture) });
  });
  const seen = () =>
    pictures.map(({ data, width, height, time }) => [data[0], data.at(-1), `${width}x${height}`, time]);

  it("cuts pictures at the announced sizes", () => {
    assembler.readLine(line(0));
    assembler.readLine(line(1));
    assembler.readBytes(Buffer.concat([bytes(1), bytes(2)]));
    assert.deepEqual(seen(), [
      [1, 1, "4x2", 0],
      [2, 2, "4x2", 200],
    ]);
  });

  it("takes bytes in pieces of any length", () => {
    assembler.readLine(line(0));
    for (let i = 0; i < SIZE; i++) assembler.readBytes(bytes(i, 1));
    assert.deepEqual([...(pictures[0]?.data ?? [])], [...Array(SIZE).keys()]);
  });

  it("keeps no hold of the buffer that it was given", () => {
    const chunk = bytes(1);
    assembler.readBytes(chunk.subarray(0, 10));
    assembler.readLine(line(0));
    assembler.readBytes(chunk.subarray(10));
    chunk.fill(9);
    assert.deepEqual(seen(), [[1, 1, "4x2", 0]]);
  });

  it("gives each picture memory of its own, without shared or pooled memory", () => {
    assembler.readLine(line(0));
    assembler.readBytes(bytes(1));
    const buffer = pictures[0]?.data.buffer;
    assert.ok(buffer instanceof ArrayBuffer);
    assert.equal(buffer.byteLength, SIZE);
  });

  it("waits for an announcement that comes after its bytes", () => {
    assembler.readBytes(bytes(1));
    assembler.readBytes(bytes(2, 5));
    assert.deepEqual(seen(), []);
    assembler.readLine(line(0));
    assembler.readLine(line(1));
    assembler.readBytes(bytes(2, SIZE - 5));
    assert.deepEqual(seen(), [
      [1, 1, "4x2", 0],
      [2, 2, "4x2", 200],
    ]);
  });

  it("follows a camera that changes its picture size", () => {
    assembler.readLine(line(0));
    assembler.readLine(line(0, 200, "2x2"));
    assembler.readBytes(Buffer.concat([bytes(1), bytes(2, 12)]));
    assert.deepEqual(seen(), [
      [1, 1, "4x2", 0],
      [2, 2, "2x2", 200],
    ]);
  });

  for (const [what, text, time] of [
    ["FFmpeg 5.1", line(0, 1795364702472), 1795364702472],
    [
      "FFmpeg 7.0",
      "[Parsed_showinfo_5 @ 0x7fe1a4011ac0] [info] n:   0 pts:1795364716404 pts_time:1795364716.404 duration:    100 duration_time:0.1     fmt:rgb24 cl:center sar:1/1 s:4x2 i:P iskey:1 type:I ",
      1795364716404,
    ],
    ["a line that another thread began", `  Stream #0:0${line(0, 40)}`, 40],
    ["a time before the start", line(0, -40), -40],
    ["no time", line(0, "NOPTS"), undefined],
  ] as const) {
    it(`reads an announcement of ${what}`, () => {
      assert.equal(assembler.readLine(text), true);
      assembler.readBytes(bytes(1));
      assert.deepEqual(seen(), [[1, 1, "4x2", time]]);
    });
  }

  it("does not take other lines for announcements", () => {
    for (const other of [
      "[Parsed_showinfo_5 @ 0x55893de605c0] [info] config in time_base: 1/1000, frame_rate: 10/1",
      "[Parsed_showinfo_5 @ 0x55893de605c0] [info] color_range:pc color_space:gbr color_primaries:unknown",
      "[info]   Stream #0:0: Video: h264, yuv420p, 320x240 [SAR 1:1 DAR 4:3], 10 fps, 10 tbr, 90k tbn",
      "",
    ]) {
      assert.equal(assembler.readLine(other), false);
    }
  });

  const outOfStep = (error: CctvError) => error.code === "DECODER_FAILED";

  it("fails when an announcement is missing", () => {
    assembler.readLine(line(0));
    assert.throws(() => assembler.readLine(line(2)), outOfStep);
  });

  it("fails when a picture is larger than was asked for", () => {
    assert.throws(() => assembler.readLine(line(0, 0, "1000x1000")), outOfStep);
    assert.throws(() => assembler.readLine(line(0, 0, "0x4")), outOfStep);
  });

  it("fails when announced pictures do not come", () => {
    assert.throws(() => {
      for (let n = 0; n < 1000; n++) assembler.readLine(line(n));
    }, outOfStep);
  });

  it("fails when bytes come that nobody announced", () => {
    assert.throws(() => {
      for (let n = 0; n < 1000; n++) assembler.readBytes(bytes(0, 65536));
    }, outOfStep);
  });
});

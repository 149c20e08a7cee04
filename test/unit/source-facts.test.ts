import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import sharp from "sharp";
import type { JpegInput } from "../../src/camera/protocols/protocol.ts";
import { Decoder } from "../../src/stream/decoder.ts";
import { findFfmpeg } from "../../src/stream/ffmpeg-binary.ts";
import { JpegSource } from "../../src/stream/jpeg-source.ts";
import { readStreamLine } from "../../src/stream/stream-line.ts";
import { ffmpegs, makeClip } from "../servers/ffmpeg.ts";

describe("what ffmpeg says of a stream", () => {
  for (const [line, expected] of [
    [
      "[info]   Stream #0:0: Video: h264 (Constrained Baseline), yuv420p(tv, progressive), 640x360 [SAR 1:1 DAR 16:9], 15 fps, 90k tbn",
      { codec: "h264", width: 640, height: 360, fps: 15 },
    ],
    [
      "  Stream #0:0[0x1](und): Video: hevc (Main) (hev1 / 0x31766568), yuv420p(tv), 1920x1080, 1021 kb/s, 12.50 fps, 25 tbr, 12800 tbn (default)",
      { codec: "hevc", width: 1920, height: 1080, fps: 12.5 },
    ],
    [
      "  Stream #0:1: Video: mjpeg (Baseline), yuvj420p(pc), 320x184, 90k tbr",
      { codec: "mjpeg", width: 320, height: 184 },
    ],
    ["  Stream #0:0: Video: h264, none, 90k tbr", { codec: "h264" }],
    ["  Stream #0:1: Audio: pcm_alaw, 8000 Hz, mono, s16, 64 kb/s", undefined],
  ] as const) {
    it(`in "${line.trim().slice(0, 50)}…"`, () => assert.deepEqual(readStreamLine(line), expected));
  }
});

describe("what a decoder knows of its stream", function () {
  this.timeout(20_000);
  let folder: string;
  before(async function () {
    if (ffmpegs.length === 0) return this.skip();
    folder = mkdtempSync(join(tmpdir(), "cctv-facts-"));
    const whole = readFileSync(await makeClip(join(folder, "whole.ts")));
    // Zeros in the pictures, not in the packets' heads.
    for (let at = 20_000; at + 188 < whole.length; at += 188 * 23) whole.fill(0, at + 60, at + 120);
    writeFileSync(join(folder, "damaged.ts"), whole);
  });
  after(() => {
    if (folder) rmSync(folder, { recursive: true });
  });

  for (const ffmpeg of ffmpegs) {
    for (const name of ["whole", "damaged"] as const) {
      it(`of a ${name} one (${ffmpeg.split("/").at(-1)}, ${ffmpegs.indexOf(ffmpeg)})`, async () => {
        const decoder = new Decoder({
          ffmpeg: await findFfmpeg({ setting: ffmpeg }),
          input: {
            url: `file:${join(folder, `${name}.ts`)}`,
            display: name,
            options: {},
            protocols: ["file"],
            live: false,
            loop: false,
          },
          analysis: { fps: 10, longSide: 320 },
          onPicture: () => undefined,
        });
        assert.equal(await decoder.ended, undefined);
        const { damaged, ...video } = decoder.facts();
        assert.deepEqual(video, { codec: "h264", width: 320, height: 180, fps: 10 });
        if (name === "whole") assert.equal(damaged, 0);
        else assert.ok(damaged > 0 && damaged < 50, `${damaged} damaged`);
      });
    }
  }
});

describe("what a source of JPEGs knows of them", () => {
  it("counts bytes and damage, and tells size and rate as the camera sends them", async () => {
    const good = await sharp({ create: { width: 320, height: 180, channels: 3, background: "red" } })
      .jpeg()
      .toBuffer();
    const bad = Buffer.from([0xff, 0xd8, 0xff, 0xd9]);
    const input: JpegInput = {
      kind: "jpeg",
      display: "camera",
      live: true,
      loop: false,
      async *jpegs() {
        for (const jpeg of [good, bad, good, bad, good]) {
          yield jpeg;
          await sleep(100);
        }
      },
    };
    const analysis = { fps: 100, longSide: 160 };
    const source = new JpegSource({ input, analysis, onPicture: () => undefined, now: Date.now });
    assert.deepEqual(source.facts(), { bytes: 0, damaged: 0, codec: "mjpeg" });
    await source.ended;
    const { fps = 0, ...facts } = source.facts();
    const bytes = 3 * good.length + 2 * bad.length;
    assert.deepEqual(facts, { bytes, damaged: 2, codec: "mjpeg", width: 320, height: 180 });
    assert.ok(fps > 5 && fps < 11, `${fps} a second`);
  });
});

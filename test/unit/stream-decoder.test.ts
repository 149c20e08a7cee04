import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Decoder } from "../../src/stream/decoder.ts";
import type { Analysis } from "../../src/stream/ffmpeg-arguments.ts";
import { findFfmpeg } from "../../src/stream/ffmpeg-binary.ts";
import type { CapturedPicture } from "../../src/stream/picture-source.ts";
import { ffmpegChildren, ffmpegs, isRunning, makeClip } from "../servers/ffmpeg.ts";

const sizes = (pictures: CapturedPicture[]) => [...new Set(pictures.map(({ width, height }) => `${width}x${height}`))];

/** The colour in the middle, which lossy coding leaves near to what it was. */
const colour = ({ data, width, height }: CapturedPicture) => {
  const middle = ((height >> 1) * width + (width >> 1)) * 3;
  const [red = 0, green = 0, blue = 0] = data.subarray(middle, middle + 3);
  if (red > 200 && green < 60 && blue < 60) return "red";
  if (blue > 200 && red < 60 && green < 60) return "blue";
  return `${red},${green},${blue}`;
};

describe("decoder", function () {
  this.timeout(20_000);
  let folder: string;
  const clip = (name: string) => join(folder, name);

  before(async function () {
    if (ffmpegs.length === 0) this.skip();
    folder = mkdtempSync(join(tmpdir(), "cctv-decoder-"));
    const ts = (offset: number) => ({ output: ["-output_ts_offset", String(offset)] });
    const narrow = "color=red:s=320x240";
    const wide = "color=blue:s=640x360";
    await Promise.all([
      makeClip(clip("moving.mp4")),
      makeClip(clip("short.mp4"), { seconds: 0.2 }),
      makeClip(clip("odd.avi"), {
        source: "testsrc=s=321x181",
        seconds: 0.2,
        output: ["-c:v", "ffv1", "-pix_fmt", "yuv444p"],
      }),
      makeClip(clip("portrait.mp4"), { source: "testsrc=s=180x320", seconds: 0.2 }),
      makeClip(clip("stretched.mp4"), { source: "testsrc=s=160x240", seconds: 0.2, output: ["-vf", "setsar=4/1"] }),
      makeClip(clip("first.ts"), { source: narrow, ...ts(0) }),
      makeClip(clip("second.ts"), { source: wide, ...ts(1) }),
      makeClip(clip("early.ts"), { source: narrow, ...ts(-1) }),
    ]);
    for (const part of ["first.ts", "second.ts"]) appendFileSync(clip("growing.ts"), readFileSync(clip(part)));
    for (const part of ["second.ts", "early.ts"]) appendFileSync(clip("backwards.ts"), readFileSync(clip(part)));
    writeFileSync(clip("it's a, 100% [x] é;#.mp4"), readFileSync(clip("short.mp4")));
  });
  after(() => {
    if (folder) rmSync(folder, { recursive: true });
  });

  for (const ffmpeg of ffmpegs) {
    describe(ffmpeg === "ffmpeg" ? "with the system's ffmpeg" : "with the ffmpeg of an npm package", () => {
      const open = async (name: string, analysis: Partial<Analysis> = {}, loop = false) => {
        const pictures: CapturedPicture[] = [];
        const decoder = new Decoder({
          ffmpeg: await findFfmpeg({ setting: ffmpeg }),
          input: { url: `file:${clip(name)}`, display: name, options: {}, protocols: ["file"], live: false, loop },
          analysis: { fps: 100, longSide: 320, ...analysis },
          onPicture: (picture) => pictures.push(picture),
        });
        return { decoder, pictures };
      };
      const play = async (name: string, analysis: Partial<Analysis> = {}) => {
        const { decoder, pictures } = await open(name, analysis);
        const failure = await decoder.ended;
        return { pictures, failure };
      };

      it("gives every picture of a file in real time, and ends without a failure", async () => {
        const started = Date.now();
        const { pictures, failure } = await play("moving.mp4");
        assert.equal(failure, undefined);
        assert.equal(pictures.length, 10);
        const times = pictures.map(({ timestamp }) => timestamp);
        for (let i = 1; i < times.length; i++) assert.equal((times[i] ?? 0) - (times[i - 1] ?? 0), 100);
        assert.ok((times[0] ?? 0) >= started && Date.now() - (times[9] ?? 0) < 2_000);
        assert.ok(Date.now() - started >= 850, `took ${Date.now() - started} ms`);
      });

      it("gives no more pictures a second than were asked for", async () => {
        const counts = [5, 3, 1, 0.5].map(async (fps) => (await play("moving.mp4", { fps })).pictures.length);
        assert.deepEqual(await Promise.all(counts), [5, 3, 1, 1]);
      });

      it("gives a picture when it is there, and not when the next one is", async () => {
        const { decoder, pictures } = await open("moving.mp4", { fps: 0.1 });
        while (pictures.length === 0) await sleep(5);
        const first = Date.now();
        await decoder.ended;
        assert.ok(Date.now() - first > 500, `${Date.now() - first} ms before the end`);
      });

      it("gives key frames only when told to", async () => {
        assert.equal((await play("moving.mp4", { keyframesOnly: true })).pictures.length, 1);
      });

      for (const [name, longSide, expected] of [
        ["short.mp4", 160, "160x90"],
        ["short.mp4", 161, "160x90"],
        ["short.mp4", 640, "320x180"],
        ["portrait.mp4", 160, "90x160"],
        ["odd.avi", 640, "320x180"],
        ["odd.avi", 100, "100x56"],
        ["stretched.mp4", 320, "320x120"],
      ] as const) {
        it(`${name} at ${longSide} pixels is ${expected}`, async () => {
          const { pictures } = await play(name, { fps: 1, longSide });
          assert.deepEqual(sizes(pictures), [expected]);
          assert.ok(pictures.every(({ data, width, height }) => data.length === width * height * 3));
        });
      }

      it("follows a picture size that changes on the way", async () => {
        const { pictures, failure } = await play("growing.ts", { longSide: 640 });
        assert.equal(failure, undefined);
        assert.deepEqual(sizes(pictures), ["320x240", "640x360"]);
        for (const picture of pictures) assert.equal(colour(picture), picture.width === 320 ? "red" : "blue");
        assert.ok(pictures.length >= 18, `${pictures.length} pictures`);
      });

      it("goes on when the clock of a stream jumps back", async () => {
        const { decoder, pictures } = await open("backwards.ts", { fps: 5, longSide: 640 });
        assert.equal(await decoder.ended, undefined);
        assert.ok(pictures.length >= 8, `${pictures.length} pictures`);
        assert.deepEqual(sizes(pictures), ["640x360", "320x240"]);
        for (const picture of pictures) assert.equal(colour(picture), picture.width === 320 ? "red" : "blue");
        assert.doesNotMatch(decoder.lines.join("\n"), /monotonically/);
      });

      it("opens a file whatever its name", async () => {
        assert.equal((await play("it's a, 100% [x] é;#.mp4", { fps: 1 })).pictures.length, 1);
      });

      it("keeps the path off the process list, and leaves no process after closing", async () => {
        const { decoder, pictures } = await open("moving.mp4", {}, true);
        const child = ffmpegChildren()?.find(({ pid }) => pid === decoder.pid);
        if (child) assert.ok(!child.commandLine.includes("moving"));
        while (pictures.length < 15) await sleep(50);
        await Promise.all([decoder.close(), decoder.close()]);
        assert.equal(await decoder.ended, undefined);
        assert.equal(isRunning(decoder.pid ?? 0), false);
        const count = pictures.length;
        await sleep(150);
        assert.equal(pictures.length, count);
      });
    });
  }

  it("takes its process with it when this process exits", async () => {
    const script = `
      import { Decoder } from ${JSON.stringify(new URL("../../src/stream/decoder.js", import.meta.url))};
      const decoder = new Decoder({
        ffmpeg: { path: ${JSON.stringify(ffmpegs[0])}, version: { major: 5, minor: 1, text: "" } },
        input: { url: ${JSON.stringify(`file:${clip("moving.mp4")}`)}, display: "", options: {}, protocols: ["file"], live: false, loop: true },
        analysis: { fps: 0.1, longSide: 320 },
        onPicture: () => {
          console.log(decoder.pid);
          process.exit();
        },
      });`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script]);
    await sleep(200);
    assert.ok(Number(stdout) > 0);
    assert.equal(isRunning(Number(stdout)), false);
  });

  it("says so when its program is gone", async () => {
    const decoder = new Decoder({
      ffmpeg: { path: "/nowhere/ffmpeg", version: { major: 7, minor: 0, text: "7.0" } },
      input: { url: "file:x", display: "x", options: {}, protocols: ["file"], live: false, loop: false },
      analysis: { fps: 1, longSide: 320 },
      onPicture: () => undefined,
    });
    assert.equal((await decoder.ended)?.code, "FFMPEG_MISSING");
    await decoder.close();
  });
});

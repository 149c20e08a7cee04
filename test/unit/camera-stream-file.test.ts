import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Frame } from "../../src/frame/frame.ts";
import { CameraStream, type CameraStreamOptions, type StreamState } from "../../src/stream/camera-stream.ts";
import { encoders, ffmpegChildren, ffmpegs, makeClip, makeVideo } from "../servers/ffmpeg.ts";

const camera = { id: "door", name: "Door", location: "front", site: "shop" };

describe("camera stream of a file", function () {
  this.timeout(20_000);
  let folder: string;
  let streams: CameraStream[];

  const open = (name: string, options: Partial<CameraStreamOptions> = {}) => {
    const address = name && join(folder, name);
    const stream = new CameraStream({ camera, address, fps: 100, longSide: 320, ...options });
    streams.push(stream);
    const frames: Frame[] = [];
    const states: StreamState[] = [];
    stream.on("frame", (frame) => frames.push(frame));
    stream.on("state", (state) => states.push(state));
    return { stream, frames, states };
  };
  const until = (stream: CameraStream, ...wanted: StreamState["state"][]) =>
    new Promise<StreamState>((resolve) => {
      stream.on("state", (state) => {
        if (wanted.includes(state.state)) resolve(state);
      });
    });
  const frameCount = (stream: CameraStream, count: number) =>
    new Promise<void>((resolve) => {
      stream.on("frame", ({ sequence }) => {
        if (sequence + 1 >= count) resolve();
      });
    });

  before(async function () {
    if (ffmpegs.length === 0) this.skip();
    folder = mkdtempSync(join(tmpdir(), "cctv-stream-"));
    await makeClip(join(folder, "good.mp4"), { seconds: 0.5 });
    await makeClip(join(folder, "raw.h264"), { seconds: 0.5 });
    const [ffmpeg = ""] = ffmpegs;
    execFileSync(ffmpeg, ["-v", "error", "-f", "lavfi", "-i", "sine=d=1", join(folder, "sound.wav")]);
    const good = readFileSync(join(folder, "good.mp4"));
    writeFileSync(join(folder, "truncated.mp4"), good.subarray(0, good.length / 2));
    writeFileSync(join(folder, "empty.mp4"), "");
    writeFileSync(join(folder, "text.mp4"), "This is a text.\n".repeat(500));
    writeFileSync(join(folder, "list.mp4"), "#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n");
  });
  beforeEach(() => {
    streams = [];
  });
  afterEach(() => Promise.all(streams.map((stream) => stream.close())));
  after(() => {
    if (folder) rmSync(folder, { recursive: true });
  });

  for (const ffmpegPath of ffmpegs) {
    describe(ffmpegPath === "ffmpeg" ? "with the system's ffmpeg" : "with the ffmpeg of an npm package", () => {
      it("plays once and ends", async () => {
        const { stream, frames, states } = open("good.mp4", { ffmpegPath });
        stream.start();
        await until(stream, "ended");
        assert.deepEqual(
          states.map(({ state }) => state),
          ["connecting", "live", "ended"],
        );
        assert.deepEqual(
          frames.map(({ sequence }) => sequence),
          [0, 1, 2, 3, 4],
        );
        assert.ok(frames.every((frame) => frame.width === 320 && frame.height === 180));
        assert.deepEqual(frames[0]?.camera, camera);
      });

      for (const name of ["good.mp4", "raw.h264"]) {
        it(`plays ${name} again and again, as one stream`, async () => {
          const { stream, frames, states } = open(name, { ffmpegPath, loop: true });
          stream.start();
          await frameCount(stream, 12);
          assert.deepEqual(
            frames.slice(0, 12).map(({ sequence }) => sequence),
            [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
          );
          const times = frames.map(({ timestamp }) => timestamp);
          assert.deepEqual(
            times,
            times.toSorted((a, b) => a - b),
          );
          assert.deepEqual(
            states.map(({ state }) => state),
            ["connecting", "live"],
          );
          assert.equal(stream.health().reconnects, 0);
        });
      }

      for (const [codec, names, ...output] of [
        ["libx264", ["h264.mp4", "h264.mov", "h264.mkv"]],
        ["libx265", ["h265.mp4", "h265.mkv"], "-x265-params", "log-level=error:pools=1"],
        ["libvpx-vp9", ["vp9.webm"], "-cpu-used", "8", "-deadline", "realtime"],
        ["mjpeg", ["mjpeg.avi", "mjpeg.mov"], "-pix_fmt", "yuvj420p"],
        ["mpeg4", ["mpeg4.avi"]],
      ] as const) {
        for (const name of names) {
          it(`plays ${name}, made with ${codec}`, async function () {
            if (!encoders.includes(codec)) return this.skip();
            const preset = codec === "libx264" || codec === "libx265" ? ["-preset", "ultrafast"] : [];
            const path = join(folder, name);
            if (!existsSync(path)) {
              await makeVideo(path, ["-c:v", codec, ...preset, "-g", "5", ...output]);
            }
            const { stream, frames } = open(name, { ffmpegPath });
            stream.start();
            assert.deepEqual((await until(stream, "ended", "failed")).reason, undefined);
            assert.equal(frames.length, 5);
            assert.ok(frames.every(({ width, height }) => width === 320 && height === 180));
          });
        }
      }

      for (const [name, code] of [
        ["missing.mp4", "FILE_NOT_FOUND"],
        ["empty.mp4", "FILE_EMPTY"],
        ["truncated.mp4", "FILE_NOT_VIDEO"],
        ["text.mp4", "FILE_NOT_VIDEO"],
        ["list.mp4", "FILE_NOT_VIDEO"],
        ["sound.wav", "FILE_NOT_VIDEO"],
        [".", "FILE_NOT_VIDEO"],
      ] as const) {
        it(`gives up on ${name}: ${code}`, async () => {
          const { stream, states } = open(name, { ffmpegPath, loop: true });
          stream.start();
          const failed = await until(stream, "failed", "ended");
          assert.equal(failed.reason?.code, code);
          assert.match(failed.reason.message, /[;:]/);
          assert.deepEqual(
            states.map(({ state }) => state),
            ["connecting", "failed"],
          );
        });
      }
    });
  }

  for (const [what, options, code] of [
    ["no address", { address: "" }, "ADDRESS_INVALID"],
    ["an unknown scheme", { address: "gopher://10.0.0.9" }, "ADDRESS_SCHEME_UNKNOWN"],
    ["a broken address", { address: "rtsp://" }, "ADDRESS_INVALID"],
    ["no ffmpeg", { ffmpegPath: "/nowhere/ffmpeg" }, "FFMPEG_MISSING"],
    ["a rate of 0", { fps: 0 }, "SETTING_INVALID"],
  ] as const) {
    it(`gives up on ${what}: ${code}`, async () => {
      const { stream } = open("good.mp4", options);
      stream.start();
      assert.equal((await until(stream, "failed")).reason?.code, code);
    });
  }

  it("tells its health", async () => {
    const before = Date.now();
    const { stream } = open("good.mp4", { loop: true });
    assert.equal(stream.health().state, "closed");
    stream.start();
    await frameCount(stream, 10);
    const health = stream.health();
    assert.equal(health.state, "live");
    assert.equal(health.reason, undefined);
    assert.ok(health.since >= before && health.since <= Date.now());
    assert.ok((health.lastFrameAt ?? 0) >= health.since);
    assert.deepEqual([health.width, health.height], [320, 180]);
    assert.ok(health.framesPerSecond > 5 && health.framesPerSecond < 15, `${health.framesPerSecond}`);
  });

  it("survives listeners that throw", async () => {
    const warnings: string[] = [];
    const logger = { debug() {}, info() {}, warn: (line: string) => void warnings.push(line) };
    const { stream } = open("good.mp4", { logger });
    const throwing = () => {
      throw new Error("of a listener");
    };
    stream.on("frame", throwing).on("state", throwing);
    stream.start();
    while (stream.state.state !== "ended") await sleep(20);
    assert.equal(warnings.length, 8, "connecting, live, five frames, ended");
    assert.match(warnings[0] ?? "", /of a listener/);
  });

  it("closes at any moment, more than once, and leaves no process behind", async () => {
    for (const moment of [0, 1, 20, 80, 300]) {
      const { stream, frames, states } = open("good.mp4", { loop: true });
      stream.start();
      stream.start();
      await sleep(moment);
      await Promise.all([stream.close(), stream.close()]);
      assert.equal(states.at(-1)?.state, "closed");
      assert.deepEqual(ffmpegChildren() ?? [], []);
      const count = frames.length;
      stream.start();
      await sleep(50);
      assert.equal(stream.state.state, "closed");
      assert.equal(frames.length, count);
    }
  });

  it("closes without having been started", async () => {
    const { stream, states } = open("good.mp4");
    await stream.close();
    assert.deepEqual(states, []);
  });
});

import assert from "node:assert/strict";
import type { FfmpegInput } from "../../src/camera/protocols/protocol.ts";
import type { CctvError } from "../../src/errors.ts";
import { ffmpegCommand } from "../../src/stream/ffmpeg-arguments.ts";

const V5 = { major: 5, minor: 1, text: "5.1" };
const V7 = { major: 7, minor: 0, text: "7.0" };
const camera: FfmpegInput = {
  url: "rtsp://admin:it's%20secret@10.0.0.9:554/x",
  display: "rtsp://10.0.0.9:554/x",
  options: { rtsp_transport: "tcp", timeout: "8000000" },
  protocols: ["rtsp", "tcp"],
  live: true,
  loop: false,
};
const file: FfmpegInput = {
  ...camera,
  url: "file:/clips/o'brien #1.mp4",
  options: {},
  protocols: ["file"],
  live: false,
};
const analysis = { fps: 5, longSide: 640 };

const valueAfter = (args: readonly string[], option: string) => args[args.indexOf(option) + 1];

describe("ffmpeg command", () => {
  it("keeps the address off the command line and writes it into the script", () => {
    const { args, script } = ffmpegCommand(V5, camera, analysis);
    assert.ok(!args.join(" ").includes("secret"));
    assert.ok(!args.join(" ").includes("10.0.0.9"));
    assert.equal(
      script,
      [
        "ffconcat version 1.0",
        "file 'rtsp://admin:it'\\''s%20secret@10.0.0.9:554/x'",
        "option rtsp_transport 'tcp'",
        "option timeout '8000000'",
        "",
      ].join("\n"),
    );
    assert.equal(
      ffmpegCommand(V5, file, analysis).script,
      "ffconcat version 1.0\nfile 'file:/clips/o'\\''brien #1.mp4'\n",
    );
  });

  it("allows only the protocols that the input needs", () => {
    assert.equal(valueAfter(ffmpegCommand(V5, camera, analysis).args, "-protocol_whitelist"), "pipe,rtsp,tcp");
    assert.equal(valueAfter(ffmpegCommand(V5, file, analysis).args, "-protocol_whitelist"), "pipe,file");
  });

  it("hands an HLS address over in a playlist on standard input, and paces it", () => {
    const url = "https://10.0.0.9/x.m3u8?token=secret";
    const input = { ...camera, url, options: { live_start_index: "-2" }, demuxer: "hls", segmented: true };
    const { args, script } = ffmpegCommand(V7, input, analysis);
    assert.ok(!args.join(" ").includes("secret"));
    assert.deepEqual([valueAfter(args, "-f"), valueAfter(args, "-i")], ["hls", "pipe:0"]);
    assert.equal(valueAfter(args, "-live_start_index"), "-2");
    assert.equal(script, `#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n${url}\n`);
    assert.ok(args.includes("-re") && !args.includes("-use_wallclock_as_timestamps"));
  });

  it("opens a device by its name, with the time of arrival", () => {
    const input = { ...camera, url: "video=My Camera", options: { framerate: "30" }, protocols: [], demuxer: "dshow" };
    const { args, script } = ffmpegCommand(V5, input, analysis);
    const inputOptions = args.slice(args.indexOf("-f"), args.indexOf("-i") + 2);
    assert.deepEqual(inputOptions, ["-f", "dshow", "-framerate", "30", "-i", "video=My Camera"]);
    assert.equal(script, "");
    assert.ok(args.includes("-use_wallclock_as_timestamps"));
  });

  it("decodes with one thread, and filters with one thread", () => {
    const { args } = ffmpegCommand(V5, camera, analysis);
    const input = args.indexOf("-i");
    assert.ok(args.slice(0, input).includes("-threads"));
    assert.ok(args.slice(input).includes("-threads"));
  });

  it("takes the time of arrival for a camera, and plays a file in real time", () => {
    const live = ffmpegCommand(V7, camera, analysis).args;
    assert.ok(live.includes("-use_wallclock_as_timestamps") && live.includes("-copyts") && !live.includes("-re"));
    const recorded = ffmpegCommand(V7, file, analysis).args;
    assert.ok(!recorded.includes("-use_wallclock_as_timestamps") && recorded.includes("-re"));
  });

  it("holds back the burst of versions that have one", () => {
    assert.ok(!ffmpegCommand(V5, file, analysis).args.includes("-readrate_initial_burst"));
    assert.ok(ffmpegCommand(V7, file, analysis).args.includes("-readrate_initial_burst"));
  });

  it("loops and skips when told to", () => {
    assert.ok(!ffmpegCommand(V5, file, analysis).args.includes("-stream_loop"));
    assert.equal(valueAfter(ffmpegCommand(V5, { ...file, loop: true }, analysis).args, "-stream_loop"), "-1");
    assert.ok(!ffmpegCommand(V5, camera, analysis).args.includes("-skip_frame"));
    const keyframes = ffmpegCommand(V5, camera, { ...analysis, keyframesOnly: true }).args;
    assert.equal(valueAfter(keyframes, "-skip_frame"), "nokey");
  });

  it("asks for even sides only", () => {
    assert.match(valueAfter(ffmpegCommand(V5, camera, { fps: 5, longSide: 641 }).args, "-vf") ?? "", /min\(1,640\//);
  });

  for (const wrong of [
    { fps: 0 },
    { fps: -1 },
    { fps: Number.NaN },
    { fps: Number.POSITIVE_INFINITY },
    { longSide: 0 },
    { longSide: 15 },
    { longSide: 640.5 },
  ]) {
    it(`refuses ${Object.entries(wrong).flat().join(" ")}`, () => {
      assert.throws(
        () => ffmpegCommand(V5, camera, { ...analysis, ...wrong }),
        (error: CctvError) => error.code === "SETTING_INVALID",
      );
    });
  }
});

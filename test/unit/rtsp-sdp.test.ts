import assert from "node:assert/strict";
import { readH264, readH265 } from "../../src/camera/rtsp/parameter-sets.ts";
import { parseSdp, resolveControl, writeSdp } from "../../src/camera/rtsp/sdp.ts";

/** Made with x264 and x265. */
const H264 = "Z0LAC9oFBn58BEAAAAMAQAAABQPFCqg=";
const H265 = "QgEBAWAAAAMAkAAAAwAAAwBdoAKAgC0WWVlSkwvAWgIAAAMAAgAAAwA8EA==";

const video = (...lines: string[]) => parseSdp(["v=0", "m=video 0 RTP/AVP 96", ...lines].join("\r\n")).video;

describe("session description", () => {
  it("finds the video among other media, whatever ends the lines", () => {
    for (const end of ["\n", "\r\n", "\r"]) {
      const lines = [
        "v=0",
        "a=control:rtsp://camera/x/",
        "m=audio 0 RTP/AVP 0",
        "a=control:a",
        "m=video 0 RTP/AVP 26 96",
      ];
      const { control, video } = parseSdp(
        [...lines, "b=AS:500", "a=control:v", "m=application 0 RTP/AVP 107"].join(end),
      );
      assert.equal(control, "rtsp://camera/x/");
      assert.deepEqual(video, { control: "v", formats: "26 96", lines: ["b=AS:500"], codec: "mjpeg" });
    }
  });

  for (const text of ["", "v=0", "m=audio 0 RTP/AVP 0", "m=video", "m=video 0 RTP/AVP x", "<html>"]) {
    it(`finds none in ${JSON.stringify(text)}`, () => assert.equal(parseSdp(text).video, undefined));
  }

  for (const [name, codec] of [
    ["H264", "h264"],
    ["h265", "hevc"],
    ["JPEG", "mjpeg"],
    ["MP4V-ES", "mpeg4"],
    ["VP9", "vp9"],
  ] as const) {
    it(`calls ${name} ${codec}`, () => assert.equal(video(`a=rtpmap:96 ${name}/90000`)?.codec, codec));
  }

  for (const [what, lines, expected] of [
    ["framesize", ["a=framesize:96 1280-720", "a=framerate: 12.5"], [1280, 720, 12.5]],
    ["x-dimensions", ["a=x-dimensions:704, 576", "a=x-framerate:25"], [704, 576, 25]],
    [
      "the parameter sets of H.264",
      ["a=rtpmap:96 H264/90000", `a=fmtp:96 packetization-mode=1; sprop-parameter-sets=${H264},aM4=`],
      [320, 180, 10],
    ],
    ["the parameter sets of H.265", ["a=rtpmap:96 H265/90000", `a=fmtp:96 sprop-sps=${H265}`], [1280, 720, undefined]],
    ["nothing", ["a=framerate:0", "a=fmtp:96 sprop-parameter-sets=xx"], [undefined, undefined, undefined]],
  ] as const) {
    it(`tells size and rate from ${what}`, () => {
      const found = video(...lines);
      assert.deepEqual([found?.width, found?.height, found?.fps], expected);
    });
  }

  it("passes on no more than the video, with the address that the decoder is to ask for", () => {
    const found = video("a=rtpmap:96 H264/90000", "a=control:trackID=1", "a=crypto:1 x", "a=bell:\x07", "b=AS:1");
    assert.ok(found);
    const written = writeSdp(found, "rtsp://127.0.0.1:1/token/video");
    assert.match(
      written,
      /^v=0\r\no=.*\r\nm=video 0 RTP\/AVP 96\r\na=rtpmap:96 H264\/90000\r\nb=AS:1\r\na=control:rtsp:/s,
    );
    assert.doesNotMatch(written, /trackID|crypto|bell/);
  });
});

describe("control URL", () => {
  for (const [base, control, expected] of [
    ["rtsp://c/x", "*", "rtsp://c/x"],
    ["rtsp://c/x", undefined, "rtsp://c/x"],
    ["rtsp://c/x", "trackID=1", "rtsp://c/x/trackID=1"],
    ["rtsp://c/x/", "/trackID=1", "rtsp://c/x/trackID=1"],
    ["rtsp://c/x?channel=1&subtype=0/", "trackID=1", "rtsp://c/x?channel=1&subtype=0/trackID=1"],
    ["rtsp://c/x", "rtsp://10.0.0.9/y", "rtsp://10.0.0.9/y"],
  ] as const) {
    it(`of ${control} at ${base}`, () => assert.equal(resolveControl(base, control), expected));
  }
});

describe("parameter sets", () => {
  for (const [text, expected] of [
    ["Z0LAKNoB4AiflwEQAAADABAAAAMDIPGDKg==", { width: 1920, height: 1080, fps: 25 }],
    ["Z0LAFtoCgL/lwEQAAAMABAAAAwB4PFi6gA==", { width: 640, height: 360, fps: 15 }],
    ["Z/QAKJGbKA8AiflwEQAAAwABAAADADIfFi2W", { width: 1920, height: 1080, fps: 25 }],
  ] as const) {
    it(`of H.264: ${expected.width}x${expected.height}`, () => {
      assert.deepEqual(readH264(Buffer.from(text, "base64")), expected);
    });
  }

  it("of H.265: 1920x1080", () => {
    const unit = Buffer.from("QgEBAWAAAAMAkAAAAwAAAwB4oAPAgBEHy5ZWVKTC8BaAgAAAAwCAAAAMhA==", "base64");
    assert.deepEqual(readH265(unit), { width: 1920, height: 1080 });
  });

  it("that are cut short, or none, tell nothing", () => {
    const unit = Buffer.from(H264, "base64");
    for (let length = 0; length < 8; length++) assert.deepEqual(readH264(unit.subarray(0, length)), {});
    assert.deepEqual(readH264(Buffer.alloc(40, 0x67)).fps, undefined);
    assert.deepEqual(readH265(unit), {});
    assert.deepEqual(readH265(Buffer.from([0x42, 1])), {});
  });
});

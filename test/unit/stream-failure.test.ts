import assert from "node:assert/strict";
import type { FfmpegInput } from "../../src/camera/protocols/protocol.ts";
import { type DecoderExit, explainExit } from "../../src/stream/decoder-failure.ts";

const camera: FfmpegInput = {
  url: "rtmp://admin:secret@10.0.0.9:1935/live/x",
  display: "rtmp://10.0.0.9:1935/live/x",
  options: {},
  protocols: ["rtmp"],
  live: true,
  loop: false,
  credentials: { username: "admin", password: "secret" },
};
const { credentials: _, ...open } = camera;
const file: FfmpegInput = { ...open, url: "file:/clips/a.mp4", display: "/clips/a.mp4", live: false };

const explain = (input: FfmpegInput, exit: Partial<DecoderExit>) =>
  explainExit({ exitCode: 1, signal: null, lines: [], pictures: 0, ...exit }, input);

/** What FFmpeg 5.1.9 and 7.0 wrote about the same trouble, without the lines that come every time. */
const CAMERA_SAMPLES: [string, FfmpegInput, string, string, string, RegExp][] = [
  [
    "a wrong password",
    camera,
    "[error] pipe:0: Server returned 401 Unauthorized (authorization failed)",
    "[in#0 @ 0x55938752fbc0] [error] Error opening input: Server returned 401 Unauthorized (authorization failed)\n[error] Error opening input file pipe:0.\n[fatal] Error opening input files: Server returned 401 Unauthorized (authorization failed)",
    "CAMERA_AUTH_FAILED",
    /does not accept this user name and password/,
  ],
  [
    "a missing password",
    open,
    "[error] pipe:0: Server returned 401 Unauthorized (authorization failed)",
    "[fatal] Error opening input files: Server returned 401 Unauthorized (authorization failed)",
    "CAMERA_AUTH_FAILED",
    /asks for a user name and password/,
  ],
  [
    "a user without rights",
    camera,
    "[error] pipe:0: Server returned 403 Forbidden (access denied)",
    "[fatal] Error opening input files: Server returned 403 Forbidden (access denied)",
    "CAMERA_AUTH_FAILED",
    /right to view/,
  ],
  [
    "an unknown path",
    camera,
    "[error] pipe:0: Server returned 404 Not Found",
    "[fatal] Error opening input files: Server returned 404 Not Found",
    "CAMERA_NOT_FOUND",
    /check the path and the channel/,
  ],
  [
    "a bad request",
    camera,
    "[error] pipe:0: Server returned 400 Bad Request",
    "[fatal] Error opening input files: Server returned 400 Bad Request",
    "CAMERA_REFUSED",
    /"400 Bad Request"/,
  ],
  [
    "a closed port",
    camera,
    "[tcp @ 0x56411c1144c0] [error] Connection to tcp://127.0.0.1:18999?timeout=3000000 failed: Connection refused\n[error] pipe:0: Connection refused",
    "[tcp @ 0x5632d8e251c0] [error] Connection to tcp://127.0.0.1:18999?timeout=3000000 failed: Connection refused\n[fatal] Error opening input files: Connection refused",
    "CAMERA_REFUSED",
    /nothing listens/,
  ],
  [
    "an unknown host",
    camera,
    "[tcp @ 0x55ea965404c0] [error] Failed to resolve hostname no-such-host.invalid: Name or service not known\n[error] pipe:0: Input/output error",
    "[tcp @ 0x560124a971c0] [error] Failed to resolve hostname no-such-host.invalid: Name or service not known\n[fatal] Error opening input files: Input/output error",
    "CAMERA_UNREACHABLE",
    /host name/,
  ],
  [
    "another protocol, silence, or a closed connection",
    camera,
    "[error] pipe:0: Invalid data found when processing input",
    "[fatal] Error opening input files: Invalid data found when processing input",
    "CAMERA_REFUSED",
    /no proper answer/,
  ],
];

const FILE_SAMPLES: [string, string, string, string, RegExp][] = [
  [
    "a missing file",
    "[concat @ 0x55b25463ee40] [error] Impossible to open 'file:/clips/a.mp4'\n[error] pipe:0: No such file or directory",
    "[concat @ 0x5587359dcec0] [error] Impossible to open 'file:/clips/a.mp4'\n[fatal] Error opening input files: No such file or directory",
    "FILE_NOT_FOUND",
    /does not exist/,
  ],
  [
    "a protected file",
    "[concat @ 0x55b25463ee40] [error] Impossible to open 'file:/clips/a.mp4'\n[error] pipe:0: Permission denied",
    "[concat @ 0x5587359dcec0] [error] Impossible to open 'file:/clips/a.mp4'\n[fatal] Error opening input files: Permission denied",
    "FILE_NOT_FOUND",
    /permissions/,
  ],
  [
    "text with the name of a video",
    "[mov,mp4,m4a,3gp,3g2,mj2 @ 0x559275d76640] [warning] Format mov,mp4,m4a,3gp,3g2,mj2 detected only with low score of 1, misdetection possible!\n[mov,mp4,m4a,3gp,3g2,mj2 @ 0x559275d76640] [error] moov atom not found\n[error] pipe:0: Invalid data found when processing input",
    "[mov,mp4,m4a,3gp,3g2,mj2 @ 0x55b3e64b97c0] [warning] Format mov,mp4,m4a,3gp,3g2,mj2 detected only with low score of 1, misdetection possible!\n[mov,mp4,m4a,3gp,3g2,mj2 @ 0x55b3e64b97c0] [error] moov atom not found\n[fatal] Error opening input files: Invalid data found when processing input",
    "FILE_NOT_VIDEO",
    /no video that ffmpeg can read/,
  ],
  [
    "an MP4 that was cut short",
    "[mov,mp4,m4a,3gp,3g2,mj2 @ 0x55a78fcaa640] [error] moov atom not found\n[error] pipe:0: Invalid data found when processing input",
    "[mov,mp4,m4a,3gp,3g2,mj2 @ 0x55705b0497c0] [error] moov atom not found\n[fatal] Error opening input files: Invalid data found when processing input",
    "FILE_NOT_VIDEO",
    /cut short/,
  ],
  [
    "a sound file",
    "[error] Output file #0 does not contain any stream",
    "[out#0/rawvideo @ 0x5574b040b880] [error] Output file does not contain any stream\n[error] Error opening output file pipe:1.\n[fatal] Error opening output files: Invalid argument",
    "FILE_NOT_VIDEO",
    /no video track/,
  ],
  [
    "a folder",
    "[error] pipe:0: Is a directory",
    "[fatal] Error opening input files: Is a directory",
    "FILE_NOT_VIDEO",
    /no video/,
  ],
];

describe("why a decoder ended", () => {
  for (const [what, input, v5, v7, code, message] of CAMERA_SAMPLES) {
    for (const [version, text] of Object.entries({ "5.1": v5, "7.0": v7 })) {
      it(`${what}: ${code}, in the words of ${version}`, () => {
        const failure = explain(input, { lines: text.split("\n") });
        assert.equal(failure?.code, code);
        assert.match(failure.message, message);
        assert.ok(!failure.message.includes("secret"));
      });
    }
  }

  for (const [what, v5, v7, code, message] of FILE_SAMPLES) {
    for (const [version, text] of Object.entries({ "5.1": v5, "7.0": v7 })) {
      it(`${what}: ${code}, in the words of ${version}`, () => {
        const failure = explain(file, { lines: text.split("\n") });
        assert.equal(failure?.code, code);
        assert.match(failure.message, message);
      });
    }
  }

  const webcam: FfmpegInput = { ...open, url: "/dev/video0", display: "/dev/video0", demuxer: "v4l2" };
  for (const [line, code, message] of [
    ["/dev/video0: Device or resource busy", "CAMERA_REFUSED", /another program/],
    [
      "Could not run graph (sometimes caused by a device already in use by other application)",
      "CAMERA_REFUSED",
      /another/,
    ],
    ["Video device not found", "CAMERA_DEVICE_MISSING", /plugged in/],
    ["Could not find video device with name [x] among source devices", "CAMERA_DEVICE_MISSING", /plugged in/],
    ["ioctl(VIDIOC_QUERYCAP): Inappropriate ioctl for device", "CAMERA_DEVICE_MISSING", /plugged in/],
  ] as const) {
    it(`says ${code} of a capture device after "${line}"`, () => {
      const failure = explain(webcam, { lines: [`[error] ${line}`] });
      assert.equal(failure?.code, code);
      assert.match(failure.message, message);
    });
  }

  it("tells a user with a refused password that the next try takes its time", () => {
    assert.match(explain(camera, { lines: ["401 Unauthorized"] })?.message ?? "", /a minute or more/);
  });

  it("takes any end of a camera with pictures for a loss, even one without an error", () => {
    for (const exit of [{ exitCode: 0 }, { exitCode: 1, lines: ["404 Not Found"] }, { signal: "SIGSEGV" } as const]) {
      assert.equal(explain(camera, { pictures: 7, ...exit })?.code, "STREAM_LOST");
    }
  });

  it("takes the end of a file with pictures for its end, even after an error", () => {
    assert.equal(explain(file, { pictures: 7, exitCode: 0 }), undefined);
    assert.equal(explain(file, { pictures: 7, exitCode: 255, lines: ["Invalid data found"] }), undefined);
  });

  it("does not take a crash for the end of a file", () => {
    assert.equal(explain(file, { pictures: 7, exitCode: null, signal: "SIGSEGV" })?.code, "DECODER_FAILED");
  });

  it("says when there was no picture and no error", () => {
    assert.equal(explain(file, { exitCode: 0 })?.code, "FILE_NOT_VIDEO");
    assert.equal(explain(camera, { exitCode: 0 })?.code, "STREAM_LOST");
  });

  it("quotes ffmpeg where it knows nothing better", () => {
    const failure = explain(camera, { lines: ["[fatal] one", "[fatal] something new"] });
    assert.equal(failure?.code, "DECODER_FAILED");
    assert.match(failure.message, /something new/);
    assert.match(explain(camera, { signal: "SIGKILL" })?.message ?? "", /SIGKILL/);
    assert.match(explain(camera, { exitCode: 3 })?.message ?? "", /status 3/);
  });
});

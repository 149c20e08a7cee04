import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ProtocolRegistry, protocols } from "../../src/camera/protocols/registry.ts";
import {
  type CapturePlatform,
  capturePlatforms,
  readDevice,
} from "../../src/camera/protocols/webcam/capture-device.ts";
import { createWebcamProtocol } from "../../src/camera/protocols/webcam/webcam-protocol.ts";
import type { CctvError, ErrorCode } from "../../src/errors.ts";
import type { Frame } from "../../src/frame/frame.ts";
import { CameraStream } from "../../src/stream/camera-stream.ts";
import { ffmpegChildren, ffmpegs } from "../servers/ffmpeg.ts";

const withCode = (code: ErrorCode, message: RegExp) => (error: CctvError) =>
  error.code === code && message.test(error.message);
const KNOWN = [
  { path: "/dev/video0", name: "Integrated Camera: Front" },
  { path: "/dev/video2", name: "HD Webcam C615" },
];

describe("capture device", () => {
  for (const [address, expected] of [
    ["0", { kind: "number", number: 0 }],
    [" webcam:12 ", { kind: "number", number: 12 }],
    ["webcam://1", { kind: "number", number: 1 }],
    ["/dev/video0", { kind: "path", path: "/dev/video0" }],
    ["webcam:/dev/video0", { kind: "path", path: "/dev/video0" }],
    ["webcam:///dev/video0", { kind: "path", path: "/dev/video0" }],
    ["WEBCAM: HD Webcam C615", { kind: "name", name: "HD Webcam C615" }],
  ] as const) {
    it(`reads ${JSON.stringify(address)}`, () => assert.deepEqual(readDevice(address), expected));
  }
  for (const address of ["", "webcam:", "webcam:a\nb"]) {
    it(`refuses ${JSON.stringify(address)}`, () =>
      assert.throws(() => readDevice(address), withCode("ADDRESS_INVALID", /enter its number/)));
  }

  for (const address of ["0", "/dev/video0", "/dev/v4l/by-id/usb-x-index0", "webcam:HD Webcam C615"]) {
    it(`is what ${address} means`, () => assert.equal(protocols.forAddress(address).name, "webcam"));
  }
  for (const address of ["/clips/0", "0.mp4", "/dev/null"]) {
    it(`is not what ${address} means`, () => assert.equal(protocols.forAddress(address).name, "file"));
  }

  for (const [platform, address, demuxer, device, options] of [
    ["linux", "0", "v4l2", "/dev/video0", {}],
    ["linux", "/dev/v4l/by-id/usb-x-index0", "v4l2", "/dev/v4l/by-id/usb-x-index0", {}],
    ["linux", "webcam:hd webcam c615", "v4l2", "/dev/video2", {}],
    ["linux", "webcam:Integrated", "v4l2", "/dev/video0", {}],
    ["darwin", "0", "avfoundation", "0:none", { framerate: "30" }],
    ["darwin", "webcam:FaceTime HD Camera", "avfoundation", "FaceTime HD Camera:none", { framerate: "30" }],
    ["win32", "webcam:Integrated Camera", "dshow", "video=Integrated Camera", {}],
  ] as const) {
    it(`opens ${address} on ${platform} as ${demuxer} ${device}`, () => {
      assert.deepEqual(capturePlatforms[platform]?.(readDevice(address), KNOWN), { demuxer, device, options });
    });
  }

  for (const [platform, address, code, message] of [
    ["linux", "webcam:Nobody", "CAMERA_DEVICE_MISSING", /\/dev\/video2 \(HD Webcam C615\)/],
    ["darwin", "/dev/video0", "ADDRESS_INVALID", /macOS has no devices like/],
    ["win32", "/dev/video0", "ADDRESS_INVALID", /Windows has no devices like/],
    ["win32", "0", "ADDRESS_INVALID", /by name/],
  ] as const) {
    it(`refuses ${address} on ${platform}: ${code}`, () =>
      assert.throws(() => capturePlatforms[platform]?.(readDevice(address), KNOWN), withCode(code, message)));
  }
});

describe("webcam protocol", () => {
  let folder: string;
  const resolve = (address: string, platform = "linux") =>
    createWebcamProtocol({ platform, devices: join(folder, "dev"), names: join(folder, "sys") }).resolve(
      { address },
      new AbortController().signal,
    );

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "cctv-webcam-"));
    for (const [device, name] of [
      ["video10", "Grabber\n"],
      ["video2", "HD Webcam\n"],
    ] as const) {
      mkdirSync(join(folder, "sys", device), { recursive: true });
      mkdirSync(join(folder, "dev"), { recursive: true });
      writeFileSync(join(folder, "sys", device, "name"), name);
      writeFileSync(join(folder, "dev", device), "");
    }
    writeFileSync(join(folder, "dev", "null"), "");
  });
  after(() => rmSync(folder, { recursive: true }));

  it("finds a device by its name, and says what it opens", async () => {
    const input = await resolve("webcam:grabber");
    assert.deepEqual([input.demuxer, input.url, input.live], ["v4l2", join(folder, "dev/video10"), true]);
    assert.deepEqual(input.protocols, []);
  });

  it("says which devices there are when one is missing", () =>
    assert.rejects(
      resolve("webcam:7".replace("7", join(folder, "dev/video7"))),
      withCode("CAMERA_DEVICE_MISSING", /no capture device .*video7; .*video2 \(HD Webcam\), .*video10 \(Grabber\)/),
    ));

  it("says that there are none", () =>
    assert.rejects(
      createWebcamProtocol({ platform: "linux", devices: "/nowhere", names: "/nowhere" }).resolve(
        { address: "/nowhere/video0" },
        new AbortController().signal,
      ),
      withCode("CAMERA_DEVICE_MISSING", /this machine has none/),
    ));

  it("says what to do about permissions", async function () {
    if (process.getuid?.() === 0) this.skip();
    chmodSync(join(folder, "dev/video2"), 0);
    await assert.rejects(resolve("webcam:HD Webcam"), withCode("CAMERA_DEVICE_MISSING", /group video/));
  });

  it("says where it runs", () => assert.rejects(resolve("0", "sunos"), withCode("SETTING_INVALID", /sunos/)));
});

describe("camera stream of a capture device", function () {
  this.timeout(20_000);
  /** The same code path as a webcam's, but for the demuxer and the device. */
  const standIn: CapturePlatform = () => ({
    demuxer: "lavfi",
    device: "testsrc=s=320x180:r=10,realtime",
    options: { probesize: "65536" },
  });

  before(function () {
    if (ffmpegs.length === 0) this.skip();
  });

  for (const [index, ffmpegPath] of ffmpegs.entries()) {
    it(`plays ffmpeg's lavfi test picture, which stands in for a webcam, live (${index === 0 ? "first" : "npm"} ffmpeg)`, async () => {
      const registry = new ProtocolRegistry([createWebcamProtocol({ platform: "test", platforms: { test: standIn } })]);
      const camera = { id: "door", name: "Door", location: "front", site: "shop" };
      const stream = new CameraStream({ camera, address: "0", fps: 5, longSide: 640, ffmpegPath, registry });
      const frames: Frame[] = [];
      stream.on("frame", (frame) => frames.push(frame));
      stream.start();
      while (frames.length < 6 && stream.state.state !== "failed") await sleep(50);
      const last = frames.at(-1);
      const age = Date.now() - (last?.timestamp ?? 0);
      assert.ok(age >= 0 && age < 2_000, `a frame of ${age} ms ago`);
      assert.deepEqual([last?.width, last?.height, stream.state.state], [320, 180, "live"]);
      const rate = ((frames.length - 1) * 1000) / ((last?.timestamp ?? 0) - (frames[0]?.timestamp ?? 0));
      assert.ok(rate > 3 && rate < 7, `${rate} frames a second`);
      await stream.close();
      assert.deepEqual(ffmpegChildren() ?? [], []);
    });

    it(`says that a file is no capture device, in V4L2's own words (${index === 0 ? "first" : "npm"} ffmpeg)`, async function () {
      if (process.platform !== "linux") this.skip();
      const stream = new CameraStream({
        camera: { id: "door", name: "Door", location: "", site: "shop" },
        address: "webcam:/dev/null",
        fps: 5,
        longSide: 640,
        ffmpegPath,
        maxAttempts: 1,
      });
      stream.start();
      while (stream.state.state !== "failed") await sleep(20);
      assert.equal(stream.state.reason?.code, "CAMERA_DEVICE_MISSING");
      assert.match(stream.state.reason.message, /no capture device \/dev\/null/);
      await stream.close();
    });
  }
});

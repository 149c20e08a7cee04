import assert from "node:assert/strict";
import { once } from "node:events";
import { onvifProtocol } from "../../src/camera/protocols/onvif/onvif-protocol.ts";
import { ProtocolRegistry } from "../../src/camera/protocols/registry.ts";
import type { Frame } from "../../src/frame/frame.ts";
import { CameraStream } from "../../src/stream/camera-stream.ts";
import { ffmpegs } from "../servers/ffmpeg.ts";
import { OnvifCamera } from "../servers/onvif-camera.ts";
import { RtspServer } from "../servers/rtsp.ts";

const login = { username: "admin", password: "p@ss:w/o#r%d&+ü" };
const THREE_DAYS = 3 * 86_400_000;

describe("camera stream over ONVIF", function () {
  this.timeout(30_000);
  const closing: (() => Promise<void>)[] = [];
  before(function () {
    if (!RtspServer.available || ffmpegs.length === 0) this.skip();
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  for (const auth of ["token", "digest"] as const) {
    it(`asks for the stream with ${auth}, the clock three days off, and plays it`, async () => {
      const rtsp = await RtspServer.start({ auth: "digest", ...login });
      closing.push(() => rtsp.kill());
      // What it reports is what a camera behind a router does.
      const streamUri = rtsp.url().replace("127.0.0.1", "192.168.1.64");
      const camera = await OnvifCamera.start({ ...login, auth, skewMs: -THREE_DAYS, streamUri });
      closing.push(() => camera.stop());
      const stream = new CameraStream({
        camera: { id: "door", name: "Door", location: "front", site: "shop" },
        address: camera.address,
        ...login,
        fps: 5,
        longSide: 640,
        ffmpegPath: ffmpegs[0],
        registry: new ProtocolRegistry([onvifProtocol]),
      });
      closing.push(() => stream.close());
      stream.start();
      const [frame] = (await once(stream, "frame")) as [Frame];
      assert.deepEqual([frame.width, frame.height], [320, 180]);
      assert.equal(camera.wrongLogins, 0);
    });
  }
});

import assert from "node:assert/strict";
import { once } from "node:events";
import type { Frame } from "../../src/frame/frame.ts";
import { CameraStream } from "../../src/stream/camera-stream.ts";
import { ADMIN as DAHUA_ADMIN, DahuaCamera } from "../servers/dahua-camera.ts";
import { ffmpegs } from "../servers/ffmpeg.ts";
import { ADMIN as ISAPI_ADMIN, IsapiCamera } from "../servers/isapi-camera.ts";
import { RtspServer } from "../servers/rtsp.ts";

const camera = { id: "till", name: "Till", location: "", site: "shop" };

describe("camera stream of a brand's own interface", function () {
  this.timeout(30_000);
  const closing: (() => Promise<unknown>)[] = [];

  before(function () {
    if (!RtspServer.available || ffmpegs.length === 0) this.skip();
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  const stream = async (login: { username: string; password: string }) => {
    const server = await RtspServer.start({ auth: "digest", ...login });
    closing.push(() => server.kill());
    return server;
  };
  const firstFrame = async (address: string, login: { username: string; password: string }) => {
    const pictures = new CameraStream({ camera, address, ...login, fps: 5, longSide: 640 });
    closing.push(() => pictures.close());
    pictures.start();
    const [frame] = (await once(pictures, "frame")) as [Frame];
    return frame;
  };

  for (const kind of ["camera", "nvr", "dvr"] as const) {
    it(`plays a Hikvision ${kind} from the RTSP port that it tells`, async () => {
      const rtsp = await stream(ISAPI_ADMIN);
      const device = await IsapiCamera.start({ kind, rtspPort: rtsp.port });
      closing.push(() => device.stop());
      const frame = await firstFrame(`hik://127.0.0.1:${device.port}?channel=1`, ISAPI_ADMIN);
      assert.deepEqual([frame.width, frame.height], [320, 180]);
      assert.equal(device.accounts.wrongPasswords, 0);
    });
  }

  for (const kind of ["camera", "nvr", "xvr"] as const) {
    it(`plays a Dahua ${kind} from the RTSP port that it tells`, async () => {
      const rtsp = await stream(DAHUA_ADMIN);
      const device = await DahuaCamera.start({ kind, rtspPort: rtsp.port });
      closing.push(() => device.stop());
      const frame = await firstFrame(`dahua://127.0.0.1:${device.port}?channel=1`, DAHUA_ADMIN);
      assert.deepEqual([frame.width, frame.height], [320, 180]);
      assert.equal(device.accounts.wrongPasswords, 0);
    });
  }
});

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import sharp from "sharp";
import { LoginGuard } from "../../src/camera/login-guard.ts";
import { CameraStream } from "../../src/stream/camera-stream.ts";
import { HttpCamera, mjpeg } from "../servers/http-camera.ts";

const CHANNELS = 6;
const HOUR_MS = 60 * 60 * 1000;
const credentials = { username: "admin", password: "first" };

describe("the login of many channels of one recorder", function () {
  this.timeout(30_000);
  let jpeg: Buffer;
  let recorder: HttpCamera;
  let streams: CameraStream[] = [];

  before(async () => {
    jpeg = await sharp({ create: { width: 64, height: 36, channels: 3, background: "blue" } })
      .jpeg()
      .toBuffer();
  });
  afterEach(async () => {
    await Promise.all(streams.map((stream) => stream.close()));
    await recorder.stop();
  });

  const serve = async (password: string, port?: number) => {
    const answer = mjpeg(jpeg);
    recorder = await HttpCamera.start({ login: "basic", username: "admin", password, answer, ...(port && { port }) });
  };
  const start = () => {
    const logins = new LoginGuard();
    streams = Array.from({ length: CHANNELS }, (_, index) => {
      const camera = { id: `channel-${index}`, name: "", location: "", site: "shop" };
      const address = recorder.url(`/channel/${index}`);
      const stream = new CameraStream({
        camera,
        address,
        ...credentials,
        fps: 5,
        longSide: 64,
        logins,
        random: () => 0,
      });
      stream.start();
      return stream;
    });
  };
  const until = async (condition: (stream: CameraStream) => boolean) => {
    const deadline = Date.now() + 20_000;
    while (!streams.every(condition)) {
      assert.ok(Date.now() < deadline, streams.map(({ state }) => state.state).join(" "));
      await sleep(50);
    }
  };
  const isRefused = ({ state }: CameraStream) => state.reason?.code === "CAMERA_AUTH_FAILED";

  it("is tried once when the password is wrong", async () => {
    await serve("other");
    start();
    await until(isRefused);
    await sleep(1_000);
    assert.equal(recorder.wrongLogins, 1);
  });

  it("stops at the first refusal after the password was changed on the recorder", async () => {
    await serve(credentials.password);
    const { port } = recorder;
    start();
    await until(({ state }) => state.state === "live");
    await recorder.stop();
    await serve("changed", port);
    await until(isRefused);
    await sleep(2_000);
    assert.equal(recorder.wrongLogins, 1);
    for (const { state } of streams) assert.ok((state.retryAt ?? 0) > Date.now() + 5 * HOUR_MS, JSON.stringify(state));
  });
});

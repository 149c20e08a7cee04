import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { CameraStream } from "../../src/stream/camera-stream.ts";
import { ConnectGate } from "../../src/stream/connect-gate.ts";
import { ffmpegChildren, ffmpegs } from "../servers/ffmpeg.ts";
import { RtspServer } from "../servers/rtsp.ts";

const CAMERAS = 50;
const CONNECTS = 6;
const credentials = { username: "admin", password: "p@ss:w/o#r%d&+ü" };

describe("fifty cameras", function () {
  this.timeout(180_000);
  let server: RtspServer;
  const streams: CameraStream[] = [];
  /** Other tests of this process may have some. */
  let handlesBefore = 0;
  const handles = () => process.getActiveResourcesInfo().filter((kind) => /TCP|UDP|Process/.test(kind)).length;

  before(async function () {
    handlesBefore = handles();
    if (!RtspServer.available || ffmpegs.length === 0) return this.skip();
    server = await RtspServer.start({ auth: "digest", ...credentials });
  });
  after(async () => {
    await Promise.all(streams.map((stream) => stream.close()));
    await server?.kill();
  });

  const allLive = async (withinMs: number) => {
    const deadline = Date.now() + withinMs;
    for (;;) {
      const states = streams.map((stream) => stream.health().state);
      if (states.every((state) => state === "live")) return;
      assert.ok(Date.now() < deadline, `not all live within ${withinMs} ms: ${states.join(" ")}`);
      await sleep(100);
    }
  };

  it("start together, never more than the set number connecting at once", async () => {
    const gate = new ConnectGate(CONNECTS);
    for (let i = 0; i < CAMERAS; i++) {
      const camera = { id: `camera-${i}`, name: `Camera ${i}`, location: "", site: "shop" };
      const address = server.url("/shared");
      const stream = new CameraStream({ camera, address, ...credentials, fps: 1, longSide: 320, gate });
      streams.push(stream);
      stream.start();
    }
    await allLive(90_000);
    const most = server.mostConnecting;
    assert.ok(most > 1 && most <= CONNECTS, `${most} at once`);
  });

  it("come back when the recorder was gone, as carefully", async () => {
    const { port } = server;
    await server.kill();
    await sleep(4_000);
    assert.ok(streams.every((stream) => stream.health().state !== "live"));
    server = await RtspServer.start({ auth: "digest", ...credentials, port });
    await allLive(120_000);
    const most = server.mostConnecting;
    assert.ok(most <= CONNECTS, `${most} at once`);
    assert.ok(streams.every((stream) => stream.health().reconnects === 1));
  });

  it("leave no process, no socket and no timer behind", async () => {
    await Promise.all(streams.map((stream) => stream.close()));
    assert.deepEqual(ffmpegChildren(), []);
    await server.kill();
    const deadline = Date.now() + 3_000;
    while (handles() > handlesBefore && Date.now() < deadline) await sleep(50);
    assert.ok(handles() <= handlesBefore, process.getActiveResourcesInfo().join(" "));
  });
});

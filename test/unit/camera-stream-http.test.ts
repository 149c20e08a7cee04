import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import sharp from "sharp";
import { httpProtocol } from "../../src/camera/protocols/http/http-protocol.ts";
import type { Frame } from "../../src/frame/frame.ts";
import { CameraStream, type CameraStreamOptions, type StreamState } from "../../src/stream/camera-stream.ts";
import { JpegSource } from "../../src/stream/jpeg-source.ts";
import type { CapturedPicture } from "../../src/stream/picture-source.ts";
import { ffmpegs } from "../servers/ffmpeg.ts";
import { HttpCamera, type HttpCameraSettings, mjpeg } from "../servers/http-camera.ts";

const camera = { id: "door", name: "Door", location: "front", site: "shop" };
const credentials = { username: "admin", password: "p@ss:w/o#r%d&+ü" };

describe("camera stream over HTTP", function () {
  this.timeout(20_000);
  let jpeg: Buffer;
  const closing: (() => Promise<void>)[] = [];

  before(async () => {
    jpeg = await sharp({ create: { width: 320, height: 180, channels: 3, background: "red" } })
      .jpeg()
      .toBuffer();
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  const serve = async (settings: HttpCameraSettings) => {
    const server = await HttpCamera.start(settings);
    closing.push(() => server.stop());
    return server;
  };
  const open = (address: string, options: Partial<CameraStreamOptions> = {}) => {
    const stream = new CameraStream({ camera, address, fps: 10, longSide: 640, random: () => 0, ...options });
    closing.push(() => stream.close());
    stream.start();
    const frame = async () => ((await once(stream, "frame")) as [Frame])[0];
    const next = async (...wanted: StreamState["state"][]) => {
      for (;;) {
        const [state] = (await once(stream, "state")) as [StreamState];
        if (wanted.includes(state.state)) return state;
      }
    };
    return { stream, frame, next };
  };

  for (const login of ["basic", "digest"] as const) {
    it(`reads MJPEG after ${login}, and keeps the camera's own JPEG`, async () => {
      const server = await serve({ login, ...credentials, answer: mjpeg(jpeg, { boundary: "other" }) });
      const { frame, stream } = open(server.url("/video"), credentials);
      const first = await frame();
      const second = await frame();
      assert.deepEqual([first.width, first.height, first.sequence, second.sequence], [320, 180, 0, 1]);
      assert.ok((await first.jpeg()).equals(jpeg));
      assert.ok((first.data[0] ?? 0) > 200 && (first.data[1] ?? 255) < 60);
      assert.ok(Date.now() - second.timestamp < 1000);
      await stream.close();
      assert.equal(server.wrongLogins, 0);
    });
  }

  it("decodes no more and no larger than wanted, a grey picture too", async () => {
    const grey = await sharp(jpeg).greyscale().jpeg().toBuffer();
    const server = await serve({ answer: mjpeg(grey) });
    const { frame, stream } = open(server.url(), { fps: 4, longSide: 160 });
    const first = await frame();
    assert.deepEqual([first.width, first.height], [160, 90]);
    assert.equal((await sharp(await first.jpeg()).metadata()).width, 160);
    for (let i = 0; i < 4; i++) await frame();
    const rate = stream.health().framesPerSecond;
    assert.ok(rate > 2.5 && rate < 6, `${rate} frames a second`);
  });

  it("asks for a snapshot as often as pictures are wanted, on one connection more", async () => {
    const server = await serve({
      login: "digest",
      ...credentials,
      answer: (_, response) => response.writeHead(200, { "content-type": "image/jpeg" }).end(jpeg),
    });
    const { frame, stream } = open(server.url("/snap.jpg?channel=1"), credentials);
    const startedAt = Date.now();
    for (let i = 0; i < 6; i++) await frame();
    assert.ok(Date.now() - startedAt > 400);
    await stream.close();
    assert.equal(server.wrongLogins, 0);
    // The look whether the port is open, the first answer, and the one that stays.
    assert.ok(server.connections <= 3, `${server.connections} connections`);
  });

  it("stops at a wrong password, after one attempt", async () => {
    const server = await serve({ login: "digest", ...credentials, answer: mjpeg(jpeg) });
    const { next } = open(server.url(), { ...credentials, password: "wrong" });
    const { reason, retryAt = 0 } = await next("waiting");
    assert.equal(reason?.code, "CAMERA_AUTH_FAILED");
    assert.ok(retryAt - Date.now() > 55_000);
    assert.equal(server.wrongLogins, 1);
  });

  for (const [what, type, body, code, message] of [
    ["a web page", "text/html; charset=utf-8", "<html>", "CAMERA_NOT_FOUND", /a web page, not a picture/],
    ["a playlist", "application/vnd.apple.mpegurl", "#EXTM3U", "CAMERA_NOT_FOUND", /\.m3u8/],
    ["a text that says it is a picture", "image/jpeg", "hello", "CAMERA_NOT_FOUND", /no JPEG/],
  ] as const) {
    it(`says that ${what} is no picture`, async () => {
      const server = await serve({
        answer: (_, response) => response.writeHead(200, { "content-type": type }).end(body),
      });
      const { reason } = await open(server.url()).next("waiting");
      assert.equal(reason?.code, code);
      assert.match(reason.message, message);
    });
  }

  it("says that JPEGs cannot be read", async () => {
    const broken = Buffer.from([0xff, 0xd8, 0xff, 0xd9]);
    const server = await serve({ answer: mjpeg(broken) });
    const { reason } = await open(server.url(), { fps: 30 }).next("waiting");
    assert.equal(reason?.code, "DECODER_FAILED");
  });

  it("notices a stream that goes quiet, and opens it again", async () => {
    const server = await serve({ answer: mjpeg(jpeg, { times: 3 }) });
    const { next } = open(server.url(), { stallMs: 700 });
    assert.equal((await next("waiting")).reason?.code, "CAMERA_STALLED");
    assert.equal((await next("live")).reason, undefined);
  });

  it("comes back when the connection was lost", async () => {
    const server = await serve({
      answer: (request, response) => {
        mjpeg(jpeg)(request, response);
        setTimeout(() => request.socket.resetAndDestroy(), 500);
      },
    });
    const { next, frame } = open(server.url());
    assert.equal((await next("waiting")).reason?.code, "STREAM_LOST");
    await frame();
  });

  it("reads the MJPEG of ffmpeg's own server", async function () {
    const [ffmpeg] = ffmpegs;
    if (!ffmpeg) return this.skip();
    const probe = createServer().listen(0, "127.0.0.1");
    await once(probe, "listening");
    const { port } = probe.address() as AddressInfo;
    probe.close();
    const url = `http://127.0.0.1:${port}/`;
    const source = ["-re", "-f", "lavfi", "-i", "testsrc=s=320x180:r=10:d=30"];
    const type = ["-content_type", "multipart/x-mixed-replace;boundary=ffmpeg"];
    const child = spawn(ffmpeg, ["-v", "error", ...source, "-f", "mpjpeg", ...type, "-listen", "1", url], {
      stdio: "ignore",
    });
    const exited = once(child, "exit");
    closing.push(async () => {
      child.kill("SIGKILL");
      await exited;
    });
    // It serves one client and ends, so no stream that first looks whether its port is open.
    const input = await httpProtocol.resolve({ address: url }, new AbortController().signal);
    const pictures: CapturedPicture[] = [];
    for (let tries = 0; pictures.length === 0 && tries < 50; tries++) {
      const analysis = { fps: 10, longSide: 160 };
      const onPicture = (picture: CapturedPicture) => void (pictures.push(picture) > 2 && source.close());
      const source = new JpegSource({ input, analysis, onPicture, now: Date.now });
      closing.push(() => source.close());
      await source.ended;
      await sleep(100);
    }
    assert.deepEqual([pictures[0]?.width, pictures[0]?.height], [160, 90]);
  });
});

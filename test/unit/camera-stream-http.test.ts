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
import { Motion } from "../servers/motion.ts";

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

  for (const [what, type, boundary] of [
    ["as octets", "application/octet-stream", "--frame\r\nContent-Type: image/jpeg\r\n\r\n"],
    ["as text", "text/plain", "--frame\r\nContent-Type: image/jpeg\r\n\r\n"],
    ["without a type", undefined, "--frame\r\n\r\n"],
    ["one after the other as octets", "application/octet-stream", ""],
    ["one after the other as a picture without an end", "image/jpeg", ""],
    ["with a boundary as a picture", "image/jpeg", "\r\n--x\r\n\r\n"],
  ] as const) {
    it(`reads MJPEG ${what}`, async () => {
      const server = await serve({
        answer: (_, response) => {
          response.writeHead(200, type ? { "content-type": type } : {});
          const timer = setInterval(() => response.write(Buffer.concat([Buffer.from(boundary), jpeg])), 50);
          response.on("close", () => clearInterval(timer));
        },
      });
      const { frame, stream } = open(server.url());
      for (let i = 0; i < 4; i++) assert.equal((await frame()).width, 320);
      await stream.close();
      assert.equal(server.requests, 1);
    });
  }

  for (const type of ["image/jpeg", "application/octet-stream", "text/plain", undefined]) {
    it(`takes one JPEG of type ${type} for a snapshot`, async () => {
      const server = await serve({
        answer: (_, response) => response.writeHead(200, type ? { "content-type": type } : {}).end(jpeg),
      });
      const { frame } = open(server.url());
      for (let i = 0; i < 3; i++) assert.equal((await frame()).width, 320);
      assert.ok(server.requests >= 3);
    });
  }

  it("asks for a snapshot as often as pictures are wanted, on one connection more", async () => {
    let answers = 0;
    const server = await serve({
      login: "digest",
      ...credentials,
      answer: (_, response) => {
        answers++;
        response.writeHead(200, { "content-type": "image/jpeg" }).end(jpeg);
      },
    });
    const { frame, stream } = open(server.url("/snap.jpg?channel=1"), credentials);
    const startedAt = Date.now();
    for (let i = 0; i < 6; i++) await frame();
    assert.ok(Date.now() - startedAt > 400);
    await stream.close();
    assert.equal(server.wrongLogins, 0);
    assert.equal(server.requests - answers, 1, "it was asked for the login once");
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
    ["a web page without a type", "", "<!DOCTYPE html><html>", "CAMERA_NOT_FOUND", /a web page, not a picture/],
    ["a text", "text/plain", "It works!\n", "CAMERA_NOT_FOUND", /text\/plain, which is no JPEG/],
    ["nothing at all", "", "", "CAMERA_NOT_FOUND", /something unnamed/],
    ["a text that says it is a picture", "image/jpeg", "hello", "CAMERA_NOT_FOUND", /no JPEG/],
  ] as const) {
    it(`says that ${what} is no picture`, async () => {
      const server = await serve({
        answer: (_, response) => response.writeHead(200, type ? { "content-type": type } : {}).end(body),
      });
      const { reason } = await open(server.url()).next("waiting");
      assert.equal(reason?.code, code);
      assert.match(reason.message, message);
    });
  }

  const endless: [what: string, headers: Record<string, string>, beginning: string, code: string, message: RegExp][] = [
    ["octets", { "content-type": "application/octet-stream" }, "", "CAMERA_NOT_FOUND", /no JPEG/],
    ["announced octets", { "content-length": String(300 * 2 ** 20) }, "", "CAMERA_NOT_FOUND", /no JPEG/],
    ["a web page", { "content-type": "text/plain" }, "<html>", "CAMERA_NOT_FOUND", /a web page/],
    ["a picture", { "content-type": "image/jpeg" }, "\xff\xd8\xff\xda\0\x02", "STREAM_LOST", /more than 8192 KB/],
    ["a part", { "content-type": "multipart/x-mixed-replace" }, "--b\n\n", "STREAM_LOST", /more than 8192 KB/],
    ["rubbish", { "content-type": "multipart/x-mixed-replace" }, "--b\n", "CAMERA_REFUSED", /more than 8192 KB/],
  ];
  for (const [what, headers, beginning, code, message] of endless) {
    it(`stops reading 300 MB of ${what}, at once and in little memory`, async () => {
      const chunk = Buffer.alloc(2 ** 20);
      let sent = 0;
      const server = await serve({
        answer: (_, response) => {
          response.writeHead(200, headers).write(Buffer.from(beginning, "latin1"));
          const more = () => {
            while (sent++ < 300) if (!response.write(chunk)) return response.once("drain", more);
            return response.end();
          };
          more();
        },
      });
      const before = process.memoryUsage.rss();
      const startedAt = Date.now();
      const { reason } = await open(server.url()).next("waiting");
      assert.equal(reason?.code, code);
      assert.match(reason.message, message);
      assert.ok(Date.now() - startedAt < 5_000);
      assert.ok(sent < 100, `${sent} MB went out`);
      const grown = process.memoryUsage.rss() - before;
      assert.ok(grown < 100e6, `it took ${Math.round(grown / 1e6)} MB of memory`);
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

  describe("from motion", () => {
    before(function () {
      if (!Motion.available || ffmpegs.length === 0) this.skip();
    });

    // Its settings take no other characters than these in a password.
    const user = { username: "admin", password: "s3cr3t-Pass" };
    for (const login of ["none", "basic", "digest"] as const) {
      it(`reads its MJPEG with ${login === "none" ? "no login" : login}`, async () => {
        const motion = await Motion.start({ login, ...(login !== "none" && user) });
        closing.push(() => motion.stop());
        const { frame } = open(motion.url, login === "none" ? {} : user);
        const first = await frame();
        const second = await frame();
        assert.deepEqual([first.width, first.height, second.sequence], [320, 240, 1]);
      });
    }

    it("is refused with a wrong password", async () => {
      const motion = await Motion.start({ login: "digest", ...user });
      closing.push(() => motion.stop());
      const { reason } = await open(motion.url, { ...user, password: "wrong" }).next("waiting");
      assert.equal(reason?.code, "CAMERA_AUTH_FAILED");
    });
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

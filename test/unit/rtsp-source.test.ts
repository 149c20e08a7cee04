import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { CameraConfig } from "../../src/camera/protocols/protocol.ts";
import { rtspProtocol } from "../../src/camera/protocols/rtsp/rtsp-protocol.ts";
import { findFfmpeg } from "../../src/stream/ffmpeg-binary.ts";
import type { CapturedPicture } from "../../src/stream/picture-source.ts";
import { RtspSource } from "../../src/stream/rtsp-source.ts";
import { makeCertificate } from "../servers/certificate.ts";
import { ffmpegChildren, ffmpegs } from "../servers/ffmpeg.ts";
import { RtspServer, type RtspServerSettings } from "../servers/rtsp.ts";
import { RtspCamera, type RtspCameraSettings } from "../servers/rtsp-camera.ts";

const credentials = { username: "admin", password: "p@ss:w/o#r%d&+ü" };
const { signal } = new AbortController();
const SECRET = /p@ss|p%40ss|w\/o#r|w%2fo|d&\+|%26%2b/i;

describe("RTSP source", function () {
  this.timeout(20_000);
  const closing: (() => Promise<unknown>)[] = [];

  /** Other tests of this process may have some. */
  let socketsBefore = 0;
  const sockets = () => process.getActiveResourcesInfo().filter((kind) => /TCP|UDP/.test(kind)).length;

  before(function () {
    socketsBefore = sockets();
    if (ffmpegs.length === 0) this.skip();
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
    assert.deepEqual(ffmpegChildren() ?? [], [], "no decoder is left over");
    for (let waits = 0; waits < 40 && sockets() > socketsBefore; waits++) await sleep(50);
    assert.ok(sockets() <= socketsBefore, "no socket is left over");
  });

  const open = async (address: string, config: Partial<CameraConfig> = {}, ffmpeg = ffmpegs[0]) => {
    const input = await rtspProtocol.resolve({ address, ...config }, signal);
    const pictures: CapturedPicture[] = [];
    const source = new RtspSource({
      ffmpeg: await findFfmpeg({ setting: ffmpeg }),
      input,
      analysis: { fps: 10, longSide: 640 },
      onPicture: (picture) => pictures.push(picture),
      now: Date.now,
    });
    closing.push(() => source.close());
    const picture = async () => {
      const count = pictures.length;
      const over = source.ended.then((failure) => assert.fail(`no picture: ${failure?.code} ${source.lines.join()}`));
      while (pictures.length === count) await Promise.race([sleep(20), over]);
      return pictures.at(-1);
    };
    return { source, pictures, picture };
  };

  describe("of GStreamer's server", () => {
    const serve = async (settings: RtspServerSettings = {}) => {
      const server = await RtspServer.start(settings);
      closing.push(() => server.kill());
      return server;
    };
    before(function () {
      if (!RtspServer.available) this.skip();
    });

    for (const [transport, auth, ffmpeg] of [
      ["http", "digest", ffmpegs[0]],
      ["http", "basic", ffmpegs.at(-1)],
      ["auto", "digest", ffmpegs.at(-1)],
    ] as const) {
      it(`plays over ${transport} with ${auth}`, async () => {
        const server = await serve({ auth, ...credentials });
        const { source, picture } = await open(server.url(), { transport, ...credentials }, ffmpeg);
        const { width, height, timestamp = 0 } = (await picture()) ?? {};
        assert.deepEqual([width, height], [320, 180]);
        assert.ok(Math.abs(Date.now() - timestamp) < 1_000);
        const { bytes = 0, ...facts } = source.facts();
        assert.ok(bytes > 1_000, `${bytes} bytes`);
        assert.deepEqual(facts, {
          damaged: 0,
          codec: "h264",
          width: 320,
          height: 180,
          fps: 10,
          server: "GStreamer RTSP server",
          realm: "GStreamer RTSP Server",
        });
        for (const { commandLine } of ffmpegChildren() ?? []) assert.doesNotMatch(commandLine, SECRET);
        assert.doesNotMatch(source.lines.join(), SECRET);
      });
    }

    for (const transport of ["tcp", "http"] as const) {
      it(`plays over TLS and ${transport}`, async function () {
        const tls = makeCertificate();
        if (!tls) return this.skip();
        const server = await serve({ auth: "digest", ...credentials, tls: tls.key + tls.cert });
        const { picture } = await open(server.url(), { transport, ...credentials, certificate: "any" });
        assert.equal((await picture())?.width, 320);
        const { source } = await open(server.url(), { transport, ...credentials });
        assert.equal((await source.ended)?.code, "CAMERA_CERTIFICATE");
      });
    }

    it("plays what comes beside sound, MJPEG, and H.265 where the server has it", async () => {
      const server = await serve();
      for (const [mount, codec, optional] of [
        ["/sound", "h264"],
        ["/jpeg", "mjpeg"],
        ["/hevc", "hevc", true],
      ] as const) {
        const { source, picture } = await open(server.url(mount));
        const outcome = await Promise.race([picture(), source.ended]);
        if (optional && outcome && "code" in outcome && outcome.code === "CAMERA_NOT_FOUND") continue;
        assert.equal(source.facts().codec, codec);
        await source.close();
      }
    });

    it("ends when the server is gone", async () => {
      const server = await serve();
      const { source, picture } = await open(server.url());
      await picture();
      const started = Date.now();
      await server.kill();
      assert.equal((await source.ended)?.code, "STREAM_LOST");
      assert.ok(Date.now() - started < 2_000);
    });
  });

  describe("of a strange camera", () => {
    const serve = async (settings: RtspCameraSettings = {}) => {
      const camera = await RtspCamera.start(settings);
      closing.push(() => camera.stop());
      return camera;
    };

    it("tells the decoder an address on this machine, and nothing of the camera or its login", async function () {
      if (process.platform === "win32") return this.skip();
      const folder = mkdtempSync(join(tmpdir(), "cctv-rtsp-"));
      closing.push(async () => rmSync(folder, { recursive: true }));
      const [path, said] = [join(folder, "ffmpeg"), join(folder, "said")];
      writeFileSync(path, `#!/bin/sh\n(echo "$@"; cat; env) > ${said}\n`, { mode: 0o755 });
      const camera = await serve({ login: "digest", ...credentials });
      const input = await rtspProtocol.resolve({ address: camera.url("/channel-4711"), ...credentials }, signal);
      const source = new RtspSource({
        ffmpeg: { path, version: { major: 5, minor: 1, text: "5.1" } },
        input,
        analysis: { fps: 10, longSide: 640 },
        onPicture: () => undefined,
        now: Date.now,
      });
      closing.push(() => source.close());
      assert.equal((await source.ended)?.code, "STREAM_LOST");
      const told = readFileSync(said, "utf8");
      assert.match(told, /file 'rtsp:\/\/127\.0\.0\.1:\d+\/[0-9a-f]{48}'/);
      assert.doesNotMatch(told, SECRET);
      assert.ok(!told.includes(`:${camera.port}`) && !told.includes("channel-4711"));
    });

    it("starts no decoder for one that refuses the login", async () => {
      const camera = await serve({ login: "digest", ...credentials });
      const { source } = await open(camera.url(), { ...credentials, password: "wrong" });
      const watching = setInterval(() => assert.deepEqual(ffmpegChildren() ?? [], []), 5);
      try {
        assert.equal((await source.ended)?.code, "CAMERA_AUTH_FAILED");
      } finally {
        clearInterval(watching);
      }
    });

    it("says in the camera's words why it does not play, and not in ffmpeg's", async () => {
      const says = { PLAY: "RTSP/1.0 453 Not Enough Bandwidth\r\nCSeq: <cseq>\r\n\r\n" };
      const camera = await serve({ says });
      const { source } = await open(camera.url());
      const failure = await source.ended;
      assert.equal(failure?.code, "CAMERA_REFUSED");
      assert.match(failure.message, /453/);
    });

    it("says that one hung up while it played", async () => {
      const camera = await serve();
      const { source } = await open(camera.url());
      while (!camera.methods.includes("PLAY")) await sleep(10);
      await sleep(50);
      camera.hangUp();
      assert.equal((await source.ended)?.code, "STREAM_LOST");
    });

    for (const method of ["OPTIONS", "SETUP", "PLAY"] as const) {
      it(`closes while ${method} waits for its answer`, async () => {
        const camera = await serve({ says: { [method]: () => {} } });
        const { source } = await open(camera.url());
        while (!camera.methods.includes(method)) await sleep(10);
        const started = Date.now();
        await Promise.all([source.close(), source.close()]);
        assert.equal(await source.ended, undefined);
        assert.ok(Date.now() - started < 2_000, `${Date.now() - started} ms`);
        await sleep(20);
        assert.equal(camera.openConnections, 0);
      });
    }

    it("closes at once", async () => {
      const camera = await serve();
      const { source } = await open(camera.url());
      await source.close();
      assert.equal(await source.ended, undefined);
    });
  });
});

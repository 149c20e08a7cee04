import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { rtmpProtocol } from "../../src/camera/protocols/rtmp/rtmp-protocol.ts";
import type { CctvError } from "../../src/errors.ts";
import type { Frame } from "../../src/frame/frame.ts";
import { CameraStream, type CameraStreamOptions, type StreamState } from "../../src/stream/camera-stream.ts";
import { freePort } from "../e2e/node-red.ts";
import { ffmpegChildren, ffmpegs } from "../servers/ffmpeg.ts";
import { FfmpegRtmpServer, NginxRtmpServer, RtmpPusher } from "../servers/rtmp.ts";

const camera = { id: "door", name: "Door", location: "front", site: "shop" };
const SECRET = /s3cr3t/;

describe("RTMP protocol", () => {
  const resolve = (address: string) => rtmpProtocol.resolve({ address }, new AbortController().signal);

  for (const [address, url, display] of [
    ["rtmp://10.0.0.9/live/door", "rtmp://10.0.0.9:1935/live/door", "rtmp://10.0.0.9:1935/live/door"],
    ["RTMPS://host/app/a/b", "rtmps://host:443/app/a/b", "rtmps://host:443/app/a/b"],
    [
      "rtmp://10.0.0.9:1936/bcs/channel0_main.bcs?channel=0&user=admin&password=x",
      "rtmp://10.0.0.9:1936/bcs/channel0_main.bcs?channel=0&user=admin&password=x",
      "rtmp://10.0.0.9:1936/bcs/channel0_main.bcs?***",
    ],
  ] as const) {
    it(`opens ${address}, and shows no query`, async () => {
      const input = await resolve(address);
      assert.deepEqual([input.url, input.display, input.live], [url, display, true]);
    });
  }

  for (const address of [
    "rtmp://10.0.0.9",
    "rtmp://10.0.0.9/live",
    "rtmp://10.0.0.9/live/",
    "rtmp://10.0.0.9/live?a/b",
    "rtmp-listen://0.0.0.0/live",
  ]) {
    it(`asks for application and stream in ${address}`, () =>
      assert.rejects(resolve(address), (error: CctvError) => error.code === "ADDRESS_INVALID"));
  }
});

describe("camera stream over RTMP", function () {
  this.timeout(30_000);
  const streams: CameraStream[] = [];
  const servers: { stop(): Promise<void> }[] = [];

  const open = (address: string, options: Partial<CameraStreamOptions> = {}) => {
    const said: string[] = [];
    const say = (line: string) => void said.push(line);
    const logger = { debug: say, info: say, warn: say };
    const stream = new CameraStream({ camera, address, fps: 5, longSide: 640, random: () => 0, logger, ...options });
    streams.push(stream);
    stream.on("state", (state) => say(JSON.stringify(state)));
    const next = async (...wanted: StreamState["state"][]) => {
      for (;;) {
        const [state] = (await once(stream, "state")) as [StreamState];
        if (wanted.includes(state.state)) return state;
      }
    };
    const frame = async () => ((await once(stream, "frame")) as [Frame])[0];
    stream.start();
    return { stream, said, next, frame };
  };

  before(function () {
    if (ffmpegs.length === 0) this.skip();
  });
  afterEach(async () => {
    await Promise.all(streams.splice(0).map((stream) => stream.close()));
    await Promise.all(servers.splice(0).map((server) => server.stop()));
    assert.deepEqual(ffmpegChildren() ?? [], [], "no decoder is left over");
  });

  for (const [index, ffmpegPath] of ffmpegs.entries()) {
    it(`plays from ffmpeg as a server, and shows the query nowhere (${index === 0 ? "first" : "npm"} ffmpeg)`, async () => {
      const server = await FfmpegRtmpServer.start();
      servers.push(server);
      const { stream, said, frame } = open(`rtmp://127.0.0.1:${server.port}/live/door?token=s3cr3t&x=s3cr3t`, {
        ffmpegPath,
      });
      const first = await frame();
      const second = await frame();
      assert.deepEqual([first.width, first.height, second.sequence], [320, 180, 1]);
      const age = Date.now() - second.timestamp;
      assert.ok(age >= 0 && age < 2_000, `a frame of ${age} ms ago`);
      for (const { commandLine } of ffmpegChildren() ?? []) assert.doesNotMatch(commandLine, SECRET);
      await stream.close();
      assert.doesNotMatch(said.join("\n"), SECRET);
    });
  }

  for (const [address, code] of [
    ["rtmp://127.0.0.1:1/live/door?key=s3cr3t", "CAMERA_REFUSED"],
    ["rtmp://no-such-host.invalid/live/door?key=s3cr3t", "CAMERA_UNREACHABLE"],
  ] as const) {
    it(`says ${code} of ${address.split("?")[0]}`, async () => {
      const { next, said } = open(address);
      assert.equal((await next("waiting")).reason?.code, code);
      assert.doesNotMatch(said.join("\n"), SECRET);
    });
  }

  describe("that listens for a push", () => {
    const push = (url: string) => {
      const pusher = new RtmpPusher(url);
      servers.push(pusher);
      return pusher;
    };

    for (const [index, ffmpegPath] of ffmpegs.entries()) {
      it(`plays what a camera pushes, again when it comes back, and shows the key nowhere (${index === 0 ? "first" : "npm"} ffmpeg)`, async () => {
        const port = await freePort();
        const key = "door-s3cr3t?token=s3cr3t";
        const { stream, said, frame, next } = open(`rtmp-listen://127.0.0.1:${port}/live/${key}`, { ffmpegPath });
        await sleep(300);
        assert.equal(stream.state.state, "connecting");
        assert.deepEqual(ffmpegChildren() ?? [], [], "no decoder waits");
        const first = push(`rtmp://127.0.0.1:${port}/live/${key}`);
        assert.equal((await frame()).width, 320);
        const { timestamp } = await frame();
        assert.ok(Date.now() - timestamp < 1_000, `a frame of ${Date.now() - timestamp} ms ago`);
        const decoders = (ffmpegChildren() ?? []).filter(({ commandLine }) => !commandLine.includes("testsrc"));
        for (const { commandLine } of decoders) assert.doesNotMatch(commandLine, SECRET);
        assert.notEqual(await push(`rtmp://127.0.0.1:${port}/live/${key}`).ended(), 0, "a second one is sent away");

        const lost = next("waiting");
        await first.stop();
        assert.equal((await lost).reason?.code, "STREAM_LOST");
        await next("connecting");
        push(`rtmp://127.0.0.1:${port}/live/${key}`);
        await frame();
        assert.deepEqual([stream.state.state, stream.health().reconnects], ["live", 1]);
        await stream.close();
        assert.doesNotMatch(said.join("\n"), SECRET);
      });
    }

    for (const path of ["live/wrong", "live/door/x", "other/door", "live/door?x"]) {
      it(`sends away who pushes to ${path}, and goes on waiting`, async () => {
        const port = await freePort();
        const { stream, frame } = open(`rtmp-listen://127.0.0.1:${port}/live/door`);
        await sleep(100);
        assert.notEqual(await push(`rtmp://127.0.0.1:${port}/${path}`).ended(), 0);
        assert.equal(stream.state.state, "connecting");
        push(`rtmp://127.0.0.1:${port}/live/door`);
        await frame();
      });
    }

    it("says that the port is taken", async () => {
      const server = await FfmpegRtmpServer.start();
      servers.push(server);
      const { next, said } = open(`rtmp-listen://127.0.0.1:${server.port}/live/s3cr3t`);
      const { reason } = await next("waiting");
      assert.equal(reason?.code, "CAMERA_REFUSED");
      assert.match(reason.message, /listens at .* already; choose another port/);
      assert.doesNotMatch(said.join("\n"), SECRET);
    });

    it("leaves the port when it is closed", async () => {
      const port = await freePort();
      const { stream } = open(`rtmp-listen://127.0.0.1:${port}/live/door`);
      await sleep(100);
      await stream.close();
      const server = createServer();
      await once(server.listen(port, "127.0.0.1"), "listening");
      server.close();
    });
  });

  describe("from nginx", () => {
    const serve = async (port?: number) => {
      const server = await NginxRtmpServer.start(port);
      servers.push(server);
      return server;
    };

    before(function () {
      if (!NginxRtmpServer.available) this.skip();
    });

    for (const [index, ffmpegPath] of ffmpegs.entries()) {
      it(`plays what a camera publishes, and comes back after a restart (${index === 0 ? "first" : "npm"} ffmpeg)`, async () => {
        const server = await serve();
        server.publish("door");
        await sleep(1_000);
        const { stream, next, frame } = open(server.url("door"), { ffmpegPath, stallMs: 3_000 });
        assert.equal((await frame()).width, 320);
        const lost = next("waiting");
        await server.stop();
        assert.equal((await lost).reason?.code, "STREAM_LOST");
        const live = next("live");
        (await serve(server.port)).publish("door");
        assert.equal((await live).reason, undefined);
        assert.equal(stream.health().reconnects, 1);
      });
    }

    it("says that the server has no such application", async () => {
      const server = await serve();
      const { next, said } = open(`${server.url("door").replace("/live/", "/nowhere/")}?key=s3cr3t`);
      const { reason } = await next("waiting");
      assert.equal(reason?.code, "CAMERA_REFUSED");
      assert.match(reason.message, /no proper answer/);
      assert.doesNotMatch(said.join("\n"), SECRET);
    });
  });
});

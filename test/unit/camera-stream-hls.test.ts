import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { hlsProtocol } from "../../src/camera/protocols/hls/hls-protocol.ts";
import { protocols } from "../../src/camera/protocols/registry.ts";
import type { Frame } from "../../src/frame/frame.ts";
import { CameraStream, type CameraStreamOptions, type StreamState } from "../../src/stream/camera-stream.ts";
import { makeCertificate } from "../servers/certificate.ts";
import { ffmpegChildren, ffmpegs } from "../servers/ffmpeg.ts";
import { HlsServer, type HlsServerSettings } from "../servers/hls.ts";

const camera = { id: "door", name: "Door", location: "front", site: "shop" };
const USERNAME = "admin";
const PASSWORD = "p@ss:w/o#r%d&+ü";
const credentials = { username: USERNAME, password: PASSWORD };
const SECRET = /p@ss|p%40ss|w\/o#r|w%2fo|d&\+|%26%2b|s3cr3t/i;

describe("HLS address", () => {
  for (const [address, name] of [
    ["http://10.0.0.9/live/index.m3u8", "hls"],
    ["HTTPS://10.0.0.9/live/index.M3U8?token=a.b", "hls"],
    ["hls://10.0.0.9/live", "hls"],
    ["hlss://10.0.0.9/live", "hls"],
  ] as const) {
    it(`takes ${address}`, () => assert.equal(protocols.forAddress(address).name, name));
  }
  for (const address of ["http://10.0.0.9/video.mjpg", "http://10.0.0.9/?x=a.m3u8", "http://a/x.m3u8x", "/a/b.m3u8"]) {
    it(`leaves ${address} to others`, () => assert.equal(hlsProtocol.matches?.(address), false));
  }
});

describe("camera stream over HLS", function () {
  this.timeout(30_000);
  const streams: CameraStream[] = [];
  const servers: HlsServer[] = [];

  const serve = async (settings: HlsServerSettings = {}) => {
    const server = await HlsServer.start(settings);
    servers.push(server);
    return server;
  };
  const open = (address: string, options: Partial<CameraStreamOptions> = {}) => {
    const said: string[] = [];
    const say = (line: string) => void said.push(line);
    const logger = { debug: say, info: say, warn: say };
    const stream = new CameraStream({ camera, address, fps: 10, longSide: 640, random: () => 0, logger, ...options });
    streams.push(stream);
    const frames: Frame[] = [];
    const states: StreamState[] = [];
    stream.on("frame", (frame) => frames.push(frame));
    stream.on("state", (state) => {
      states.push(state);
      say(JSON.stringify(state));
    });
    const next = async (...wanted: StreamState["state"][]) => {
      for (;;) {
        const [state] = (await once(stream, "state")) as [StreamState];
        if (wanted.includes(state.state)) return state;
      }
    };
    const frame = async (wanted: (frame: Frame) => boolean = () => true) => {
      for (;;) {
        const [one] = (await once(stream, "frame")) as [Frame];
        if (wanted(one)) return one;
      }
    };
    stream.start();
    return { stream, frames, states, said, next, frame };
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
    describe(index === 0 ? "with the first ffmpeg" : "with the ffmpeg of an npm package", () => {
      it("plays a live stream evenly and across a discontinuity, by a token that it shows nowhere", async () => {
        const token = "token=s3cr3t-1&sig=s3cr3t/2";
        const server = await serve({ token });
        const first = await server.segment({ playlist: "live/index.m3u8", parts: "parts" });
        const { stream, frames, states, said, frame } = open(`${server.url("live/index.m3u8")}?${token}`, {
          ffmpegPath,
        });
        await frame(({ sequence }) => sequence === 15);
        const ages = frames.map(({ timestamp }) => Date.now() - timestamp);
        assert.ok(Math.min(...ages) < 500, `the newest picture is of ${Math.min(...ages)} ms ago`);

        await server.cut(first);
        await server.segment({ playlist: "live/index.m3u8", parts: "parts", size: "640x360", append: true });
        const after = await frame(({ width }) => width === 640);
        await frame(({ sequence }) => sequence >= after.sequence + 12);
        const times = frames.map(({ timestamp }) => timestamp);
        assert.deepEqual(
          times,
          times.toSorted((a, b) => a - b),
        );
        assert.ok((times.at(-1) ?? 0) <= Date.now());
        const gaps = times.slice(-10).map((time, i, all) => (i === 0 ? 100 : time - (all[i - 1] ?? 0)));
        assert.ok(
          gaps.every((gap) => gap > 60 && gap < 140),
          `gaps of ${gaps} ms`,
        );
        assert.deepEqual(
          states.map(({ state }) => state),
          ["connecting", "live"],
        );

        for (const { commandLine } of ffmpegChildren() ?? []) {
          if (commandLine.includes("testsrc")) continue;
          assert.doesNotMatch(commandLine, SECRET);
          assert.doesNotMatch(commandLine, /127\.0\.0\.1/);
        }
        await stream.close();
        assert.doesNotMatch(said.join("\n"), SECRET);
      });

      it("plays a recording in real time to its end, from the rendition that fits", async () => {
        const server = await serve({ login: "basic", ...credentials });
        await Promise.all([
          server.segment({ playlist: "small/index.m3u8", parts: "a b", size: "320x180", seconds: 2 }),
          server.segment({ playlist: "large/index.m3u8", parts: "deep/er", size: "640x360", seconds: 2 }),
        ]);
        writeFileSync(
          join(server.folder, "main.m3u8"),
          "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=100000,RESOLUTION=320x180\nsmall/index.m3u8\n" +
            "#EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=640x360\n./small/../large/index.m3u8\n",
        );
        const { frames, states, said, next } = open(server.url("main.m3u8"), {
          ffmpegPath,
          ...credentials,
        });
        assert.equal((await next("ended", "failed", "waiting")).state, "ended");
        assert.deepEqual(
          states.map(({ state }) => state),
          ["connecting", "live", "ended"],
        );
        assert.equal(frames.length, 20);
        assert.ok(frames.every(({ width }) => width === 640));
        const played = (frames.at(-1)?.timestamp ?? 0) - (frames[0]?.timestamp ?? 0);
        assert.equal(played, 1_900);
        const took = (states[2]?.since ?? 0) - (states[1]?.since ?? 0);
        assert.ok(took > 1_500, `it took ${took} ms`);
        assert.ok(!server.requests.some((request) => request.includes("small/a%20b")), "the other one stays unread");
        assert.doesNotMatch(said.join("\n"), SECRET);
      });

      for (const algorithm of ["MD5", "SHA-256"] as const) {
        it(`plays over TLS behind Digest with ${algorithm}, a certificate of the server's own and byte ranges`, async function () {
          const tls = makeCertificate();
          if (!tls) return this.skip();
          const server = await serve({ login: "digest", algorithm, tls, ...credentials });
          await server.segment({ playlist: "index.m3u8", seconds: 2, singleFile: true });
          const { frames, next, said } = open(server.url("index.m3u8"), {
            ffmpegPath,
            certificate: "any",
            ...credentials,
          });
          assert.equal((await next("ended", "failed", "waiting")).state, "ended");
          assert.equal(frames.length, 20);
          assert.equal(server.camera.wrongLogins, 0);
          assert.ok(server.requests.filter((request) => request === "206 /all.ts").length > 1);
          assert.doesNotMatch(said.join("\n"), SECRET);
        });
      }

      it("plays encrypted segments, and asks for their key with the login", async () => {
        const server = await serve({ login: "digest", ...credentials });
        await server.segment({ playlist: "live/index.m3u8", seconds: 1, encrypted: true });
        const { frames, next } = open(server.url("live/index.m3u8"), { ffmpegPath, ...credentials });
        assert.equal((await next("ended", "failed", "waiting")).state, "ended");
        assert.equal(frames.length, 10);
        assert.ok(server.requests.some((request) => request.endsWith(" /keys/1.key")));
      });

      it("plays a recording again and again", async () => {
        const server = await serve();
        await server.segment({ playlist: "index.m3u8", seconds: 1 });
        const { frame, states } = open(server.url("index.m3u8"), { ffmpegPath, loop: true });
        await frame(({ sequence }) => sequence === 22);
        assert.deepEqual(
          states.map(({ state }) => state),
          ["connecting", "live"],
        );
      });
    });
  }

  it("says that a token is wrong, and repeats it nowhere", async () => {
    const server = await serve({ token: "token=right" });
    const { next, said } = open(`${server.url("index.m3u8")}?key=s3cr3t`);
    const { reason } = await next("waiting", "failed");
    assert.equal(reason?.code, "CAMERA_AUTH_FAILED");
    assert.match(reason.message, /token/);
    assert.doesNotMatch(said.join("\n"), SECRET);
  });

  for (const [what, options, message] of [
    ["a wrong password", { username: USERNAME, password: "wrong" }, /does not accept/],
    ["no password", {}, /asks for a user name and password/],
  ] as const) {
    it(`stops at ${what}, for a minute at least`, async () => {
      const server = await serve({ login: "basic", ...credentials });
      const { next } = open(server.url("index.m3u8"), options);
      const { reason, retryAt = 0 } = await next("waiting", "failed");
      assert.equal(reason?.code, "CAMERA_AUTH_FAILED");
      assert.match(reason.message, message);
      assert.ok(retryAt - Date.now() > 55_000);
    });
  }

  it("says that there is no such playlist, that it is a web page, and that it is something else", async () => {
    const server = await serve();
    writeFileSync(join(server.folder, "page.m3u8"), `<!DOCTYPE html><html>${"x".repeat(100_000)}</html>`);
    writeFileSync(join(server.folder, "large.m3u8"), Buffer.alloc(20_000_000, "x"));
    writeFileSync(join(server.folder, "empty.m3u8"), "");
    for (const [path, message] of [
      ["nowhere.m3u8", /has nothing at/],
      ["page.m3u8", /a web page instead/],
      ["empty.m3u8", /something else instead/],
    ] as const) {
      const { stream, next } = open(server.url(path));
      const { reason } = await next("waiting", "failed");
      assert.equal(reason?.code, "CAMERA_NOT_FOUND", path);
      assert.match(reason.message, message);
      await stream.close();
    }
  });

  it("reads no playlist that is far too long", async () => {
    const server = await serve();
    writeFileSync(join(server.folder, "large.m3u8"), Buffer.alloc(20_000_000, "x"));
    const { reason } = await open(server.url("large.m3u8")).next("waiting", "failed");
    assert.equal(reason?.code, "CAMERA_REFUSED");
    assert.match(reason.message, /more than 4096 KB/);
  });

  it("does not trust a certificate of the server's own by itself", async function () {
    const tls = makeCertificate();
    if (!tls) return this.skip();
    const server = await serve({ tls });
    const { reason } = await open(server.url("index.m3u8")).next("waiting", "failed");
    assert.equal(reason?.code, "CAMERA_CERTIFICATE");
    assert.equal(server.camera.requests, 0);
  });

  it("waits for a live stream that says it is over", async () => {
    const server = await serve();
    writeFileSync(
      join(server.folder, "index.m3u8"),
      "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:9\n#EXTINF:1,\na.ts\n#EXT-X-ENDLIST\n",
    );
    const { reason } = await open(server.url("index.m3u8")).next("waiting", "failed", "ended");
    assert.equal(reason?.code, "STREAM_LOST");
    assert.match(reason.message, /over/);
  });

  for (const [address, code] of [
    ["http://127.0.0.1:1/index.m3u8", "CAMERA_REFUSED"],
    ["http://no-such-host.invalid/index.m3u8?token=s3cr3t", "CAMERA_UNREACHABLE"],
  ] as const) {
    it(`says ${code} of ${address.split("?")[0]}`, async () => {
      const { next, said } = open(address);
      assert.equal((await next("waiting")).reason?.code, code);
      assert.doesNotMatch(said.join("\n"), SECRET);
    });
  }

  it("says that the other side speaks no HTTP", async () => {
    const other = createServer((socket) => socket.on("error", () => {}).end("220 FTP server ready\r\n"));
    await once(other.listen(0, "127.0.0.1"), "listening");
    try {
      const { next } = open(`hls://127.0.0.1:${(other.address() as AddressInfo).port}/x`);
      const { reason } = await next("waiting");
      assert.equal(reason?.code, "CAMERA_REFUSED");
      assert.match(reason.message, /not answer as HTTP/);
    } finally {
      other.close();
    }
  });

  it("comes back when the server does", async () => {
    const server = await serve();
    await server.segment({ playlist: "index.m3u8" });
    const { frame, next, stream } = open(server.url("index.m3u8"), { stallMs: 3_000 });
    await frame();
    await server.pause();
    assert.match((await next("waiting")).reason?.code ?? "", /CAMERA_STALLED|STREAM_LOST/);
    await server.resume();
    assert.equal((await next("live")).reason, undefined);
    assert.equal(stream.health().reconnects, 1);
  });
});

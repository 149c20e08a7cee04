import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Frame } from "../../src/frame/frame.ts";
import { CameraStream, type CameraStreamOptions, type StreamState } from "../../src/stream/camera-stream.ts";
import { ffmpegChildren, ffmpegs } from "../servers/ffmpeg.ts";
import { RtspServer, type RtspServerSettings } from "../servers/rtsp.ts";

const camera = { id: "door", name: "Door", location: "front", site: "shop" };
const USERNAME = "admin";
const PASSWORD = "p@ss:w/o#r%d&+ü";
/** No part of the password, in any spelling, may be seen. */
const SECRET = /p@ss|p%40ss|w\/o#r|w%2fo|d&\+|%26%2b/i;

describe("camera stream over RTSP", function () {
  this.timeout(30_000);
  const streams: CameraStream[] = [];
  const servers: RtspServer[] = [];

  const serve = async (settings: RtspServerSettings = {}) => {
    const server = await RtspServer.start(settings);
    servers.push(server);
    return server;
  };
  const open = (address: string, options: Partial<CameraStreamOptions> = {}) => {
    const said: string[] = [];
    const say = (line: string) => void said.push(line);
    const stream = new CameraStream({
      camera,
      address,
      fps: 5,
      longSide: 640,
      random: () => 0,
      logger: { debug: say, info: say, warn: say },
      ...options,
    });
    streams.push(stream);
    const states: StreamState[] = [];
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
    const frame = async () => ((await once(stream, "frame")) as [Frame])[0];
    return { stream, states, said, next, frame };
  };

  before(function () {
    if (!RtspServer.available || ffmpegs.length === 0) this.skip();
  });
  afterEach(async () => {
    await Promise.all(streams.splice(0).map((stream) => stream.close()));
    await Promise.all(servers.splice(0).map((server) => server.kill()));
    assert.deepEqual(ffmpegChildren() ?? [], [], "no decoder is left over");
  });

  const ways = (["basic", "digest"] as const).flatMap((auth) =>
    (["tcp", "udp"] as const).flatMap((transport) => ffmpegs.map((ffmpegPath) => ({ auth, transport, ffmpegPath }))),
  );
  for (const { auth, transport, ffmpegPath } of ways) {
    it(`logs in with ${auth}, plays over ${transport}, and shows the password nowhere (${ffmpegPath.split("/").at(-1)}, ${ffmpegs.indexOf(ffmpegPath)})`, async () => {
      const server = await serve({ auth, username: USERNAME, password: PASSWORD, transports: transport });
      const { stream, states, said, frame } = open(server.url(), {
        username: USERNAME,
        password: PASSWORD,
        transport,
        ffmpegPath,
      });
      stream.start();
      const first = await frame();
      const second = await frame();
      assert.deepEqual([first.width, first.height, first.sequence, second.sequence], [320, 180, 0, 1]);
      const age = Date.now() - second.timestamp;
      assert.ok(age >= 0 && age < 2_000, `a frame of ${age} ms ago`);
      assert.deepEqual(
        states.map(({ state }) => state),
        ["connecting", "live"],
      );
      for (const { commandLine } of ffmpegChildren() ?? []) {
        assert.doesNotMatch(commandLine, SECRET);
        assert.doesNotMatch(commandLine, /127\.0\.0\.1/);
      }
      await stream.close();
      assert.doesNotMatch(said.join("\n"), SECRET);
    });
  }

  it("finds the transport that the camera speaks, and takes credentials from the address", async () => {
    const server = await serve({ auth: "digest", username: USERNAME, password: PASSWORD, transports: "udp" });
    const { stream, said, frame } = open(server.url("/wide").replace("//", `//${USERNAME}:${PASSWORD}@`));
    stream.start();
    assert.equal((await frame()).width, 640);
    assert.doesNotMatch(said.join("\n"), SECRET);
  });

  for (const [what, options, message] of [
    ["a wrong password", { username: USERNAME, password: `${PASSWORD}!` }, /does not accept/],
    ["no password", {}, /asks for a user name and password/],
  ] as const) {
    it(`stops at ${what}, for a minute at least`, async () => {
      const server = await serve({ auth: "digest", username: USERNAME, password: PASSWORD });
      const { stream, states, said, next } = open(server.url(), options);
      stream.start();
      const { reason, retryAt = 0 } = await next("waiting", "failed", "live");
      assert.equal(reason?.code, "CAMERA_AUTH_FAILED");
      assert.match(reason.message, message);
      assert.ok(retryAt - Date.now() > 55_000);
      await sleep(1_500);
      assert.deepEqual(
        states.map(({ state, attempt }) => `${state} ${attempt}`),
        ["connecting 1", "waiting 1"],
      );
      await stream.close();
      assert.doesNotMatch(said.join("\n"), SECRET);
    });
  }

  it("says that there is no such stream", async () => {
    const server = await serve({ auth: "basic", username: USERNAME, password: PASSWORD });
    const { stream, said, next } = open(server.url("/nowhere"), { username: USERNAME, password: PASSWORD });
    stream.start();
    assert.equal((await next("waiting", "failed")).reason?.code, "CAMERA_NOT_FOUND");
    assert.doesNotMatch(said.join("\n"), SECRET);
  });

  it("says that the other transport is not offered", async () => {
    const server = await serve({ transports: "udp" });
    const { stream, next } = open(server.url(), { transport: "tcp" });
    stream.start();
    const { reason } = await next("waiting", "failed");
    assert.equal(reason?.code, "CAMERA_REFUSED");
    assert.match(reason.message, /transport/);
  });

  it("gives up after as many attempts as it was told", async () => {
    const { stream, states, next } = open("rtsp://127.0.0.1:1/x", { maxAttempts: 2 });
    stream.start();
    const { reason } = await next("failed");
    assert.equal(reason?.code, "CAMERA_REFUSED");
    assert.match(reason.message, /nothing listens at rtsp:\/\/127\.0\.0\.1:1\/x/);
    assert.deepEqual(
      states.map(({ state, attempt }) => `${state} ${attempt}`),
      ["connecting 1", "waiting 1", "connecting 2", "failed 2"],
    );
  });

  it("notices a camera that goes quiet while its session stays up", async () => {
    const server = await serve({ stallAfter: 1 });
    const { stream, frame, next } = open(server.url("/stall"), { stallMs: 1_500 });
    stream.start();
    await frame();
    const { reason } = await next("waiting");
    assert.equal(reason?.code, "CAMERA_STALLED");
    assert.equal((await next("connecting")).reason?.code, "CAMERA_STALLED", "the reason stays while it tries again");
    assert.equal((await next("live")).reason, undefined);
    assert.equal(stream.health().reconnects, 1);
  });

  it("comes back after the camera's restart, with frames that count on", async () => {
    const server = await serve();
    const { stream, states, frame, next } = open(server.url(), { random: () => 1 });
    stream.start();
    const before = await frame();
    const lost = next("waiting");
    await server.kill();
    assert.equal((await lost).reason?.code, "STREAM_LOST");
    assert.equal((await next("waiting")).reason?.code, "CAMERA_REFUSED");
    await serve({ port: server.port });
    const restarted = Date.now();
    const after = await frame();
    assert.ok(Date.now() - restarted < 8_000, `${Date.now() - restarted} ms`);
    assert.ok(after.sequence > before.sequence && after.timestamp > before.timestamp);
    assert.equal(states.at(-1)?.state, "live");
    assert.equal(states.at(-1)?.reason, undefined);
  });

  describe("from something that is no camera", () => {
    let server: Server;
    const listen = async (answer: string) => {
      server = createServer((socket) => socket.on("error", () => {}).once("data", () => socket.end(answer)));
      await once(server.listen(0, "127.0.0.1"), "listening");
      return `rtsp://127.0.0.1:${(server.address() as AddressInfo).port}/x`;
    };
    afterEach(() => server.close());

    for (const [what, answer, message] of [
      ["a web server", "HTTP/1.1 400 Bad Request\r\nContent-Length: 5\r\n\r\nhello", /a web server listens there/],
      ["a port that hangs up", "", /hangs up/],
    ] as const) {
      it(`says so of ${what}`, async () => {
        const { stream, next } = open(await listen(answer));
        stream.start();
        const { reason } = await next("waiting", "failed", "live");
        assert.equal(reason?.code, "CAMERA_REFUSED");
        assert.match(reason.message, message);
      });
    }
  });
});

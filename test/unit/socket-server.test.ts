import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { createServer, request, type Server } from "node:http";
import { type AddressInfo, Socket as NetSocket } from "node:net";
import { promisify } from "node:util";
import { io, type ManagerOptions, type Socket, type SocketOptions } from "socket.io-client";
import type { Caller } from "../../src/api/access/api-access.ts";
import { RefusedRequest } from "../../src/api/access/refused-request.ts";
import { CctvError } from "../../src/errors.ts";
import type { CameraSource, LivePicture } from "../../src/socket/camera-source.ts";
import type { HostApp, RequestHandler } from "../../src/socket/mount.ts";
import { type ClientEvent, SocketServer, type SocketServerOptions } from "../../src/socket/socket-server.ts";

type ClientOptions = Partial<ManagerOptions & SocketOptions>;

/** An application of somebody else, with the parts of Express that a guest touches. */
class Host implements HostApp {
  readonly router = { stack: [] as { handle: RequestHandler; path: string }[] };
  readonly root: string;
  readonly app = this;
  readonly server: Server = createServer((req, res) => {
    const originalUrl = req.url ?? "";
    Object.assign(req, { originalUrl, url: originalUrl.replace(this.root, "/") });
    const layers = this.router.stack.filter(({ path }) => req.url?.startsWith(path));
    const next = (): void => {
      const layer = layers.shift();
      if (layer) layer.handle(req, res, next);
      else res.writeHead(404).end("nothing of ours");
    };
    next();
  });

  /** @param root where the application is mounted; with a slash at the end. */
  constructor(root = "/") {
    this.root = root;
  }

  use(path: string, handle: RequestHandler): void {
    this.router.stack.push({ handle, path });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Everything that a guest could leave behind. */
  listeners(): object {
    const { server } = this;
    const counts = server.eventNames().map((name) => [String(name), server.listenerCount(name)]);
    return { server: Object.fromEntries(counts), layers: this.router.stack.length };
  }
}

/** Cameras whose pictures come when a test says so. */
class Cameras implements CameraSource {
  readonly #pictures = new EventEmitter();
  readonly watched: string[] = [];
  readonly ids: string[];
  listings = 0;
  encodings = 0;

  constructor(ids: string[]) {
    this.ids = ids;
  }

  async list(): Promise<Record<string, object>> {
    this.listings++;
    await new Promise((resolve) => setTimeout(resolve, 20));
    const camera = { name: "Door", source: "rtsp://10.0.0.7/1", connected: true, fps: 5, alerts: 2 };
    return Object.fromEntries(this.ids.map((id) => [id, camera]));
  }

  watch(cameraId: string, listener: (picture: LivePicture) => void): () => void {
    this.watched.push(cameraId);
    this.#pictures.on(cameraId, listener);
    return () => {
      this.watched.splice(this.watched.indexOf(cameraId), 1);
      this.#pictures.off(cameraId, listener);
    };
  }

  onRemoved(listener: (cameraId: string) => void): () => void {
    this.#pictures.on("removed", listener);
    return () => this.#pictures.off("removed", listener);
  }

  remove(cameraId: string): void {
    this.ids.splice(this.ids.indexOf(cameraId), 1);
    this.#pictures.emit("removed", cameraId);
  }

  get listeners(): number {
    return this.#pictures.eventNames().length;
  }

  show(cameraId: string, timestamp: number, jpeg: Buffer): void {
    let encoded: Promise<Buffer> | undefined;
    const encode = async (): Promise<Buffer> => {
      this.encodings++;
      return Buffer.from(jpeg);
    };
    this.#pictures.emit(cameraId, {
      timestamp,
      jpeg: () => {
        encoded ??= encode();
        return encoded;
      },
    });
  }
}

const KEYS: Record<string, Caller["role"]> = { "viewer-key": "viewer", "admin-key": "admin" };

function admit(from: Parameters<SocketServerOptions["admit"]>[0]): Caller {
  const token = typeof from === "string" ? from : (from.authorization ?? "").replace("Bearer ", "");
  const role = KEYS[token];
  if (!role) throw new RefusedRequest("ACCESS_DENIED", 401, "the API key is not known");
  return { id: token, role };
}

describe("SocketServer", () => {
  let host: Host;
  let cameras: Cameras;
  let server: SocketServer;
  let clients: Socket[];
  const lines: string[] = [];
  const logger = { debug() {}, info() {}, warn: (line: string) => void lines.push(line) };

  const listen = async (root?: string): Promise<void> => {
    host = new Host(root);
    host.server.listen(0, "127.0.0.1");
    await once(host.server, "listening");
  };
  beforeEach(async () => {
    await listen();
    cameras = new Cameras(["door", "yard"]);
    clients = [];
    lines.length = 0;
  });
  afterEach(async () => {
    for (const client of clients) client.disconnect();
    await server.close();
    host.server.closeAllConnections();
    host.server.close();
  });

  const open = (options: Partial<SocketServerOptions> = {}): void => {
    server = new SocketServer({ host, cameras, admit, logger, ...options });
  };
  const client = (options: ClientOptions = {}): Socket => {
    const socket = io(host.url, { auth: { token: "viewer-key" }, forceNew: true, ...options });
    clients.push(socket);
    return socket;
  };
  const heard = <T = unknown>(socket: Socket, event: string): Promise<T> =>
    new Promise((resolve) => socket.once(event, resolve));
  const watching = async (options: ClientOptions = {}, camera_id = "door"): Promise<Socket> => {
    const socket = client(options);
    assert.equal((await socket.emitWithAck("watch_camera", { camera_id })).status, "success");
    return socket;
  };
  const until = async (condition: () => unknown): Promise<void> => {
    const deadline = Date.now() + 5000;
    while (!condition()) {
      if (Date.now() > deadline) throw new Error(`not in time: ${condition}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  const refusal = (socket: Socket): Promise<Error & { data?: unknown }> => heard(socket, "connect_error");

  it("greets an unmodified client, which begins with polling and goes on with a WebSocket", async () => {
    open();
    const socket = client();
    assert.equal(socket.io.engine.transport.name, "polling");
    assert.deepEqual(await heard(socket, "message"), { data: "Connected to detection server" });
    await until(() => socket.io.engine.transport.name === "websocket");
    assert.equal(server.clients, 1);
  });

  for (const transports of [["polling"], ["websocket"], ["polling", "websocket"]]) {
    it(`answers and shows live pictures over ${transports.join(", then ")}`, async () => {
      open();
      const socket = await watching({ transports });
      const answer = heard(socket, "cameras");
      socket.emit("get_cameras");
      const camera = { name: "Door", source: "rtsp://10.0.0.7/1", connected: true, fps: 5, alerts: 2 };
      assert.deepEqual(await answer, { door: camera, yard: camera });

      const jpeg = randomBytes(50_000);
      const frame = heard<{ camera_id: string; data: Buffer; timestamp: number }>(socket, "frame");
      cameras.show("door", 1_700_000_000_000, jpeg);
      const { camera_id, data, timestamp } = await frame;
      assert.deepEqual([camera_id, timestamp], ["door", 1_700_000_000_000]);
      assert.ok(jpeg.equals(data));
    });
  }

  it("serves an application that is mounted below a path of its own", async () => {
    host.server.close();
    await listen("/shop/");
    open({ path: "/live/socket.io" });
    const socket = client({ path: "/shop/live/socket.io" });
    await heard(socket, "connect");
    await until(() => socket.io.engine.transport.name === "websocket");
  });

  it("watches a camera while somebody watches it, and only then", async () => {
    open();
    const [first, second] = [await watching(), await watching()];
    assert.deepEqual(cameras.watched, ["door"]);
    await first.emitWithAck("unwatch_camera", { camera_id: "door" });
    assert.deepEqual(cameras.watched, ["door"]);
    second.disconnect();
    await until(() => cameras.watched.length === 0);
    cameras.show("door", 1, Buffer.from("x"));
    assert.equal(cameras.encodings, 0);
  });

  it("does not watch for a client that has thought better of it or has left", async () => {
    open();
    const socket = client();
    await heard(socket, "connect");
    socket.emit("watch_camera", { camera_id: "door" });
    await socket.emitWithAck("unwatch_camera", { camera_id: "door" });
    assert.deepEqual(cameras.watched, []);
    socket.emit("watch_camera", { camera_id: "door" });
    await until(() => cameras.listings === 2);
    socket.disconnect();
    await until(() => server.clients === 0);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(cameras.watched, []);
  });

  it("tells those who watch that their camera was removed, and watches one that takes its place when asked", async () => {
    open();
    const socket = await watching();
    const told = heard<{ code: string }>(socket, "error");
    cameras.remove("door");
    assert.equal((await told).code, "CAMERA_UNKNOWN");
    assert.deepEqual(cameras.watched, []);
    cameras.ids.push("door");
    await socket.emitWithAck("watch_camera", { camera_id: "door" });
    assert.deepEqual(cameras.watched, ["door"]);
  });

  it("encodes a picture once for all who watch, and shows each client only what it watches", async () => {
    open();
    const watchers = [await watching(), await watching()];
    const other = await watching({}, "yard");
    const strange: unknown[] = [];
    other.on("frame", ({ camera_id }) => strange.push(camera_id));
    const frames = watchers.map((socket) => heard(socket, "frame"));
    cameras.show("door", 1, Buffer.from("one"));
    await Promise.all(frames);
    assert.deepEqual([cameras.encodings, strange], [1, []]);
  });

  it("keeps nothing for a client that does not read, and shows it the newest picture when it reads again", async () => {
    open();
    const socket = await watching({ transports: ["websocket"] });
    const timestamps: number[] = [];
    socket.on("frame", ({ timestamp }) => timestamps.push(timestamp));
    const line = (socket.io.engine.transport as unknown as { ws: { _socket: NetSocket } }).ws._socket;
    assert.ok(line instanceof NetSocket);
    line.pause();
    const jpeg = randomBytes(1_000_000);
    const before = process.memoryUsage().arrayBuffers;
    const offered = 300;
    for (let timestamp = 1; timestamp <= offered; timestamp++) {
      cameras.show("door", timestamp, jpeg);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { encodings } = cameras;
    assert.ok(process.memoryUsage().arrayBuffers - before < 20_000_000, "memory grew with the pictures offered");
    line.resume();
    await until(() => timestamps.includes(offered));
    // What the operating system's own buffers hold has left the process; the rest was overtaken.
    assert.ok(encodings < 40, `${encodings} pictures were encoded for a client that did not read`);
    assert.ok(timestamps.length <= encodings + 1);
    assert.deepEqual(
      timestamps,
      [...timestamps].sort((a, b) => a - b),
    );
  });

  it("cuts off a client that does not read its events, and lets it come back", async () => {
    open();
    const socket = client({ transports: ["websocket"], reconnectionDelay: 50 });
    await heard(socket, "connect");
    const line = (socket.io.engine.transport as unknown as { ws: { _socket: NetSocket } }).ws._socket;
    line.pause();
    const snapshot = randomBytes(2_000_000);
    let published = 0;
    while (server.clients > 0 && published < 100) {
      server.publish("alert", snapshot);
      published++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(published < 100);
    assert.match(lines.join(), /does not read/);
    line.resume();
    await until(() => server.clients === 1);
  });

  it("delivers one event that is larger than may wait", async () => {
    open();
    const socket = client();
    await heard(socket, "connect");
    const clip = heard<Buffer>(socket, "clip");
    server.publish("clip", Buffer.alloc(9_000_000));
    assert.equal((await clip).length, 9_000_000);
    assert.equal(server.clients, 1);
  });

  for (const [what, options, message] of [
    ["a wrong token", { auth: { token: "guess" } }, /key is not known/],
    ["a token that is no text", { auth: { token: 7 } }, /takes an API key; connect with \{ auth: \{ token/],
    ["no token", { auth: {} }, /takes an API key/],
    ["a wrong header", { auth: {}, extraHeaders: { authorization: "Bearer guess" } }, /key is not known/],
    ["a page of another origin", { extraHeaders: { origin: "http://evil.example" } }, /origin may not connect/],
    [
      "a page of another origin without polling",
      { extraHeaders: { origin: "http://evil.example" }, transports: ["websocket"] },
      /origin may not connect/,
    ],
  ] as [string, ClientOptions, RegExp][]) {
    it(`refuses ${what}, and says why`, async () => {
      open();
      const error = await refusal(client(options));
      assert.match(error.message, message);
      assert.deepEqual(error.data, { status: "error", code: "ACCESS_DENIED", message: error.message });
      assert.equal(server.clients, 0);
    });
  }

  it("tells no client what went wrong inside", async () => {
    open({
      admit: () => {
        throw new Error("ENOENT /secret/keys.json");
      },
    });
    const { message } = await refusal(client());
    assert.match(message, /could not be checked/);
    assert.doesNotMatch(message, /secret/);
    assert.match(lines.join(), /ENOENT/);
  });

  it("takes a key out of a header, and tells what role it has with every event", async () => {
    open();
    const events: ClientEvent[] = [];
    server.on("event", (event) => events.push(event));
    const socket = client({ auth: {}, extraHeaders: { authorization: "Bearer admin-key" } });
    await heard(socket, "connect");
    socket.emit("acknowledge", { alert: 7 });
    socket.emit("several", 1, Buffer.from("two"), () => undefined);
    socket.emit("nothing");
    await until(() => events.length === 3);
    const from = { socketId: socket.id, role: "admin" };
    assert.deepEqual(events, [
      { topic: "acknowledge", payload: { alert: 7 }, ...from },
      { topic: "several", payload: [1, Buffer.from("two")], ...from },
      { topic: "nothing", payload: undefined, ...from },
    ]);
  });

  it("turns clients away until it is ready, and they come by themselves", async () => {
    let isReady = false;
    open({ isReady: () => isReady });
    const socket = client({ reconnectionDelay: 50 });
    await new Promise((resolve) => socket.io.once("error", resolve));
    isReady = true;
    await heard(socket, "connect");
  });

  it("lets pages of listed origins read, by the rules of CORS, and no others", async () => {
    open({ origins: ["https://app.example"] });
    const ask = async (origin: string, method = "GET") => {
      const headers = { origin, "access-control-request-method": "POST" };
      const reply = await fetch(`${host.url}/socket.io/?EIO=4&transport=polling`, { method, headers });
      await reply.text();
      return reply.headers.get("access-control-allow-origin");
    };
    assert.equal(await ask("https://app.example"), "https://app.example");
    assert.equal(await ask("https://app.example", "OPTIONS"), "https://app.example");
    assert.equal(await ask("https://evil.example"), null);
    const socket = client({ extraHeaders: { origin: "https://app.example" } });
    await heard(socket, "connect");
  });

  for (const [what, request, code] of [
    ["an unknown camera", { camera_id: "attic" }, "CAMERA_UNKNOWN"],
    ["a name that every object has", { camera_id: "constructor" }, "CAMERA_UNKNOWN"],
    ["no camera", undefined, "REQUEST_INVALID"],
    ["null", null, "REQUEST_INVALID"],
    ["a number", { camera_id: 7 }, "REQUEST_INVALID"],
    ["a name without end", { camera_id: "x".repeat(201) }, "REQUEST_INVALID"],
  ] as const) {
    it(`answers a wish to watch ${what} with an error`, async () => {
      open();
      const socket = client();
      const told = heard(socket, "error");
      const answer = await socket.emitWithAck("watch_camera", request);
      assert.deepEqual([answer.status, answer.code], ["error", code]);
      assert.deepEqual(await told, answer);
      assert.deepEqual(cameras.watched, []);
    });
  }

  it("answers with an error where the cameras cannot be read, and goes on", async () => {
    let isBroken = true;
    const list = async () => {
      if (isBroken) throw new Error("database is locked");
      return {};
    };
    open({ cameras: { list, watch: () => assert.fail("nothing to watch"), onRemoved: () => () => undefined } });
    const socket = client();
    const answer = await socket.emitWithAck("get_cameras");
    assert.deepEqual([answer.status, answer.code], ["error", "STORE_FAILED"]);
    assert.doesNotMatch(answer.message, /locked/);
    isBroken = false;
    assert.deepEqual(await socket.emitWithAck("get_cameras"), { status: "success", cameras: {} });
  });

  it("leaves nobody in a room of a camera that cannot be watched", async () => {
    let attempts = 0;
    open({
      cameras: {
        list: () => cameras.list(),
        watch: () => {
          attempts++;
          throw new CctvError("CAMERA_UNKNOWN", "it has just been removed");
        },
        onRemoved: () => () => undefined,
      },
    });
    const socket = client();
    for (let time = 1; time <= 2; time++) {
      const answer = await socket.emitWithAck("watch_camera", { camera_id: "door" });
      assert.deepEqual([answer.code, attempts], ["CAMERA_UNKNOWN", time]);
    }
  });

  it("lets no client send events without end, nor end the process with one", async () => {
    open();
    let events = 0;
    server.on("event", () => events++);
    const socket = client();
    await heard(socket, "connect");
    socket.emit("error", "boo");
    const refused = heard<{ code: string }>(socket, "error");
    for (let count = 0; count < 400; count++) socket.emit("flood", count);
    assert.equal((await refused).code, "RATE_LIMITED");
    assert.ok(events >= 199 && events < 300, String(events));
    assert.equal(server.clients, 1);
  });

  it("sends an event to all, to one, or to those who watch a camera", async () => {
    open();
    const [watcher, other] = [await watching(), client()];
    await heard(other, "connect");
    const inbox: string[] = [];
    watcher.onAny((event) => inbox.push(`watcher ${event}`));
    other.onAny((event) => inbox.push(`other ${event}`));
    const everybody = [watcher, other].map((socket) => heard(socket, "last"));
    server.publish("alert", { camera_id: "door", confidence: 0.9 });
    server.publish("close-up", undefined, { cameraId: "door" });
    server.publish("answer", "yes", { socketId: other.id ?? "" });
    server.publish("answer", "yes", { socketId: "long-gone" });
    server.publish("last");
    await Promise.all(everybody);
    assert.deepEqual(inbox.filter((line) => !/message/.test(line)).sort(), [
      "other alert",
      "other answer",
      "other last",
      "watcher alert",
      "watcher close-up",
      "watcher last",
    ]);
  });

  it("refuses to send what cannot be sent", () => {
    open();
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    for (const send of [
      () => server.publish("connect", {}),
      () => server.publish("alert", circle),
      () => server.publish("alert", 1n),
    ]) {
      assert.throws(send, { code: "MESSAGE_INVALID" });
    }
  });

  it("leaves the rest of the host alone, and all of it once it is closed", async () => {
    host.server.on("upgrade", (req, socket) => {
      if (req.url === "/comms")
        socket.end("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n");
    });
    const before = host.listeners();
    open();
    const get = async (path: string) => (await fetch(host.url + path)).text();
    assert.match(await get("/socket.io/?EIO=4&transport=polling"), /"sid"/);
    for (const path of ["/", "/socket.iox/", "/socket.io/socket.io.js", "/SOCKET.IO/"]) {
      assert.equal(await get(path), "nothing of ours");
    }
    const upgrade = request(`${host.url}/comms`, { headers: { connection: "upgrade", upgrade: "x" } }).end();
    assert.equal(((await once(upgrade, "upgrade")) as [{ statusCode: number }])[0].statusCode, 101);
    await server.close();
    assert.deepEqual(host.listeners(), before);
    assert.equal(await get("/socket.io/?EIO=4&transport=polling"), "nothing of ours");
  });

  it("leaves no listener after twenty rounds with clients, who come back each time", async () => {
    const before = host.listeners();
    const processBefore = process.eventNames().map((name) => process.listenerCount(name));
    open();
    const socket = client({ reconnectionDelay: 20, reconnectionDelayMax: 20 });
    for (let round = 0; round < 20; round++) {
      if (!socket.connected) await heard(socket, "connect");
      await socket.emitWithAck("watch_camera", { camera_id: "door" });
      assert.deepEqual(cameras.watched, ["door"]);
      const lost = heard(socket, "disconnect");
      await server.close();
      await lost;
      assert.deepEqual([host.listeners(), cameras.watched, cameras.listeners], [before, [], 0]);
      open();
    }
    await server.close();
    assert.deepEqual(
      process.eventNames().map((name) => process.listenerCount(name)),
      processBefore,
    );
  });

  it("closes within a moment, whether its clients read or not, and twice as well as once", async () => {
    open();
    const socket = await watching({ transports: ["websocket"], reconnection: false });
    (socket.io.engine.transport as unknown as { ws: { _socket: NetSocket } }).ws._socket.pause();
    const begun = Date.now();
    await Promise.all([server.close(), server.close()]);
    assert.ok(Date.now() - begun < 1000);
    const connections = promisify(host.server.getConnections.bind(host.server));
    while ((await connections()) > 0) assert.ok(Date.now() - begun < 2000, "a connection was left behind");
  });

  it("serves Debian's python3-socketio with its default options", async function () {
    this.timeout(20_000);
    const python = promisify(execFile);
    try {
      await python("/usr/bin/python3", ["-c", "import socketio, requests"]);
    } catch {
      this.skip();
    }
    open();
    const script = `
import socketio, sys
client = socketio.Client()
def say(*words):
    sys.stdout.write(" ".join(str(word) for word in words) + "\\n")
    sys.stdout.flush()
@client.on("message")
def message(data):
    say("message", data["data"])
    client.emit("get_cameras")
@client.on("cameras")
def cameras(data):
    say("cameras", sorted(data), data["door"]["name"])
    client.emit("watch_camera", {"camera_id": "door"})
@client.on("frame")
def frame(data):
    say("frame", data["camera_id"], type(data["data"]).__name__, len(data["data"]))
    client.emit("seen")
@client.on("alert")
def alert(data):
    say("alert", data["type"])
    client.disconnect()
@client.on("connect_error")
def refused(data):
    say("refused", data["message"])
client.connect(sys.argv[1], auth={"token": "viewer-key"})
client.wait()
try:
    client.connect(sys.argv[1], auth={"token": "guess"})
except socketio.exceptions.ConnectionError:
    pass
`;
    const seen = new Promise<void>((resolve) => {
      server.on("event", ({ topic }) => topic === "seen" && resolve());
    });
    const run = python("/usr/bin/python3", ["-c", script, host.url], { timeout: 15_000 });
    await until(() => cameras.watched.length === 1);
    cameras.show("door", 1, Buffer.alloc(3000));
    await seen;
    server.publish("alert", { camera_id: "door", type: "suspicious" });
    const { stdout } = await run;
    assert.deepEqual(stdout.trim().split("\n"), [
      "message Connected to detection server",
      "cameras ['door', 'yard'] Door",
      "frame door bytes 3000",
      "alert suspicious",
      "refused the API key is not known",
    ]);
  });
});

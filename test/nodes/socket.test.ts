import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Node, NodeMessage, NodeStatus } from "node-red";
import helper from "node-red-node-test-helper";
import sharp from "sharp";
import { io, type ManagerOptions, type Socket, type SocketOptions } from "socket.io-client";
import cameraRegistry, { type CameraRegistryNode } from "../../nodes/camera-registry.ts";
import socketIn from "../../nodes/socket-in.ts";
import socketOut from "../../nodes/socket-out.ts";
import socketServer, { type SocketServerNode } from "../../nodes/socket-server.ts";
import type { Role } from "../../src/api/access/roles.ts";
import { HttpCamera, mjpeg } from "../servers/http-camera.ts";

const require = createRequire(import.meta.url);
helper.init(require.resolve("node-red", { paths: [process.env.NODE_RED_DIR ?? "."] }));
const catchNode = require(
  require.resolve("@node-red/nodes/core/common/25-catch.js", {
    paths: [require.resolve("node-red", { paths: [process.env.NODE_RED_DIR ?? "."] })],
  }),
);

describe("socket nodes", () => {
  const clients: Socket[] = [];
  let camera: HttpCamera;
  let folder: string;
  let key: string;

  before(async () => {
    const jpeg = await sharp({ create: { width: 64, height: 36, channels: 3, background: "blue" } })
      .jpeg()
      .toBuffer();
    camera = await HttpCamera.start({ login: "digest", username: "u", password: "sEcret", answer: mjpeg(jpeg) });
    folder = mkdtempSync(join(tmpdir(), "aislewatch-socket-"));
  });
  after(async () => {
    await camera.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach((done) => void helper.startServer(done));
  afterEach(async () => {
    for (const client of clients.splice(0)) client.disconnect();
    await helper.unload();
    await new Promise<void>((resolve) => void helper.stopServer(resolve));
  });

  let deploys = 0;
  const deploy = async (server = {}, incoming = {}, outgoing = {}, others: object[] = []): Promise<void> => {
    const nodes = [
      { id: "in", type: "socket-in", server: "server", events: "", ...incoming, wires: [["events"]] },
      { id: "out", type: "socket-out", server: "server", event: "", ...outgoing, wires: [] },
      { id: "events", type: "helper" },
      { id: "catch", type: "catch", scope: null, wires: [["errors"]] },
      { id: "errors", type: "helper" },
    ].map((node) => ({ x: 0, y: 0, z: "tab", ...node }));
    const flow = [
      { id: "tab", type: "tab", label: "test" },
      {
        id: "registry",
        type: "camera-registry",
        allowedAddresses: "127.0.0.1",
        path: join(folder, `${++deploys}.sqlite`),
      },
      { id: "server", type: "socket-server", registry: "registry", path: "/socket.io", ...server },
      ...others,
      ...nodes,
    ];
    const types = [cameraRegistry, socketServer, socketIn, socketOut, catchNode];
    await helper.load(types, flow as unknown as Parameters<typeof helper.load>[1]);
    const { fleet } = registry();
    await fleet?.add({ id: "door", name: "Door", address: camera.url("/video"), username: "u", password: "sEcret" });
    key = await newKey("operator");
  };
  const registry = (): CameraRegistryNode => helper.getNode("registry") as unknown as CameraRegistryNode;
  const newKey = async (role: Role): Promise<string> => {
    await until(() => registry().access);
    return (await registry().access?.create("test", role))?.key ?? "";
  };
  /** Node-RED's test helper serves no HTTP nodes, so these clients leave out polling. */
  const client = (options: Partial<ManagerOptions & SocketOptions> = {}): Socket => {
    const socket = io(helper.url(), { transports: ["websocket"], auth: { token: key }, forceNew: true, ...options });
    clients.push(socket);
    return socket;
  };
  const heard = <T = unknown>(socket: Socket, event: string): Promise<T> =>
    new Promise((resolve) => socket.once(event, resolve));
  const inbox = (id: string): NodeMessage[] => {
    const messages: NodeMessage[] = [];
    helper.getNode(id).on("input", (msg: NodeMessage) => messages.push(msg));
    return messages;
  };
  const until = async (condition: () => unknown): Promise<void> => {
    const deadline = Date.now() + 5000;
    while (!condition()) {
      if (Date.now() > deadline) throw new Error(`not in time: ${condition}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  const send = (msg: object): void => helper.getNode("out").receive(msg as NodeMessage);
  const shown = (id: string): NodeStatus[] => {
    const { status } = helper.getNode(id) as unknown as { status: { thisValues: Node[]; args: [NodeStatus][] } };
    return status.args.flatMap(([one], call) => (status.thisValues[call]?.id === id ? [one] : []));
  };

  it("shows the cameras of the registry, live, to clients with a key", async () => {
    await deploy();
    const socket = client();
    const cameras = heard<Record<string, { name: string; source: string; connected: boolean }>>(socket, "cameras");
    socket.emit("get_cameras");
    const { door } = await cameras;
    assert.deepEqual([door?.name, door?.source, door?.connected], ["Door", camera.url("/video"), false]);

    const frame = heard<{ camera_id: string; data: Buffer; timestamp: number }>(socket, "frame");
    await socket.emitWithAck("watch_camera", { camera_id: "door" });
    const { camera_id, data, timestamp } = await frame;
    assert.deepEqual([camera_id, (await sharp(data).metadata()).format], ["door", "jpeg"]);
    assert.ok(Math.abs(Date.now() - timestamp) < 5000);
    assert.doesNotMatch(JSON.stringify(await socket.emitWithAck("get_cameras")), /sEcret/);

    const removed = heard<{ code: string }>(socket, "error");
    await registry().fleet?.remove("door");
    assert.equal((await removed).code, "CAMERA_UNKNOWN");
  });

  it("refuses a wrong key with a reason", async () => {
    await deploy();
    const error = await heard<Error & { data: { code: string } }>(
      client({ auth: { token: "guess" } }),
      "connect_error",
    );
    assert.match(error.message, /key is not known/);
    assert.equal(error.data.code, "ACCESS_DENIED");
  });

  it("passes on what clients send, and answers one client, those who watch, or all", async () => {
    await deploy();
    const [asking, watching] = [client(), client()];
    const events = inbox("events") as unknown as { topic: string; payload: unknown; socketId: string; role: string }[];
    await watching.emitWithAck("watch_camera", { camera_id: "door" });
    asking.emit("acknowledge", { alert: 7 });
    await until(() => events.length > 0);
    const [{ topic, payload, socketId, role } = assert.fail()] = events;
    assert.deepEqual([topic, payload, socketId, role], ["acknowledge", { alert: 7 }, asking.id, "operator"]);

    const got: string[] = [];
    asking.onAny((event) => got.push(`asking ${event}`));
    watching.onAny((event) => got.push(`watching ${event}`));
    send({ topic: "thanks", payload: "noted", socketId });
    send({ topic: "close-up", payload: Buffer.from("jpeg"), room: "door" });
    send({ topic: "alert", payload: { camera_id: "door", confidence: 0.9, timestamp: 1, type: "suspicious" } });
    await until(() => got.length === 4);
    assert.deepEqual(got.sort(), ["asking alert", "asking thanks", "watching alert", "watching close-up"]);
    await until(() => shown("in").at(-1)?.text === "socket-in.status.clients" && shown("out").at(-1)?.fill === "green");
  });

  it("passes on only the events that are named, also those that the server answers", async () => {
    await deploy({}, { events: "watch_camera, call-staff" });
    const socket = client();
    const events = inbox("events") as unknown as { topic: string }[];
    socket.emit("acknowledge");
    socket.emit("watch_camera", { camera_id: "door" });
    socket.emit("call-staff");
    await until(() => events.length === 2);
    assert.deepEqual(
      events.map(({ topic }) => topic),
      ["watch_camera", "call-staff"],
    );
  });

  it("sends the event that the dialog names", async () => {
    await deploy({}, {}, { event: "discovery-progress" });
    const socket = client();
    await heard(socket, "connect");
    const progress = heard(socket, "discovery-progress");
    send({ topic: "something else", payload: { progress: 0.5 } });
    assert.deepEqual(await progress, { progress: 0.5 });
  });

  for (const [what, msg] of [
    ["no name", { payload: 1 }],
    ["a name that is no text", { topic: 7 }],
    ["a name that Socket.IO keeps for itself", { topic: "disconnect" }],
    ["a client that is no text", { topic: "answer", socketId: null }],
    ["a room that is empty", { topic: "answer", room: "" }],
    ["a payload that cannot be sent", { topic: "answer", payload: 1n }],
  ] as const) {
    it(`tells Catch about an event with ${what}`, async () => {
      await deploy();
      const errors = inbox("errors") as unknown as { error: { code: string } }[];
      send(msg);
      await until(() => errors.length > 0);
      assert.deepEqual(
        errors.map(({ error }) => error.code),
        ["MESSAGE_INVALID"],
      );
    });
  }

  for (const [what, settings] of [
    ["no registry", { registry: "" }],
    ["a registry that is none", { registry: "in" }],
    ["a path with a query", { path: "/socket.io?x" }],
    ["a path that leads elsewhere", { path: "/../admin" }],
  ] as const) {
    it(`runs no server with ${what}, and says so`, async () => {
      await deploy(settings);
      const errors = inbox("errors") as unknown as { error: { code: string } }[];
      assert.equal(shown("in").at(-1)?.fill, "red");
      send({ topic: "alert" });
      await until(() => errors.length > 0);
      assert.equal(errors[0]?.error.code, "SETTING_INVALID");
      await until(() => /SETTING_INVALID/.test(JSON.stringify(helper.log().args)));
    });
  }

  for (const [path, isFine] of [
    ["/socket.io/", false],
    ["/more/socket.io", true],
  ] as const) {
    it(`${isFine ? "runs" : "refuses"} a second server at ${path}`, async () => {
      await deploy({}, {}, {}, [{ id: "second", type: "socket-server", registry: "registry", path }]);
      const { sockets } = helper.getNode("second") as unknown as SocketServerNode;
      assert.equal(sockets !== undefined, isFine);
      await heard(client(), "connect");
      if (isFine) await heard(client({ path }), "connect");
    });
  }
});

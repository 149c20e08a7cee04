import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { io, type ManagerOptions, type Socket, type SocketOptions } from "socket.io-client";
import { HttpCamera, mjpeg } from "../servers/http-camera.ts";
import { type FlowNode, NodeRed, packageName, root } from "./node-red.ts";

/** The WebSocket that Node-RED's own editor connection is made with; Node 20 has none. */
const EditorSocket = createRequire(import.meta.url)("ws") as typeof import("ws").WebSocket;

/**
 * A package of somebody else: a Socket.IO server on Node-RED's own, attached as the dashboards do it, and a look
 * at what others leave behind.
 */
const NEIGHBOUR = `
const { Server } = require(${JSON.stringify(join(root, "node_modules", "socket.io"))});
module.exports = (RED) => {
  const sockets = new Server(RED.server, { path: "/neighbour/socket.io", serveClient: false });
  sockets.on("connection", (socket) => socket.on("ask", (answer) => answer("fine")));
  const counts = (emitter) => Object.fromEntries(emitter.eventNames().map((name) => [String(name), emitter.listenerCount(name)]));
  RED.httpAdmin.get("/neighbour/listeners", (req, res) => {
    const router = RED.httpNode._router ?? RED.httpNode.router;
    const { connection, ...server } = counts(RED.server);
    res.json({ server, process: counts(process), events: counts(RED.events), layers: router.stack.length });
  });
  RED.httpAdmin.post("/neighbour/camera", (req, res, next) => {
    RED.nodes.getNode("registry").fleet.add(req.body).then((camera) => res.json(camera), next);
  });
};
`;

function userDir(): string {
  const dir = mkdtempSync(join(tmpdir(), "aislewatch-e2e-"));
  const link = join(dir, "node_modules", packageName);
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(root, link, "dir");
  const other = join(dir, "node_modules", "node-red-contrib-neighbour");
  mkdirSync(other);
  const about = { name: "node-red-contrib-neighbour", version: "1.0.0", keywords: ["node-red"] };
  const plugins = { neighbour: "plugin.js" };
  writeFileSync(join(other, "package.json"), JSON.stringify({ ...about, "node-red": { plugins } }));
  writeFileSync(join(other, "plugin.js"), NEIGHBOUR);
  const dependencies = { [packageName]: "*", "node-red-contrib-neighbour": "*" };
  writeFileSync(join(dir, "package.json"), JSON.stringify({ dependencies }));
  return dir;
}

/** Whatever a client sends as `echo` comes back to it as `alert`. */
const flow = (round: number): FlowNode[] => [
  { id: "tab", type: "tab", label: `round ${round}` },
  { id: "registry", type: "camera-registry", name: "", allowedAddresses: "127.0.0.1" },
  { id: "server", type: "socket-server", registry: "registry", path: "/socket.io" },
  { id: "in", type: "socket-in", z: "tab", x: 1, y: 1, server: "server", events: "echo", wires: [["out"]] },
  { id: "out", type: "socket-out", z: "tab", x: 1, y: 1, server: "server", event: "alert", wires: [] },
];

describe("sockets on Node-RED's own port", function () {
  this.timeout(90_000);
  let camera: HttpCamera;
  let nodeRed: NodeRed;
  let key: string;
  const clients: Socket[] = [];

  const client = (options: Partial<ManagerOptions & SocketOptions> = {}): Socket => {
    const socket = io(nodeRed.url, { auth: { token: key }, forceNew: true, ...options });
    clients.push(socket);
    return socket;
  };
  const heard = <T = unknown>(socket: Socket, event: string): Promise<T> =>
    new Promise((resolve) => socket.once(event, resolve));

  before(async () => {
    const jpeg = await sharp({ create: { width: 64, height: 36, channels: 3, background: "blue" } })
      .jpeg()
      .toBuffer();
    camera = await HttpCamera.start({ login: "digest", username: "u", password: "sEcret", answer: mjpeg(jpeg) });
    nodeRed = await NodeRed.start({ flow: flow(0), userDir: userDir() });
    [, key = ""] = await nodeRed.logged(/API key, with the role admin, is (\S+)/, 10_000);
    const reply = await fetch(`${nodeRed.url}/neighbour/camera`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        id: "door",
        name: "Door",
        address: camera.url("/video"),
        username: "u",
        password: "sEcret",
      }),
    });
    assert.equal(reply.status, 200, await reply.text());
  });
  afterEach(() => {
    for (const one of clients.splice(0)) one.disconnect();
  });
  after(async () => {
    await nodeRed?.stop();
    await camera?.stop();
  });

  it("gives an unmodified client what the specification promises", async () => {
    const socket = client();
    assert.equal(socket.io.engine.transport.name, "polling");
    assert.deepEqual(await heard(socket, "message"), { data: "Connected to detection server" });
    const cameras = heard<Record<string, Record<string, unknown>>>(socket, "cameras");
    socket.emit("get_cameras");
    const { door } = await cameras;
    assert.deepEqual([door?.name, door?.source, door?.alerts], ["Door", camera.url("/video"), 0]);
    const frame = heard<{ camera_id: string; data: Buffer; timestamp: number }>(socket, "frame");
    socket.emit("watch_camera", { camera_id: "door" });
    const { camera_id, data, timestamp } = await frame;
    const { format, width, height } = await sharp(data).metadata();
    assert.deepEqual([camera_id, format, width, height, typeof timestamp], ["door", "jpeg", 64, 36, "number"]);
    const alert = heard(socket, "alert");
    socket.emit("echo", { camera_id: "door", confidence: 0.9, type: "suspicious", bytes: Buffer.from("x") });
    assert.deepEqual(await alert, { camera_id: "door", confidence: 0.9, type: "suspicious", bytes: Buffer.from("x") });
    assert.equal(socket.io.engine.transport.name, "websocket");
  });

  for (const transports of [["polling"], ["websocket"]]) {
    it(`refuses a wrong key over ${transports}, with a reason`, async () => {
      const error = await heard<Error & { data: { code: string } }>(
        client({ auth: { token: "guess" }, transports }),
        "connect_error",
      );
      assert.match(error.message, /API key is not known/);
      assert.equal(error.data.code, "ACCESS_DENIED");
    });
  }

  it("leaves no listener in twenty deploys, and disturbs neither the editor nor other sockets", async () => {
    const editor = new EditorSocket(`${nodeRed.url.replace("http", "ws")}/comms`);
    await once(editor, "open");
    const neighbour = client({ path: "/neighbour/socket.io" });
    assert.equal(await neighbour.emitWithAck("ask"), "fine");
    const disturbed: string[] = [];
    editor.on("close", () => disturbed.push("editor"));
    neighbour.on("disconnect", () => disturbed.push("neighbour"));
    const deployments: string[] = [];
    editor.on("message", (data) => {
      if (/notification\/runtime-deploy/.test(String(data))) deployments.push(String(data));
    });
    editor.send(JSON.stringify({ subscribe: "notification/#" }));

    const socket = client({ reconnectionDelay: 50, reconnectionDelayMax: 50 });
    await heard(socket, "connect");
    const deploy = async (round: number): Promise<void> => {
      const isBack = heard(socket, "connect");
      await nodeRed.deploy(flow(round));
      await isBack;
      const alert = heard(socket, "alert");
      socket.emit("echo", round);
      assert.equal(await alert, round);
    };
    await deploy(1);
    const before = await nodeRed.json("/neighbour/listeners");
    for (let round = 2; round <= 21; round++) await deploy(round);
    assert.deepEqual(await nodeRed.json("/neighbour/listeners"), before);
    assert.equal(await neighbour.emitWithAck("ask"), "fine");
    assert.deepEqual(disturbed, []);
    assert.ok(deployments.length >= 20, `the editor heard of ${deployments.length} deploys`);
    editor.close();
  });

  it("logs neither a key of a client nor a password", () => {
    assert.doesNotMatch(nodeRed.log, /guess|sEcret/);
    assert.equal(nodeRed.log.split(key).length, 2);
  });
});

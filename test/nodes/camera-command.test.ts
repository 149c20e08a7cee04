import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NodeMessage } from "node-red";
import helper from "node-red-node-test-helper";
import cameraCommand from "../../nodes/camera-command.ts";
import cameraRegistry, { type CameraRegistryNode } from "../../nodes/camera-registry.ts";
import { commands } from "../../src/api/commands.ts";
import { ApiFixture, assertNoPassword, picture } from "../servers/api-fixture.ts";
import { HttpCamera, mjpeg } from "../servers/http-camera.ts";

const require = createRequire(import.meta.url);
const nodeRed = require.resolve("node-red", { paths: [process.env.NODE_RED_DIR ?? "."] });
helper.init(nodeRed);
const coreNode = (name: string) =>
  require(require.resolve(`@node-red/nodes/core/common/${name}`, { paths: [nodeRed] })) as typeof cameraCommand;

const { password } = ApiFixture;
const username = "admin";

interface AnswerMessage extends NodeMessage {
  readonly payload: Record<string, unknown>;
  readonly statusCode: number;
  readonly headers: Record<string, string>;
}

describe("camera-command", () => {
  let folder: string;
  let camera: HttpCamera;
  let server: Server;
  let key: string;

  before(async () => {
    camera = await HttpCamera.start({ login: "digest", username, password, answer: mjpeg(await picture(640, 360)) });
  });
  after(() => camera.stop());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "cctv-command-"));
    // Puts a request into the flow as `http in` does.
    server = createServer((req, res) => {
      const [, id] = /^\/api\/cameras\/([^/]+)/.exec(req.url ?? "") ?? [];
      const request = { method: req.method, headers: req.headers, params: id === undefined ? {} : { camera_id: id } };
      helper.getNode("command").receive({ req: request, res: { _res: res }, command: "stream" } as NodeMessage);
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await helper.unload();
    await rm(folder, { recursive: true, force: true });
  });

  const until = async <T>(condition: () => T | undefined | false): Promise<T> => {
    const deadline = Date.now() + 8000;
    for (;;) {
      const value = condition();
      if (value) return value;
      if (Date.now() > deadline) throw new Error(`not in time: ${condition}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const inbox = <Message = AnswerMessage>(id: string): Message[] => {
    const messages: Message[] = [];
    helper.getNode(id).on("input", (msg: NodeMessage) => messages.push(msg as Message));
    return messages;
  };
  const registry = () => helper.getNode("registry") as unknown as CameraRegistryNode;

  const deploy = async (command: object = {}, settings: object = {}): Promise<void> => {
    const placed = [
      { id: "command", type: "camera-command", registry: "registry", ...command, wires: [["answers"], ["progress"]] },
      { id: "catch", type: "catch", scope: null, wires: [["errors"]] },
      { id: "complete", type: "complete", scope: ["command"], wires: [["completed"]] },
      ...["answers", "progress", "errors", "completed"].map((id) => ({ id, type: "helper" })),
    ].map((node) => ({ x: 0, y: 0, z: "tab", ...node }));
    const path = join(folder, "cameras.sqlite");
    const flow = [
      { id: "tab", type: "tab", label: "test" },
      { id: "registry", type: "camera-registry", path, allowedAddresses: "127.0.0.1", ...settings },
      ...placed,
    ];
    const nodes = [cameraRegistry, cameraCommand, coreNode("25-catch.js"), coreNode("24-complete.js")];
    await helper.load(nodes, flow as unknown as Parameters<typeof helper.load>[1]);
    const access = await until(() => registry().access);
    key = (await access.create("test", "admin")).key;
  };
  /** Sends a message and waits for its answer. */
  const ask = async (msg: object): Promise<AnswerMessage> => {
    const answers = inbox("answers");
    helper.getNode("command").receive(msg as NodeMessage);
    return until(() => answers[0]);
  };
  const http = (headers: object = {}) => ({
    req: { method: "POST", headers: { "content-type": "application/json", ...headers }, params: {} },
  });
  const registerDoor = () =>
    ask({
      command: "register",
      payload: { camera_id: "door", url: camera.url("/video.mjpg"), username, password, force: true },
    });

  it("answers for the flow itself without a key, and keeps the message", async () => {
    await deploy();
    const registered = await registerDoor();
    assert.equal(registered.statusCode, 200, JSON.stringify(registered.payload));
    const listed = await ask({ command: "list", topic: "mine" });
    assert.deepEqual([listed.topic, listed.statusCode, listed.payload.total], ["mine", 200, 1]);
    assertNoPassword(JSON.stringify([registered, listed]));
  });

  it("asks for a key by HTTP, and reads the camera from the path", async () => {
    await deploy({ command: "status" });
    const without = await ask({ ...http(), payload: {} });
    assert.deepEqual([without.statusCode, without.payload.code], [401, "ACCESS_DENIED"]);
    const request = { method: "GET", headers: { authorization: `Bearer ${key}` } };
    for (const params of [{ camera_id: "door" }, { id: "door" }]) {
      const unknown = await ask({ req: { ...request, params }, payload: { camera_id: "other" } });
      assert.deepEqual([unknown.statusCode, unknown.payload.code], [404, "CAMERA_UNKNOWN"]);
      assert.match(String(unknown.payload.message), /"door"/);
    }
  });

  it("opens to everybody where the registry says so", async () => {
    await deploy({ command: "list" }, { access: "anyone" });
    assert.equal((await ask({ ...http(), payload: {} })).statusCode, 200);
  });

  it("does the command of its dialog whatever the message says", async () => {
    await deploy({ command: "health" });
    const { payload } = await ask({ command: "list", ...http() });
    assert.deepEqual(Object.keys(payload), ["status", "uptime_seconds"]);
  });

  it("answers what is wrong with a request, and troubles no Catch node with it", async () => {
    await deploy();
    const errors = inbox("errors");
    const completed = inbox("completed");
    const headers = { "x-api-key": key };
    for (const [msg, status] of [
      [{ command: "nothing" }, 400],
      [{}, 400],
      [{ command: "start", ...http(headers), payload: Buffer.from("{") }, 400],
      [{ command: "register", ...http(headers), payload: { camera_id: "x", url: "file:///etc/passwd" } }, 422],
      [{ command: "remove", ...http(headers), payload: { camera_id: "x" } }, 404],
    ] as const) {
      assert.equal((await ask(msg)).statusCode, status, JSON.stringify(msg));
    }
    await until(() => completed.length === 5);
    assert.deepEqual(errors, []);
  });

  it("reports to Catch what a camera does not do, once", async () => {
    await deploy();
    const url = "http://127.0.0.1:1/x.jpg";
    await ask({ command: "register", payload: { camera_id: "yard", url, force: true } });
    const errors = inbox<{ error: { message: string } }>("errors");
    for (let count = 0; count < 2; count++) {
      const answer = await ask({ command: "snapshot", payload: { camera_id: "yard" } });
      assert.deepEqual([answer.statusCode, answer.payload.code], [502, "CAMERA_REFUSED"]);
    }
    await until(() => errors.length === 1);
  });

  it("says that it has no registry", async () => {
    await deploy({ registry: "" });
    const errors = inbox<{ error: object }>("errors");
    const answer = await ask({ command: "list" });
    assert.deepEqual([answer.statusCode, answer.payload.code], [503, "SETTING_INVALID"]);
    await until(() => errors.length === 1);
  });

  it("gives a snapshot as a JPEG, for an http response", async () => {
    await deploy();
    await registerDoor();
    const { payload, headers, statusCode } = await ask({ command: "snapshot", payload: { camera_id: "door" } });
    assert.deepEqual([statusCode, headers["content-type"]], [200, "image/jpeg"]);
    assert.ok(Buffer.isBuffer(payload) && payload.length > 100);
  });

  it("tells what a scan finds while it runs", async () => {
    // Nothing that this sends leaves the machine.
    await deploy({ command: "discover", interfaces: "127.0.0.1" });
    const progress = inbox<NodeMessage & { payload: { type: string; progress: number } }>("progress");
    const { payload, statusCode } = await ask({ payload: {} });
    assert.equal(statusCode, 200, JSON.stringify(payload));
    assert.equal(payload.discovered_count, (payload.cameras as object[]).length);
    assert.ok(progress.every(({ topic }) => topic === "discovery-progress"));
    assert.equal(progress.at(-1)?.payload.type, "finished");
  });

  describe("live pictures", () => {
    const open = async (id = "door", sent = key) => {
      const { port } = server.address() as AddressInfo;
      const leaving = new AbortController();
      const headers = { authorization: `Bearer ${sent}` };
      const url = `http://127.0.0.1:${port}/api/cameras/${id}/stream.mjpg`;
      const response = await fetch(url, { headers, signal: leaving.signal });
      return { response, leave: () => leaving.abort() };
    };
    const frames = async ({ body }: Response, wanted: number): Promise<void> => {
      let text = "";
      for await (const chunk of body ?? []) {
        text += Buffer.from(chunk).toString("latin1");
        if (text.split("Content-Type: image/jpeg").length > wanted) return;
      }
      throw new Error(`ended after ${text.length} bytes`);
    };

    it("go to the client until it leaves, and then the node is done", async () => {
      await deploy();
      await registerDoor();
      const completed = inbox("completed");
      const { response, leave } = await open();
      assert.equal(response.headers.get("content-type"), "multipart/x-mixed-replace; boundary=frame");
      await frames(response, 3);
      leave();
      await until(() => completed.length === 1);
    });

    it("end when the camera is removed", async () => {
      await deploy();
      await registerDoor();
      const { response } = await open();
      await ask({ command: "remove", payload: { camera_id: "door" } });
      assert.match(await response.text(), /--frame/);
    });

    it("end with the flow", async () => {
      await deploy();
      await registerDoor();
      const { response } = await open();
      await helper.unload();
      await response.text();
    });

    it("are refused as any other call", async () => {
      await deploy();
      const answers = inbox("answers");
      const asked = [open("nobody"), open("door", "wrong")];
      for (const answer of asked) answer.catch(() => undefined);
      await until(() => answers.length === 2);
      assert.deepEqual(answers.map(({ statusCode }) => statusCode).sort(), [401, 404]);
    });

    it("need somebody to send them to", async () => {
      await deploy();
      await registerDoor();
      const answer = await ask({ command: "stream", payload: { camera_id: "door" } });
      assert.deepEqual([answer.statusCode, answer.payload.code], [400, "MESSAGE_INVALID"]);
    });
  });

  it("offers in its dialog the commands that there are", async () => {
    const html = await readFile(new URL("../../../nodes/camera-command.html", import.meta.url), "utf8");
    const offered = [...html.matchAll(/<option value="([a-z]+)"/g)].map(([, name]) => name);
    assert.deepEqual(
      offered,
      commands.map(({ name }) => name),
    );
  });
});

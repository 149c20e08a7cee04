import assert from "node:assert/strict";
import sharp from "sharp";
import { ulid } from "ulid";
import { AlertDesk, type AlertOutput } from "../../src/alert/alert-desk.ts";
import type { JudgedPerson } from "../../src/alert/incident-policy.ts";
import type { CctvError } from "../../src/errors.ts";
import { Frame } from "../../src/frame/frame.ts";

const camera = (id: string) => ({ id, name: id, location: "", site: "shop" });

/** A frame whose grey says which one it is. */
function frame(timestamp: number, grey = 128, id = "door"): Frame {
  const data = Buffer.alloc(160 * 120 * 3, grey);
  return new Frame({ data, width: 160, height: 120, timestamp, sequence: 0, camera: camera(id) });
}

function person(id: string, score = 0.6): JudgedPerson {
  return {
    id,
    score: 0.5,
    box: { x: 0.4, y: 0.4, width: 0.1, height: 0.4 },
    keypoints: [],
    behaviour: { label: "suspicious", score, model: "cues", reasons: ["head bowed"] },
  };
}

/** A desk whose wall clock is `clock.now`, ahead of the frames by a minute. */
function desk(settings = {}) {
  const clock = { now: 60_000 };
  const alerts = new AlertDesk({ settings, createId: ulid, now: () => clock.now });
  const feed = (timestamp: number, ...rest: [grey?: number, id?: string]) => {
    clock.now = timestamp + 60_000;
    return alerts.observe(frame(timestamp, ...rest), [person("1")]);
  };
  return { alerts, clock, feed };
}

const kinds = (outputs: readonly AlertOutput[]) => outputs.map(({ event }) => event.type.split(".")[2]);

describe("AlertDesk", () => {
  it("opens, updates and closes one alert under one id, each event under its own", () => {
    const { alerts, clock, feed } = desk({ updateSeconds: 0.5 });
    const outputs: AlertOutput[] = [];
    for (let time = 0; time <= 2000; time += 200) outputs.push(...feed(time));
    clock.now += 200;
    outputs.push(...alerts.observe(frame(2200), [person("1", 0.95)]));
    clock.now += 5000;
    outputs.push(...alerts.tick());

    assert.deepEqual(kinds(outputs), ["opened", "updated", "closed"]);
    assert.equal(new Set(outputs.map(({ alertId }) => alertId)).size, 1);
    assert.equal(new Set(outputs.map(({ event }) => event.data.alertId)).size, 1);
    assert.equal(new Set(outputs.map(({ event }) => event.id)).size, 3);
    assert.ok(outputs.every(({ event }) => /^[0-9A-HJKMNP-TV-Z]{26}$/.test(event.id)));
    assert.equal(outputs[0]?.event.id, outputs[0]?.alertId);
  });

  it("draws the very frame that raised the alert, even when asked later", async () => {
    const { alerts, feed } = desk();
    const outputs: AlertOutput[] = [];
    for (let time = 0; time <= 2000; time += 200) outputs.push(...feed(time, 40 + time / 20));
    alerts.close();
    const jpeg = await outputs[0]?.snapshot?.();
    const { data, info } = await sharp(jpeg).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    assert.deepEqual([info.width, info.height], [160, 120]);
    assert.ok(Math.abs((data[0] ?? 0) - 90) <= 3, `grey ${data[0]}; the frame at 1 s has 90`);
  });

  it("gives a picture with the opening only", () => {
    const { alerts, feed } = desk();
    const outputs: AlertOutput[] = [];
    for (let time = 0; time <= 1000; time += 200) outputs.push(...feed(time));
    outputs.push(...alerts.close());
    assert.deepEqual(
      outputs.map(({ snapshot }) => snapshot !== undefined),
      [true, false],
    );
  });

  it("keeps cameras apart", () => {
    const { alerts, feed } = desk();
    const outputs: AlertOutput[] = [];
    for (let time = 0; time <= 1000; time += 200) outputs.push(...feed(time), ...feed(time, 128, "till"));
    assert.deepEqual(
      outputs.map(({ event }) => event.data.camera),
      ["door", "till"],
    );
    assert.notEqual(outputs[0]?.alertId, outputs[1]?.alertId);
    assert.equal(alerts.open, 2);
  });

  it("reads the clock of each camera from its frames, and closes what a silent camera leaves open", () => {
    const { alerts, clock, feed } = desk();
    for (let time = 0; time <= 1000; time += 200) feed(time);
    clock.now += 4900;
    assert.deepEqual(alerts.tick(), []);
    clock.now += 100;
    const [closed] = alerts.tick();
    assert.equal(closed?.event.type, "cctv.alert.closed.v1");
    assert.equal(closed?.event.data.closedAt, new Date(6000).toISOString());
    assert.equal(alerts.open, 0);
  });

  it("closes what is open when it closes, once", () => {
    const { alerts, feed } = desk();
    for (let time = 0; time <= 1000; time += 200) feed(time);
    assert.deepEqual(kinds(alerts.close()), ["closed"]);
    assert.deepEqual(alerts.close(), []);
    assert.deepEqual(alerts.tick(), []);
  });

  for (const [name, value] of Object.entries({ threshold: 1.2, minimumSeconds: -1, scoreStep: Number.NaN })) {
    it(`refuses ${name} ${value}`, () => {
      assert.throws(
        () => desk({ [name]: value }),
        (error: CctvError) => error.code === "SETTING_INVALID" && error.message.includes(name),
      );
    });
  }
});

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { Ajv } from "ajv";
import { type AlertData, alertOf } from "../../src/alert/alert.ts";
import { alertCloudEvent } from "../../src/alert/cloud-event.ts";
import type { Incident } from "../../src/alert/incident-policy.ts";

const OPENED = "01JD9Z6Q4T5W8K2M3N7P9R1S0V";
const LATER = "01JD9Z6Q4T5W8K2M3N7P9R1S0W";

const incident: Incident = {
  number: 1,
  personId: "12",
  label: "suspicious",
  model: "cues",
  score: 0.8,
  severity: "warning",
  reasons: ["head bowed over the hands"],
  zones: ["spirits"],
  since: Date.UTC(2026, 10, 22, 8, 26, 41),
  openedAt: Date.UTC(2026, 10, 22, 8, 26, 42, 20),
  updatedAt: Date.UTC(2026, 10, 22, 8, 26, 42, 20),
  closedAt: null,
};
const camera = { id: "aisle 3", name: "Aisle 3", location: "", site: "store/12" };
const data = alertOf(incident, OPENED, camera);
const eventOf = (kind: "opened" | "updated" | "closed", of: AlertData = data) => alertCloudEvent(kind, of, () => LATER);

describe("alert data", () => {
  it("is what the contract says, with ISO times", () => {
    assert.deepEqual(data, {
      alertId: OPENED,
      site: "store/12",
      camera: "aisle 3",
      personId: "12",
      label: "suspicious",
      score: 0.8,
      severity: "warning",
      zones: ["spirits"],
      openedAt: "2026-11-22T08:26:42.020Z",
      updatedAt: "2026-11-22T08:26:42.020Z",
      closedAt: null,
      reasons: ["head bowed over the hands"],
      snapshot: `api/alerts/${OPENED}/snapshot.jpg`,
      clip: null,
      model: "cues",
      review: null,
    });
  });

  it("says when it was closed", () => {
    const closed = alertOf({ ...incident, closedAt: incident.openedAt + 5000 }, OPENED, camera);
    assert.equal(closed.closedAt, "2026-11-22T08:26:47.020Z");
  });
});

describe("alert CloudEvent", () => {
  it("has every attribute that receivers rely on", () => {
    const { data: body, ...attributes } = eventOf("opened");
    assert.deepEqual(attributes, {
      specversion: "1.0",
      id: OPENED,
      source: "/sites/store%2F12/cameras/aisle%203",
      type: "cctv.alert.opened.v1",
      subject: OPENED,
      time: "2026-11-22T08:26:42.020Z",
      datacontenttype: "application/json",
    });
    assert.equal(body, data);
  });

  it("names each event once and its alert always", () => {
    const events = [eventOf("opened"), eventOf("updated"), eventOf("closed")];
    assert.deepEqual(
      events.map(({ id }) => id),
      [OPENED, LATER, LATER],
    );
    assert.deepEqual(new Set(events.map(({ subject }) => subject)), new Set([OPENED]));
    assert.deepEqual(
      events.map(({ type }) => type),
      ["cctv.alert.opened.v1", "cctv.alert.updated.v1", "cctv.alert.closed.v1"],
    );
  });

  it("leaves a site out that is not named", () => {
    assert.equal(eventOf("opened", { ...data, site: "" }).source, "/cameras/aisle%203");
  });

  it("survives JSON unchanged", () => {
    const event = eventOf("closed");
    assert.deepEqual(JSON.parse(JSON.stringify(event)), event);
  });

  it("meets the official schema of CloudEvents 1.0", function () {
    const schema = new URL("../../../../shared/schemas/cloudevents.json", import.meta.url);
    if (!existsSync(schema)) this.skip();
    const ajv = new Ajv({ strict: false });
    ajv.addFormat("uri", /^[a-z][a-z\d+.-]*:\S+$/i);
    ajv.addFormat("uri-reference", /^\S+$/);
    ajv.addFormat("date-time", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/);
    const isEvent = ajv.compile(JSON.parse(readFileSync(schema, "utf8")));
    for (const kind of ["opened", "updated", "closed"] as const) {
      assert.ok(isEvent(eventOf(kind)), JSON.stringify(isEvent.errors));
    }
    assert.ok(!isEvent({ ...eventOf("opened"), time: "yesterday" }));
  });
});

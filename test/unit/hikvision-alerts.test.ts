import assert from "node:assert/strict";
import type { CameraEvent } from "../../src/camera/device.ts";
import type { Part } from "../../src/camera/http/multipart.ts";
import { kindOfAlert, readAlert } from "../../src/camera/protocols/hikvision/alert.ts";
import { AlertReader } from "../../src/camera/protocols/hikvision/alert-reader.ts";
import { alertXml } from "../servers/isapi-camera.ts";

const part = (body: string | Buffer): Part => ({ headers: {}, body: Buffer.from(body as string) });
const jpeg = Buffer.from([0xff, 0xd8, 0xff, 0xd9]);
const short = ({ topic, active, jpeg: picture }: CameraEvent) =>
  `${topic}${active === undefined ? "" : active ? " on" : " off"}${picture ? " with picture" : ""}`;

describe("Hikvision alerts", () => {
  for (const [type, kind] of [
    ["VMD", "motion"],
    ["PIR", "motion"],
    ["linedetection", "line-crossing"],
    ["fielddetection", "intrusion"],
    ["shelteralarm", "tamper"],
    ["videoloss", "video-loss"],
    ["IO", "input"],
    ["diskfull", "storage"],
    ["audioexception", "sound"],
    ["constructor", "other"],
    ["somethingNew", "other"],
  ] as const) {
    it(`takes ${type} for ${kind}`, () => assert.equal(kindOfAlert(type), kind));
  }

  it("reads XML", () => {
    const more = "<channelID>2</channelID><regions><region>1</region><region>2</region></regions>";
    const event = readAlert(part(alertXml("VMD", "active", more)), 5);
    assert.deepEqual(event, {
      kind: "motion",
      topic: "VMD",
      active: true,
      channel: 2,
      at: 5,
      data: {
        ipAddress: "192.0.2.7",
        channelID: "2",
        regions: { region: ["1", "2"] },
        eventType: "VMD",
        eventState: "active",
      },
    });
  });

  for (const [what, body, expected] of [
    ["JSON", '{"eventType":"IO","eventState":"inactive","channelID":3}', ["IO", false, 3]],
    ["JSON inside", '{"EventNotificationAlert":{"eventType":"VMD","eventState":"active"}}', ["VMD", true, undefined]],
    [
      "the number of a network camera",
      alertXml("VMD", "active", "<channelID>0</channelID><dynChannelID>4</dynChannelID>"),
      ["VMD", true, 4],
    ],
    ["an event without a state", '{"eventType":"illAccess"}', ["illAccess", undefined, undefined]],
    ["a loss of video", alertXml("videoloss", "active"), ["videoloss", true, 1]],
    ["the heartbeat", alertXml("videoloss", "inactive"), undefined],
    ["half a document", alertXml("VMD", "active").slice(0, 90), undefined],
    ["half of JSON", '{"eventType":"VMD"', undefined],
    ["another document", "<ResponseStatus><statusCode>4</statusCode></ResponseStatus>", undefined],
    ["text", "OK", undefined],
  ] as const) {
    it(`reads ${what}`, () => {
      const event = readAlert(part(body), 0);
      assert.deepEqual(event && [event.topic, event.active, event.channel], expected);
    });
  }

  type Step = readonly [atMs: number, what: "tick" | string | Buffer, ...expected: string[]];
  const heartbeat = alertXml("videoloss", "inactive");
  const on = (type: string) => alertXml(type, "active");
  const off = (type: string) => alertXml(type, "inactive");
  const stories: Readonly<Record<string, readonly Step[]>> = {
    "gives motion at once, and its end": [
      [0, on("VMD"), "VMD on"],
      [900, off("VMD"), "VMD off"],
    ],
    "gives motion once for as long as it is repeated, and ends it when it is repeated no longer": [
      [0, on("VMD"), "VMD on"],
      [2000, on("VMD")],
      [4000, heartbeat],
      [6999, "tick"],
      [7000, "tick", "VMD off"],
      [7100, off("VMD")],
      [8000, on("VMD"), "VMD on"],
    ],
    "gives no end without a beginning": [[0, off("VMD")]],
    "waits for a picture": [
      [0, on("linedetection")],
      [10, jpeg, "linedetection on with picture"],
      [20, jpeg],
    ],
    "waits not long": [
      [0, on("linedetection")],
      [499, "tick"],
      [500, "tick", "linedetection on"],
      [510, jpeg],
    ],
    "waits no longer than until another part": [
      [0, on("fielddetection")],
      [10, on("VMD"), "fielddetection on", "VMD on"],
      [20, on("fielddetection")],
      [30, heartbeat, "fielddetection on"],
    ],
    "gives each crossing, and one end": [
      [0, on("linedetection")],
      [100, jpeg, "linedetection on with picture"],
      [3000, on("linedetection")],
      [3100, jpeg, "linedetection on with picture"],
      [8000, "tick", "linedetection off"],
    ],
  };
  for (const [what, steps] of Object.entries(stories)) {
    it(what, () => {
      const reader = new AlertReader();
      for (const [at, what, ...expected] of steps) {
        const events = what === "tick" ? reader.tick(at) : reader.push(part(what), at);
        assert.deepEqual(events.map(short), expected, `at ${at}`);
      }
    });
  }

  it("tells nothing of an end but that it is one", () => {
    const reader = new AlertReader();
    reader.push(part(on("VMD")), 0);
    assert.deepEqual(reader.tick(9000), [
      { kind: "motion", topic: "VMD", active: false, channel: 1, at: 9000, data: {} },
    ]);
  });

  it("says when it has to be asked", () => {
    const reader = new AlertReader();
    assert.equal(reader.dueAt, undefined);
    reader.push(part(on("VMD")), 1000);
    assert.equal(reader.dueAt, 6000);
    reader.push(part(on("linedetection")), 1100);
    assert.equal(reader.dueAt, 1600);
    assert.deepEqual(reader.flush().map(short), ["linedetection on"]);
  });
});

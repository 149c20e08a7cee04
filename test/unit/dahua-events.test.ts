import assert from "node:assert/strict";
import { kindOfCode, readEvents } from "../../src/camera/protocols/dahua/events.ts";

describe("Dahua events", () => {
  for (const [code, kind] of [
    ["VideoMotion", "motion"],
    ["CrossLineDetection", "line-crossing"],
    ["CrossRegionDetection", "intrusion"],
    ["SmartMotionHuman", "person"],
    ["SmartMotionVehicle", "vehicle"],
    ["VideoBlind", "tamper"],
    ["VideoLoss", "video-loss"],
    ["AlarmLocal", "input"],
    ["AudioMutation", "sound"],
    ["StorageFailure", "storage"],
    ["constructor", "other"],
    ["NewFile", "other"],
  ] as const) {
    it(`take ${code} for ${kind}`, () => assert.equal(kindOfCode(code), kind));
  }

  it("carry JSON over several lines", () => {
    const text = 'Code=VideoMotion;action=Start;index=1;data={\n   "Id" : [ 0 ],\n   "Name" : "a;b=c"\n}\n';
    assert.deepEqual(readEvents(text, 7), [
      {
        kind: "motion",
        topic: "VideoMotion",
        active: true,
        channel: 2,
        at: 7,
        data: { action: "Start", index: 1, Id: [0], Name: "a;b=c" },
      },
    ]);
  });

  for (const [what, text, expected] of [
    ["an end", "Code=VideoMotion;action=Stop;index=0", [["VideoMotion", false, 1]]],
    [
      "what has no duration",
      "Code=CrossLineDetection;action=Pulse;index=3\r\n",
      [["CrossLineDetection", undefined, 4]],
    ],
    ["an input, which is no channel", "Code=AlarmLocal;action=Start;index=2", [["AlarmLocal", true, undefined]]],
    ["one of the whole device", "Code=VideoLoss;action=Start;index=-1", [["VideoLoss", true, undefined]]],
    ["one without an index", "Code=Reboot;action=Pulse", [["Reboot", undefined, undefined]]],
    [
      "several in one part",
      'Code=VideoMotion;action=Start;index=0;data={"a":1}\r\nCode=VideoBlind;action=Stop;index=1\r\n',
      [
        ["VideoMotion", true, 1],
        ["VideoBlind", false, 2],
      ],
    ],
    ["a heartbeat", "Heartbeat", []],
    ["a stray answer", "OK\r\n", []],
    ["nothing", "", []],
  ] as const) {
    it(`are read: ${what}`, () => {
      assert.deepEqual(
        readEvents(text, 0).map(({ topic, active, channel }) => [topic, active, channel]),
        expected,
      );
    });
  }

  for (const [text, data] of [
    ["{ half", "{ half"],
    ["[1]", [1]],
    ["null", null],
  ] as const) {
    it(`keep ${text} as it came`, () => {
      const [event] = readEvents(`Code=X;action=Pulse;index=0;data=${text}`, 0);
      assert.deepEqual(event?.data, { action: "Pulse", index: 0, data });
    });
  }
});

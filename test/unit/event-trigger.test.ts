import assert from "node:assert/strict";
import type { CameraEvent } from "../../src/camera/device.ts";
import { EventTrigger } from "../../src/camera/event-trigger.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;

describe("event trigger", () => {
  let trigger: EventTrigger;
  const note = (at: number, active: boolean | undefined, more: Partial<CameraEvent> = {}) =>
    trigger.note({ kind: "motion", topic: "VMD", at, data: {}, ...(active !== undefined && { active }), ...more });
  const openAt = (...times: number[]) => times.map((time) => trigger.isOpen(time));

  beforeEach(() => {
    trigger = new EventTrigger(30 * SECOND);
  });

  it("is closed before the first event", () => assert.deepEqual(openAt(0, MINUTE), [false, false]));

  it("is open while an event lasts, and for the hold time after", () => {
    note(0, true);
    assert.deepEqual(openAt(0, 5 * MINUTE), [true, true]);
    note(5 * MINUTE, false);
    assert.deepEqual(openAt(5 * MINUTE + 29 * SECOND, 5 * MINUTE + 31 * SECOND), [true, false]);
  });

  it("holds after an event without duration", () => {
    note(0, undefined);
    assert.deepEqual(openAt(29 * SECOND, 31 * SECOND), [true, false]);
  });

  it("stays open while one of two channels, or one of two kinds of event, goes on", () => {
    note(0, true, { channel: 1 });
    note(0, true, { channel: 2 });
    note(SECOND, false, { channel: 1 });
    assert.deepEqual(openAt(2 * MINUTE), [true]);
    note(2 * MINUTE, true, { topic: "linedetection", channel: 2 });
    note(2 * MINUTE, false, { channel: 2 });
    assert.deepEqual(openAt(4 * MINUTE), [true]);
  });

  it("takes an event that never ends for over after ten minutes and the hold time", () => {
    note(0, true);
    assert.deepEqual(openAt(9 * MINUTE, 10 * MINUTE + SECOND, 11 * MINUTE), [true, true, false]);
  });

  it("does not open for an end without a beginning, as cameras send when one subscribes", () => {
    note(0, false);
    assert.deepEqual(openAt(0), [false]);
  });

  for (const kind of ["video-loss", "storage", "other"] as const) {
    it(`does not open for ${kind}`, () => {
      note(0, true, { kind });
      assert.deepEqual(openAt(0), [false]);
    });
  }
});

import assert from "node:assert/strict";
import { execute, readCommand } from "../../nodes/shared/camera-command.ts";
import type { CameraDevice, PtzVelocity } from "../../src/camera/device.ts";

const invalid = { code: "MESSAGE_INVALID" };

describe("camera command", () => {
  for (const [payload, command] of [
    ["snapshot", { command: "snapshot" }],
    [{ command: "info" }, { command: "info" }],
    [
      { command: "move", pan: 0.5 },
      { command: "move", pan: 0.5, tilt: 0, zoom: 0 },
    ],
    [
      { command: "move", tilt: -1, zoom: 1, seconds: 2 },
      { command: "move", pan: 0, tilt: -1, zoom: 1, seconds: 2 },
    ],
    [{ command: "stop" }, { command: "stop" }],
    [{ command: "presets" }, { command: "presets" }],
    [
      { command: "preset", preset: "door" },
      { command: "preset", preset: "door" },
    ],
    [
      { command: "preset", preset: 0 },
      { command: "preset", preset: "0" },
    ],
  ] as const) {
    it(`reads ${JSON.stringify(payload)}`, () => assert.deepEqual(readCommand(payload), command));
  }

  for (const payload of [
    undefined,
    null,
    7,
    "",
    "dance",
    {},
    { command: "dance" },
    { command: "move", pan: 2 },
    { command: "move", tilt: "up" },
    { command: "move", pan: Number.NaN },
    { command: "move", seconds: 0 },
    { command: "move", seconds: 3600 },
    { command: "preset" },
    { command: "preset", preset: {} },
  ]) {
    it(`refuses ${JSON.stringify(payload)} and says what it takes`, () => {
      assert.throws(() => readCommand(payload), invalid);
    });
  }

  it("has the camera do it, in its units", async () => {
    const done: unknown[] = [];
    const device = {
      ptz: {
        move: async (velocity: PtzVelocity, forMs: number | undefined) => void done.push(velocity, forMs),
        stop: async () => void done.push("stop"),
        presets: async () => [{ id: "1", name: "door" }],
        goToPreset: async (preset: string) => void done.push(preset),
      },
    } as unknown as CameraDevice;
    const { signal } = new AbortController();
    const obey = (payload: unknown) => execute(readCommand(payload), device, signal);
    assert.equal(await obey({ command: "move", pan: 1, seconds: 0.5 }), true);
    assert.equal(await obey("stop"), true);
    assert.deepEqual(await obey("presets"), [{ id: "1", name: "door" }]);
    assert.equal(await obey({ command: "preset", preset: "door" }), true);
    assert.deepEqual(done, [{ pan: 1, tilt: 0, zoom: 0 }, 500, "stop", "door"]);
    await assert.rejects(execute({ command: "stop" }, {} as CameraDevice, signal), { code: "CAMERA_UNSUPPORTED" });
  });
});

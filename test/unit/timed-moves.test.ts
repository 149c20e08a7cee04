import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { TimedMoves } from "../../src/camera/timed-moves.ts";

const { signal } = new AbortController();

function record(failures = 0) {
  const driven: string[] = [];
  let left = failures;
  const moves = new TimedMoves(async ({ pan, tilt, zoom }) => {
    driven.push(`${pan} ${tilt} ${zoom}`);
    if (driven.length > 1 && left-- > 0) throw new Error("no answer");
  });
  return { moves, driven };
}

describe("timed moves", () => {
  it("move until they are stopped, no faster than the camera can", async () => {
    const { moves, driven } = record();
    await moves.move({ pan: 7, tilt: -0.5 }, undefined, signal);
    await sleep(30);
    assert.deepEqual(driven, ["1 -0.5 0"]);
    await moves.stop(signal);
    assert.deepEqual(driven, ["1 -0.5 0", "0 0 0"]);
  });

  it("end after their time", async () => {
    const { moves, driven } = record();
    await moves.move({ zoom: -1 }, 20, signal);
    assert.deepEqual(driven, ["0 0 -1"]);
    await sleep(60);
    assert.deepEqual(driven, ["0 0 -1", "0 0 0"]);
  });

  it("leave the camera to a later command", async () => {
    const { moves, driven } = record();
    await moves.move({ pan: 1 }, 20, signal);
    await moves.move({ pan: -1 }, undefined, signal);
    await sleep(60);
    assert.deepEqual(driven, ["1 0 0", "-1 0 0"]);
  });

  it("are stopped at once when they are closed, and once", async () => {
    const { moves, driven } = record();
    await moves.move({ pan: 1 }, 60_000, signal);
    await moves.close();
    await moves.close();
    assert.deepEqual(driven, ["1 0 0", "0 0 0"]);
  });

  it("are stopped again where the stop failed", async () => {
    const { moves, driven } = record(2);
    await moves.move({ pan: 1 }, 10, signal);
    await moves.close();
    assert.deepEqual(driven, ["1 0 0", "0 0 0", "0 0 0", "0 0 0"]);
  });
});

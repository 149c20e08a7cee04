import assert from "node:assert/strict";
import { countFailures, decideReconnect, type Failure } from "../../src/stream/reconnect-policy.ts";

const MINUTE = 60_000;
const decide = (failure: Partial<Failure>) =>
  decideReconnect({ code: "CAMERA_UNREACHABLE", failures: 1, live: true, random: 0, ...failure });
const waits = (failure: Partial<Failure>, count: number) =>
  Array.from({ length: count }, (_, index) => {
    const decision = decide({ ...failure, failures: index + 1 });
    return decision.kind === "retry" ? decision.afterMs : decision.kind;
  });

describe("reconnect policy", () => {
  it("waits a random time below a limit that doubles up to a minute", () => {
    assert.deepEqual(waits({ random: 1 }, 8), [2000, 4000, 8000, 16000, 32000, MINUTE, MINUTE, MINUTE]);
    assert.deepEqual(waits({ random: 0 }, 3), [1000, 1000, 1000]);
    assert.deepEqual(waits({ random: 0.5 }, 2), [1500, 2500]);
    assert.deepEqual(waits({ random: 1 }, 2000).at(-1), MINUTE);
  });

  it("is slow to try a refused login again, so that no account is locked", () => {
    const code = "CAMERA_AUTH_FAILED";
    for (const random of [0, 1]) {
      assert.deepEqual(waits({ code, random }, 5), [MINUTE, 4 * MINUTE, 16 * MINUTE, 30 * MINUTE, 30 * MINUTE]);
    }
  });

  it("leaves a locked account alone for as long as locks last", () => {
    assert.deepEqual(waits({ code: "CAMERA_LOCKED", random: 0 }, 2), [30 * MINUTE, 30 * MINUTE]);
  });

  for (const [code, kind, watchForReturn] of [
    ["CAMERA_UNREACHABLE", "retry", true],
    ["CAMERA_REFUSED", "retry", true],
    ["CAMERA_STALLED", "retry", true],
    ["CAMERA_NOT_FOUND", "retry", true],
    ["STREAM_LOST", "retry", true],
    ["DECODER_FAILED", "retry", true],
    ["CAMERA_AUTH_FAILED", "retry", false],
    ["ADDRESS_INVALID", "give-up"],
    ["ADDRESS_SCHEME_UNKNOWN", "give-up"],
    ["FFMPEG_MISSING", "give-up"],
    ["FFMPEG_TOO_OLD", "give-up"],
    ["FILE_EMPTY", "give-up"],
    ["FILE_NOT_FOUND", "give-up"],
    ["FILE_NOT_VIDEO", "give-up"],
    ["SETTING_INVALID", "give-up"],
  ] as const) {
    it(`${code}: ${kind}${watchForReturn ? ", watching for the camera's return" : ""}`, () => {
      const decision = decide({ code });
      assert.equal(decision.kind, kind);
      if (decision.kind === "retry") assert.equal(decision.watchForReturn, watchForReturn);
    });
  }

  it("gives up on a file whatever happened", () => {
    assert.equal(decide({ code: "DECODER_FAILED", live: false }).kind, "give-up");
  });

  it("gives up only when told to", () => {
    assert.deepEqual(waits({ maxAttempts: 3 }, 4), [1000, 1000, "give-up", "give-up"]);
    assert.deepEqual(waits({ maxAttempts: 2, code: "CAMERA_AUTH_FAILED" }, 2), [MINUTE, "give-up"]);
  });

  it("begins anew after a stream that was well for ten seconds", () => {
    assert.equal(countFailures(0, 0), 1);
    assert.equal(countFailures(6, 0), 7);
    assert.equal(countFailures(6, 9_999), 7);
    assert.equal(countFailures(6, 10_000), 1);
  });
});

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

  it("leaves a refused login alone for as long as it is told, and looks at no port meanwhile", () => {
    for (const code of ["CAMERA_AUTH_FAILED", "CAMERA_LOCKED"] as const) {
      const decision = decide({ code, loginPauseMs: 4 * MINUTE, random: 1 });
      assert.deepEqual(decision, { kind: "retry", afterMs: 4 * MINUTE, watchForReturn: false });
    }
  });

  for (const [code, kind, watchForReturn] of [
    ["CAMERA_UNREACHABLE", "retry", true],
    ["CAMERA_REFUSED", "retry", true],
    ["CAMERA_STALLED", "retry", true],
    ["CAMERA_NOT_FOUND", "retry", true],
    ["STREAM_LOST", "retry", true],
    ["DECODER_FAILED", "retry", true],
    ["CAMERA_RUNTIME_MISSING", "give-up"],
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
    assert.deepEqual(waits({ maxAttempts: 2, code: "CAMERA_AUTH_FAILED", loginPauseMs: MINUTE }, 2), [
      MINUTE,
      "give-up",
    ]);
  });

  it("begins anew after a stream that was well for ten seconds", () => {
    assert.equal(countFailures(0, 0), 1);
    assert.equal(countFailures(6, 0), 7);
    assert.equal(countFailures(6, 9_999), 7);
    assert.equal(countFailures(6, 10_000), 1);
  });
});

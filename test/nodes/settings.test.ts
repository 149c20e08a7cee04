import assert from "node:assert/strict";
import { FailureReporter } from "../../nodes/shared/report.ts";
import { choiceSetting, numberSetting, slug } from "../../nodes/shared/settings.ts";
import { CctvError } from "../../src/errors.ts";

describe("node settings", () => {
  for (const [value, expected] of [
    [undefined, 5],
    ["", 5],
    ["2.5", 2.5],
    [30, 30],
  ] as const) {
    it(`reads the number ${JSON.stringify(value)} as ${expected}`, () => {
      assert.equal(numberSetting("Rate", value, 5, [0.1, 30]), expected);
    });
  }
  for (const value of ["fast", "0", -1, 31, "NaN", "1e999"]) {
    it(`refuses the number ${JSON.stringify(value)}, naming the setting and its range`, () => {
      assert.throws(() => numberSetting("Rate", value, 5, [0.1, 30]), {
        code: "SETTING_INVALID",
        message: `"Rate" is ${JSON.stringify(value)}; it takes a number from 0.1 to 30`,
      });
    });
  }

  it("takes one of the choices, the first where nothing is set", () => {
    assert.equal(choiceSetting("Transport", undefined, ["tcp", "udp"]), "tcp");
    assert.equal(choiceSetting("Transport", "udp", ["tcp", "udp"]), "udp");
    assert.throws(() => choiceSetting("Transport", "sctp", ["tcp", "udp"]), /takes one of tcp, udp/);
  });

  for (const [text, expected] of [
    ["Spirits aisle", "spirits-aisle"],
    ["Tür 1/links", "tur-1-links"],
    ["  ", ""],
    ["入口", ""],
    ["a_B-9", "a_b-9"],
  ] as const) {
    it(`makes an id of ${JSON.stringify(text)}`, () => assert.equal(slug(text), expected));
  }
});

describe("FailureReporter", () => {
  const boom = new CctvError("INFERENCE_FAILED", "boom");
  const other = new CctvError("MESSAGE_INVALID", "no frame");

  it("reports the first of a kind, then one a minute, and afresh after something else or a success", () => {
    let now = 0;
    const failures = new FailureReporter(() => now);
    const report = (error: Error) => failures.failed(error, "INFERENCE_FAILED")?.code;
    assert.equal(report(boom), "INFERENCE_FAILED");
    now = 59_999;
    assert.equal(report(boom), undefined);
    now = 60_000;
    assert.equal(report(boom), "INFERENCE_FAILED");
    assert.equal(report(other), "MESSAGE_INVALID");
    assert.equal(report(boom), "INFERENCE_FAILED");
    failures.worked();
    assert.equal(report(boom), "INFERENCE_FAILED");
  });
});

import assert from "node:assert/strict";
import { BitRate } from "../../src/stream/bit-rate.ts";

describe("bit rate", () => {
  let now = 0;
  let rate: BitRate;
  beforeEach(() => {
    now = 5_000;
    rate = new BitRate(() => now);
  });
  const come = (count: number, everyMs: number, bytesEach: number, before = 0) => {
    for (let i = 0; i <= count; i++) {
      rate.sample(before + i * bytesEach);
      if (i < count) now += everyMs;
    }
  };

  it("is unknown before the second sample", () => {
    assert.equal(rate.perSecond(), undefined);
    rate.sample(1000);
    assert.equal(rate.perSecond(), undefined);
  });

  it("is bits a second out of a growing count of bytes", () => {
    come(50, 100, 12_500);
    assert.equal(rate.perSecond(), 1_000_000);
  });

  it("follows a change within ten seconds", () => {
    come(100, 100, 12_500);
    come(110, 100, 1_250, 100 * 12_500);
    assert.equal(Math.round(rate.perSecond() ?? 0), 100_000);
  });

  it("begins anew when told to", () => {
    come(5, 100, 10);
    rate.reset();
    assert.equal(rate.perSecond(), undefined);
  });
});

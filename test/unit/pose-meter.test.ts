import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { PoseMeter } from "../../src/pose/pose-meter.ts";

describe("PoseMeter", () => {
  it("starts at nothing", () => {
    const none = { framesPerSecond: 0, inferenceMs: 0, queueMs: 0, dropped: 0 };
    assert.deepEqual(new PoseMeter(100).rates(100), none);
    assert.deepEqual(new PoseMeter(100).rates(60_000), none);
  });

  it("tells rates from the first second on", () => {
    const meter = new PoseMeter(0);
    meter.analysed(500, { inference: 100, queue: 0 });
    meter.analysed(1000, { inference: 200, queue: 30 });
    meter.dropped(1000);
    assert.deepEqual(meter.rates(1000), { framesPerSecond: 2, inferenceMs: 150, queueMs: 15, dropped: 1 });
  });

  it("looks back five seconds", () => {
    const meter = new PoseMeter(0);
    for (let at = 100; at <= 10_000; at += 100) {
      meter.analysed(at, { inference: at <= 5000 ? 900 : 80, queue: 10 });
      meter.dropped(at);
    }
    assert.deepEqual(meter.rates(10_000), { framesPerSecond: 10, inferenceMs: 80, queueMs: 10, dropped: 50 });
    assert.deepEqual(meter.rates(20_000), { framesPerSecond: 0, inferenceMs: 0, queueMs: 0, dropped: 0 });
  });
});

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { FrameRate } from "../../src/stream/frame-rate.ts";
import { Watchdog } from "../../src/stream/watchdog.ts";

describe("frame rate", () => {
  let now = 0;
  let rate: FrameRate;
  const come = (count: number, everyMs: number) => {
    for (let i = 0; i < count; i++) {
      now += everyMs;
      rate.count();
    }
  };
  const perSecond = () => Math.round(rate.perSecond() * 100) / 100;

  beforeEach(() => {
    now = 1_000_000;
    rate = new FrameRate(() => now);
  });

  it("is 0 before the second frame", () => {
    assert.equal(perSecond(), 0);
    come(1, 200);
    assert.equal(perSecond(), 0);
  });

  it("is right from the second frame on, for any number of frames", () => {
    come(2, 200);
    assert.equal(perSecond(), 5);
    come(500, 200);
    assert.equal(perSecond(), 5);
  });

  it("follows a change within ten seconds", () => {
    come(100, 100);
    come(21, 500);
    assert.equal(perSecond(), 2);
  });

  it("sinks when no more frames come, down to 0", () => {
    come(50, 200);
    now += 5_000;
    assert.ok(perSecond() < 4);
    now += 20_000;
    assert.equal(perSecond(), 0);
  });

  it("begins anew when told to", () => {
    come(50, 200);
    rate.reset();
    assert.equal(perSecond(), 0);
  });
});

describe("watchdog", () => {
  let barks = 0;
  let watchdog: Watchdog;
  const watch = (ms: number) => {
    barks = 0;
    watchdog = new Watchdog(ms, () => barks++);
  };
  afterEach(() => watchdog.stop());

  it("barks once after the limit", async () => {
    watch(20);
    await sleep(80);
    assert.equal(barks, 1);
  });

  it("stays quiet while it is touched, and after it was stopped", async () => {
    watch(200);
    for (let i = 0; i < 6; i++) {
      await sleep(50);
      watchdog.touch();
    }
    watchdog.stop();
    await sleep(250);
    assert.equal(barks, 0);
  });

  it("takes another limit", async () => {
    watch(60_000);
    watchdog.reset(20);
    await sleep(80);
    assert.equal(barks, 1);
  });

  it("stays quiet when a busy process is late in reading what came in time", async () => {
    watch(30);
    setImmediate(() => {
      const until = Date.now() + 60;
      while (Date.now() < until);
      setImmediate(() => watchdog.touch());
    });
    await sleep(45);
    assert.equal(barks, 0);
  });
});

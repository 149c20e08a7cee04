import assert from "node:assert/strict";
import { RateLimits, takeToken } from "../../src/api/access/rate-limit.ts";
import type { RefusedRequest } from "../../src/api/access/refused-request.ts";

const rule = { burst: 2, perMinute: 60 };

describe("token bucket", () => {
  for (const [what, bucket, now, tokens, waitMs] of [
    ["begins full", undefined, 0, 1, 0],
    ["gives its last one", { tokens: 1, at: 0 }, 0, 0, 0],
    ["is empty", { tokens: 0, at: 0 }, 0, 0, 1000],
    ["is half full again", { tokens: 0, at: 0 }, 500, 0.5, 500],
    ["has one again", { tokens: 0, at: 0 }, 1000, 0, 0],
    ["holds no more than the burst", { tokens: 1, at: 0 }, 3_600_000, 1, 0],
    ["bears a clock that was set back", { tokens: 0, at: 5000 }, 0, 0, 1000],
  ] as const) {
    it(what, () => assert.deepEqual(takeToken(bucket, rule, now), { bucket: { tokens, at: now }, waitMs }));
  }
});

describe("rate limits", () => {
  it("count each caller and each call by themselves, and say when to come back", () => {
    let now = 0;
    const limits = new RateLimits(() => now);
    limits.take("one", "test", rule);
    limits.take("one", "test", rule);
    assert.throws(
      () => limits.take("one", "test", rule),
      ({ code, status, headers }: RefusedRequest) =>
        code === "RATE_LIMITED" && status === 429 && headers["retry-after"] === "1",
    );
    limits.take("two", "test", rule);
    limits.take("one", "discover", rule);
    now = 1000;
    limits.take("one", "test", rule);
  });

  it("forget those that came longest ago, so that they do not grow", () => {
    const limits = new RateLimits(() => 0);
    const once = { burst: 1, perMinute: 1 };
    limits.take("first", "test", once);
    for (let caller = 0; caller < 1000; caller++) limits.take(String(caller), "test", once);
    limits.take("first", "test", once);
    assert.throws(() => limits.take("999", "test", once), { code: "RATE_LIMITED" });
  });
});

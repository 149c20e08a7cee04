import { RefusedRequest } from "./refused-request.ts";

/** How often something may be done. */
export interface RateRule {
  /** So many at once, after a rest. */
  readonly burst: number;
  /** So many over time. */
  readonly perMinute: number;
}

/** What is left to somebody. */
export interface Bucket {
  readonly tokens: number;
  /** When that was counted; epoch milliseconds. */
  readonly at: number;
}

const MINUTE_MS = 60_000;
/** More are forgotten, those that were used longest ago first. */
const MOST_BUCKETS = 1000;

/**
 * Takes one token from a bucket that fills evenly up to its burst: a token bucket with one rate, as in RFC 2697.
 * @returns the bucket as it is then, and how long to wait where there was no token, milliseconds; 0 where there was.
 */
export function takeToken(
  bucket: Bucket | undefined,
  { burst, perMinute }: RateRule,
  now: number,
): { readonly bucket: Bucket; readonly waitMs: number } {
  const elapsed = bucket ? Math.max(now - bucket.at, 0) : 0;
  const tokens = bucket ? Math.min(bucket.tokens + (elapsed * perMinute) / MINUTE_MS, burst) : burst;
  if (tokens >= 1) return { bucket: { tokens: tokens - 1, at: now }, waitMs: 0 };
  return { bucket: { tokens, at: now }, waitMs: ((1 - tokens) * MINUTE_MS) / perMinute };
}

/** Counts who did what how often. */
export class RateLimits {
  readonly #buckets = new Map<string, Bucket>();
  readonly #now: () => number;

  /** @param now epoch milliseconds */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** @throws RefusedRequest RATE_LIMITED, with `Retry-After` in seconds. */
  take(who: string, what: string, rule: RateRule): void {
    const key = `${what} ${who}`;
    const { bucket, waitMs } = takeToken(this.#buckets.get(key), rule, this.#now());
    // The order of a Map is that of insertion: what was used last comes last.
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > MOST_BUCKETS && oldest !== undefined) this.#buckets.delete(oldest);
    if (waitMs === 0) return;
    const seconds = Math.ceil(waitMs / 1000);
    throw new RefusedRequest(
      "RATE_LIMITED",
      429,
      `this call is let through ${rule.perMinute} times a minute; try again in ${seconds} s`,
      { "retry-after": String(seconds) },
    );
  }
}

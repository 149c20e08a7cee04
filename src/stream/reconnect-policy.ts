import type { ErrorCode } from "../errors.ts";

export interface Failure {
  readonly code: ErrorCode;
  /** How many attempts have failed one after the other, this one included. */
  readonly failures: number;
  /** False for a file: it does not get better by waiting. */
  readonly live: boolean;
  /** Give up after so many failures; never where it is absent. */
  readonly maxAttempts?: number | undefined;
  /** 0 to 1, evenly distributed. */
  readonly random: number;
  /** How long the login is to be left alone, milliseconds, where it was refused; see login-guard.ts. */
  readonly loginPauseMs?: number | undefined;
}

export type Reconnect =
  | { readonly kind: "give-up" }
  | {
      readonly kind: "retry";
      /** The next attempt comes after this time at the latest, milliseconds. */
      readonly afterMs: number;
      /** Cut the wait short when the camera's port opens after having been seen closed. */
      readonly watchForReturn: boolean;
    };

const SHORTEST_MS = 1_000;
const LONGEST_MS = 60_000;

/** A stream that gave pictures for so long was well; what happens next is a new story. */
export const STABLE_MS = 10_000;

/** What only a person can mend. */
const PERMANENT: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "ADDRESS_INVALID",
  "ADDRESS_SCHEME_UNKNOWN",
  "CAMERA_RUNTIME_MISSING",
  "FFMPEG_MISSING",
  "FFMPEG_TOO_OLD",
  "FILE_EMPTY",
  "FILE_NOT_FOUND",
  "FILE_NOT_VIDEO",
  "SETTING_INVALID",
]);

/**
 * What to do after a failure.
 *
 * - Exponential back-off with full jitter above one second ("Exponential Backoff And Jitter", AWS
 *   Architecture Blog, 2015): a random time from 1 s to twice the last limit, at most 60 s, so that many
 *   cameras behind one switch do not come back in step.
 * - Alone that would leave a camera dark for up to a minute after it has returned. So while waiting a
 *   stream looks at the camera's port, which costs one TCP connection and no login, and goes ahead
 *   when the port opens. Only the change from closed to open counts: a camera that takes connections
 *   but gives no pictures is not hurried.
 * - A refused login waits for as long as the login guard says, and is not hurried by anything.
 */
export function decideReconnect({ code, failures, live, maxAttempts, random, loginPauseMs }: Failure): Reconnect {
  if (!live || PERMANENT.has(code)) return { kind: "give-up" };
  if (maxAttempts !== undefined && failures >= maxAttempts) return { kind: "give-up" };
  if (loginPauseMs !== undefined) return { kind: "retry", afterMs: loginPauseMs, watchForReturn: false };
  const limit = Math.min(LONGEST_MS, SHORTEST_MS * 2 ** failures);
  return { kind: "retry", afterMs: SHORTEST_MS + random * (limit - SHORTEST_MS), watchForReturn: true };
}

/** Failures in a row after one more attempt failed, which had given pictures for `liveMs`. */
export function countFailures(before: number, liveMs: number): number {
  return liveMs >= STABLE_MS ? 1 : before + 1;
}

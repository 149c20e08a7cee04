import { setTimeout as sleep } from "node:timers/promises";
import type { CameraEvent } from "../../device.ts";
import type { Part } from "../../http/multipart.ts";
import { AlertReader } from "./alert-reader.ts";

/**
 * The events of an alert stream, as they come.
 *
 * @param open begins to read the stream, until its signal aborts
 * @param now epoch milliseconds
 * @throws what reading the stream throws, after the events that came before it.
 */
export async function* alertEvents(
  open: (signal: AbortSignal) => AsyncGenerator<Part, void>,
  signal: AbortSignal,
  now: () => number = Date.now,
): AsyncGenerator<CameraEvent, void> {
  const stop = new AbortController();
  const reader = new AlertReader();
  const parts = open(AbortSignal.any([signal, stop.signal]));
  let next: Promise<IteratorResult<Part, void>> | undefined;
  try {
    for (;;) {
      next ??= parts.next();
      const result = await before(next, reader.dueAt, now);
      if (result?.done) return;
      if (result) next = undefined;
      yield* result ? reader.push(result.value, now()) : reader.tick(now());
    }
  } catch (error) {
    yield* reader.flush();
    throw error;
  } finally {
    stop.abort();
    // Its failure was thrown above, or is that it was stopped.
    await next?.catch(() => undefined);
    await parts.return();
  }
}

/** Undefined when the time comes first. */
async function before<T>(promise: Promise<T>, dueAt: number | undefined, now: () => number): Promise<T | undefined> {
  if (dueAt === undefined) return promise;
  const answered = new AbortController();
  const time = sleep(Math.max(0, dueAt - now()), undefined, { signal: answered.signal }).catch(() => undefined);
  try {
    return await Promise.race([promise, time]);
  } finally {
    answered.abort();
  }
}

import { setTimeout as sleep } from "node:timers/promises";
import type { ErrorCode } from "../../../errors.ts";
import { CctvError } from "../../../errors.ts";
import type { CameraEvent } from "../../device.ts";
import type { XmlElement } from "../../xml.ts";
import { channelsByToken, readNotification } from "./notification.ts";
import type { OnvifSession } from "./onvif-session.ts";
import { LONGEST_PULL_MS, PullPoint, type PullPointOptions } from "./pull-point.ts";
import type { SoapClient } from "./soap-client.ts";
import { SoapFault } from "./soap-fault.ts";

const ANSWER_MS = 8_000;
const SHORTEST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
const MOST_FAULTS = 6;
/** Cameras that answer at once with nothing are asked once in this time, those with news a little sooner. */
const EMPTY_PACE_MS = 1_000;
const NEWS_PACE_MS = 200;

/**
 * What to do about a fault, the `count`th in a row: wait so many milliseconds and subscribe anew, or give
 * up (undefined). A camera that has no events or no rights for us will not change its mind.
 */
export function pauseAfterFault(code: ErrorCode, count: number): number | undefined {
  if (code === "CAMERA_UNSUPPORTED" || code === "CAMERA_AUTH_FAILED" || count >= MOST_FAULTS) return undefined;
  return Math.min(LONGEST_PAUSE_MS, SHORTEST_PAUSE_MS * 2 ** (count - 1));
}

/** One listener at a camera's events, on a connection of its own. */
export class EventFeed {
  readonly #session: OnvifSession;
  readonly #client: SoapClient;
  readonly #now: () => number;
  readonly #closing = new AbortController();
  #point: PullPoint | undefined;
  #faults = 0;
  #nextAt = 0;
  #closed: Promise<void> | undefined;

  constructor(session: OnvifSession, now: () => number) {
    this.#session = session;
    this.#client = session.client.fork(LONGEST_PULL_MS + ANSWER_MS);
    this.#now = now;
  }

  /** Until the signal aborts or the feed is closed. @throws CctvError */
  async *events(signal: AbortSignal): AsyncGenerator<CameraEvent, void> {
    const either = AbortSignal.any([signal, this.#closing.signal]);
    const channels = channelsByToken(this.#session.channels);
    try {
      while (!either.aborted) {
        const messages = await this.#next(either);
        const events = messages.map((message) => readNotification(message, channels, this.#now()));
        yield* events.filter((event) => event !== undefined);
      }
    } catch (error) {
      if (!either.aborted) throw error;
    } finally {
      await this.close();
    }
  }

  /** Unsubscribes and closes the connection. */
  async close(): Promise<void> {
    this.#closed ??= this.#end();
    await this.#closed;
  }

  async #end(): Promise<void> {
    this.#closing.abort();
    await this.#point?.close();
    await this.#client.close();
  }

  async #next(signal: AbortSignal): Promise<readonly XmlElement[]> {
    await sleep(Math.max(0, this.#nextAt - performance.now()), undefined, { signal });
    const startedAt = performance.now();
    try {
      const point = await this.#livePoint(signal);
      const messages = await point.pull(signal);
      this.#faults = 0;
      this.#nextAt = startedAt + (messages.length > 0 ? NEWS_PACE_MS : EMPTY_PACE_MS);
      return messages;
    } catch (error) {
      if (!(error instanceof SoapFault)) throw error;
      const pauseMs = pauseAfterFault(error.code, ++this.#faults);
      if (pauseMs === undefined) throw error;
      await this.#drop();
      this.#nextAt = performance.now() + pauseMs;
      return [];
    }
  }

  async #livePoint(signal: AbortSignal): Promise<PullPoint> {
    if (this.#point && !(await this.#point.keepAlive(signal))) await this.#drop();
    this.#point ??= await PullPoint.subscribe(this.#options(), signal);
    return this.#point;
  }

  async #drop(): Promise<void> {
    await this.#point?.close();
    this.#point = undefined;
  }

  #options(): PullPointOptions {
    const { events, addresses } = this.#session;
    if (!events) {
      throw new CctvError(
        "CAMERA_UNSUPPORTED",
        "the camera offers no events by ONVIF; switch them on in its settings, or do without",
      );
    }
    return { client: this.#client, events, addresses, monotonic: () => performance.now() };
  }
}

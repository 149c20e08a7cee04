import type { CameraEvent } from "../../device.ts";
import { startsAsJpeg } from "../../http/jpeg-scanner.ts";
import type { Part } from "../../http/multipart.ts";
import { readAlert } from "./alert.ts";

/** How long an event waits for its picture, milliseconds; the picture is the very next part. */
const PICTURE_WAIT_MS = 500;
/** Many cameras repeat an event while it lasts and never say that it is over. */
const STALE_MS = 5000;

const WITH_PICTURE: ReadonlySet<CameraEvent["kind"]> = new Set([
  "line-crossing",
  "intrusion",
  "person",
  "vehicle",
  "tamper",
  "other",
]);

/**
 * Makes events out of the parts of an alert stream: gives an event the picture that follows it, leaves out the
 * repetitions of one that lasts, and ends one that is repeated no longer. Its clock is its caller's.
 */
export class AlertReader {
  #waiting: { readonly event: CameraEvent; readonly until: number } | undefined;
  readonly #lasting = new Map<string, { readonly event: CameraEvent; readonly until: number }>();

  /** When to call `tick`, by the clock of `push`; undefined while nothing waits. */
  get dueAt(): number | undefined {
    const times = [...this.#lasting.values(), ...(this.#waiting ? [this.#waiting] : [])].map(({ until }) => until);
    return times.length > 0 ? Math.min(...times) : undefined;
  }

  /** @param now epoch milliseconds */
  push(part: Part, now: number): CameraEvent[] {
    if (startsAsJpeg(part.body)) return this.#giveOut(part.body);
    const before = [...this.#giveOut(), ...this.tick(now)];
    const event = readAlert(part, now);
    if (!event || !this.#isNews(event, now)) return before;
    if (event.active !== false && WITH_PICTURE.has(event.kind)) {
      this.#waiting = { event, until: now + PICTURE_WAIT_MS };
      return before;
    }
    return [...before, event];
  }

  /** What is due by now. */
  tick(now: number): CameraEvent[] {
    const due = this.#waiting && this.#waiting.until <= now ? this.#giveOut() : [];
    for (const [name, { event, until }] of this.#lasting) {
      if (until > now) continue;
      this.#lasting.delete(name);
      const { kind, topic, channel } = event;
      due.push({ kind, topic, active: false, ...(channel !== undefined && { channel }), at: now, data: {} });
    }
    return due;
  }

  /** The event that waits for a picture, when none will come any more. */
  flush(): CameraEvent[] {
    return this.#giveOut();
  }

  #giveOut(jpeg?: Buffer): CameraEvent[] {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    return waiting ? [{ ...waiting.event, ...(jpeg && { jpeg }) }] : [];
  }

  /** Each crossing of a line is one of its own; motion is one for as long as it lasts. */
  #isNews(event: CameraEvent, now: number): boolean {
    if (event.active === undefined) return true;
    const name = `${event.topic} ${event.channel ?? ""}`;
    if (!event.active) return this.#lasting.delete(name);
    const isRepetition = this.#lasting.has(name);
    this.#lasting.set(name, { event, until: now + STALE_MS });
    return !isRepetition || WITH_PICTURE.has(event.kind);
  }
}

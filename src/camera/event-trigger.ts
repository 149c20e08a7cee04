import type { CameraEvent } from "./device.ts";

/** An event that never says that it is over is taken to be after this time, milliseconds. */
const LONGEST_EVENT_MS = 10 * 60_000;

/**
 * Says whether a camera has noticed something just now: while an event lasts, and for a while after.
 *
 * Losing the video, and what storage and other parts say of themselves, are no reason to look.
 */
export class EventTrigger {
  readonly #holdMs: number;
  /** When each event that lasts began, by topic and channel. */
  readonly #lasting = new Map<string, number>();
  #openUntil = Number.NEGATIVE_INFINITY;

  /** @param holdMs how long it stays open after an event */
  constructor(holdMs: number) {
    this.#holdMs = holdMs;
  }

  note({ kind, topic, channel, active, at }: CameraEvent): void {
    if (kind === "video-loss" || kind === "storage" || kind === "other") return;
    const name = `${topic} ${channel ?? ""}`;
    if (active === true) this.#lasting.set(name, at);
    const wasLasting = active === false && this.#lasting.delete(name);
    // An end without a beginning is what cameras say when a subscription begins.
    if (active === false && !wasLasting) return;
    this.#openUntil = Math.max(this.#openUntil, at + this.#holdMs);
  }

  /** @param now epoch milliseconds */
  isOpen(now: number): boolean {
    for (const [name, since] of this.#lasting) {
      if (now - since < LONGEST_EVENT_MS) return true;
      this.#lasting.delete(name);
      this.#openUntil = Math.max(this.#openUntil, since + LONGEST_EVENT_MS + this.#holdMs);
    }
    return now < this.#openUntil;
  }
}

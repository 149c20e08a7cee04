export interface PoseRates {
  /** Analysed frames a second. */
  readonly framesPerSecond: number;
  /** Mean milliseconds that an analysed frame took. */
  readonly inferenceMs: number;
  /** Mean milliseconds that an analysed frame waited before. */
  readonly queueMs: number;
  /** Frames that were overtaken by a newer one of the same camera while they waited. */
  readonly dropped: number;
}

/** Milliseconds that the rates look back. */
const SPAN = 5000;

interface Analysed {
  readonly at: number;
  readonly inferenceMs: number;
  readonly queueMs: number;
}

/** Rates over the last five seconds. Times are milliseconds of one monotonic clock. */
export class PoseMeter {
  readonly #startedAt: number;
  #analysed: Analysed[] = [];
  #dropped: number[] = [];

  constructor(now: number) {
    this.#startedAt = now;
  }

  analysed(now: number, ms: { inference: number; queue: number }): void {
    this.#forget(now);
    this.#analysed.push({ at: now, inferenceMs: ms.inference, queueMs: ms.queue });
  }

  dropped(now: number): void {
    this.#forget(now);
    this.#dropped.push(now);
  }

  rates(now: number): PoseRates {
    this.#forget(now);
    const count = this.#analysed.length;
    const seconds = Math.min(now - this.#startedAt, SPAN) / 1000;
    const mean = (of: (frame: Analysed) => number) =>
      count === 0 ? 0 : this.#analysed.reduce((sum, frame) => sum + of(frame), 0) / count;
    return {
      framesPerSecond: seconds > 0 ? count / seconds : 0,
      inferenceMs: mean((frame) => frame.inferenceMs),
      queueMs: mean((frame) => frame.queueMs),
      dropped: this.#dropped.length,
    };
  }

  #forget(now: number): void {
    const since = now - SPAN;
    this.#analysed = this.#analysed.filter(({ at }) => at > since);
    this.#dropped = this.#dropped.filter((at) => at > since);
  }
}

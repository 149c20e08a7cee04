const WINDOW_MS = 10_000;

/** How many frames a second came, over the last ten seconds or since the first. */
export class FrameRate {
  readonly #now: () => number;
  readonly #times: number[] = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  count(): void {
    this.#times.push(this.#now());
    this.#forgetOld();
  }

  /** 0 where fewer than two frames are known. */
  perSecond(): number {
    this.#forgetOld();
    const first = this.#times[0];
    if (first === undefined || this.#times.length < 2) return 0;
    // The last gap counts while it grows, so that the rate of a stream that stands still sinks.
    const last = this.#times.at(-1) ?? first;
    const usualGap = (last - first) / (this.#times.length - 1);
    const span = Math.max(last - first, this.#now() - first - usualGap);
    return span > 0 ? ((this.#times.length - 1) * 1000) / span : 0;
  }

  reset(): void {
    this.#times.length = 0;
  }

  #forgetOld(): void {
    const oldest = this.#now() - WINDOW_MS;
    const kept = this.#times.findIndex((time) => time >= oldest);
    this.#times.splice(0, kept < 0 ? this.#times.length : kept);
  }
}

const WINDOW_MS = 10_000;

/** How many bits a second came, over the last ten seconds, out of a count of bytes that only grows. */
export class BitRate {
  readonly #now: () => number;
  readonly #samples: { readonly at: number; readonly bytes: number }[] = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  /** @param bytes all that have come up to now */
  sample(bytes: number): void {
    const at = this.#now();
    this.#samples.push({ at, bytes });
    while ((this.#samples[1]?.at ?? at) < at - WINDOW_MS) this.#samples.shift();
  }

  /** Undefined before there are two samples. */
  perSecond(): number | undefined {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (!first || !last || last.at === first.at) return undefined;
    return ((last.bytes - first.bytes) * 8000) / (last.at - first.at);
  }

  reset(): void {
    this.#samples.length = 0;
  }
}

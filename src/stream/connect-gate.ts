/** How many cameras may be connecting at once, unless it is set otherwise. */
export const DEFAULT_CONNECTS = 8;

/** Lets a bounded number through at a time, in the order in which they came. */
export class ConnectGate {
  #limit: number;
  #inside = 0;
  readonly #waiting = new Set<() => void>();

  constructor(limit: number = DEFAULT_CONNECTS) {
    this.#limit = limit;
  }

  get limit(): number {
    return this.#limit;
  }

  /** A lower limit sends nobody out again. */
  set limit(limit: number) {
    this.#limit = limit;
    this.#admit();
  }

  get inside(): number {
    return this.#inside;
  }

  /**
   * Waits for a place.
   * @returns gives the place back; only its first call counts.
   * @throws the signal's reason when it aborts.
   */
  enter(signal: AbortSignal): Promise<() => void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const admit = () => {
        this.#waiting.delete(admit);
        signal.removeEventListener("abort", abort);
        this.#inside++;
        let inside = true;
        resolve(() => {
          if (!inside) return;
          inside = false;
          this.#inside--;
          this.#admit();
        });
      };
      const abort = () => {
        this.#waiting.delete(admit);
        reject(signal.reason);
      };
      signal.addEventListener("abort", abort, { once: true });
      this.#waiting.add(admit);
      this.#admit();
    });
  }

  #admit(): void {
    for (const admit of this.#waiting) {
      if (this.#inside >= this.#limit) return;
      admit();
    }
  }
}

/** The one of all cameras of this process. */
export const connectGate = new ConnectGate();

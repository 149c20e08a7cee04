/**
 * Barks once when it has not been touched for a while.
 *
 * A busy event loop runs an overdue timer before it reads what has arrived meanwhile, so it looks
 * once more after that reading.
 */
export class Watchdog {
  readonly #bark: () => void;
  #timer: NodeJS.Timeout;
  #touches = 0;
  #stopped = false;

  constructor(limitMs: number, bark: () => void) {
    this.#bark = bark;
    this.#timer = this.#wait(limitMs);
  }

  touch(): void {
    this.#touches++;
    this.#timer.refresh();
  }

  /** Another limit from now on. */
  reset(limitMs: number): void {
    clearTimeout(this.#timer);
    if (!this.#stopped) this.#timer = this.#wait(limitMs);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #wait(limitMs: number): NodeJS.Timeout {
    return setTimeout(() => {
      const touches = this.#touches;
      setImmediate(() => {
        if (!this.#stopped && this.#touches === touches) this.#bark();
      });
    }, limitMs);
  }
}

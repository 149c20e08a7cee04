/** Lets so many connections be open at once, and so many of them to one host; others wait their turn. */
export class ConnectionGate {
  readonly #most: number;
  readonly #mostPerHost: number;
  readonly #open = new Map<string, number>();
  readonly #waiting: { readonly host: string; readonly enter: () => void }[] = [];
  #total = 0;

  constructor(most = 256, mostPerHost = 4) {
    this.#most = most;
    this.#mostPerHost = mostPerHost;
  }

  /**
   * Runs the work when there is room for it. The caller bounds how much may wait.
   * @throws the signal's reason when it aborts before there was room; what the work throws.
   */
  async run<T>(host: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#enter(host, signal);
    try {
      return await work();
    } finally {
      this.#leave(host);
    }
  }

  async #enter(host: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#hasRoom(host)) {
      this.#take(host);
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const waiting = {
        host,
        enter: (): void => {
          signal.removeEventListener("abort", giveUp);
          resolve();
        },
      };
      const giveUp = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(signal.reason);
      };
      signal.addEventListener("abort", giveUp, { once: true });
      this.#waiting.push(waiting);
    });
  }

  #leave(host: string): void {
    const left = (this.#open.get(host) ?? 1) - 1;
    if (left > 0) this.#open.set(host, left);
    else this.#open.delete(host);
    this.#total--;
    const next = this.#waiting.findIndex((waiting) => this.#hasRoom(waiting.host));
    const [waiting] = next < 0 ? [] : this.#waiting.splice(next, 1);
    if (!waiting) return;
    this.#take(waiting.host);
    waiting.enter();
  }

  #hasRoom(host: string): boolean {
    return this.#total < this.#most && (this.#open.get(host) ?? 0) < this.#mostPerHost;
  }

  #take(host: string): void {
    this.#total++;
    this.#open.set(host, (this.#open.get(host) ?? 0) + 1);
  }
}

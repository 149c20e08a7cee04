/** How many packets may wait for one that is missing. */
const MOST_WAITING = 64;
/** How long they wait for it, milliseconds. */
const LONGEST_WAIT_MS = 60;
/** A number so far from the expected one begins a new count. */
const FARTHEST = 1_000;
const NUMBERS = 65_536;
const SHORTEST_PACKET = 12;

/**
 * Puts RTP packets (RFC 3550, 5.1) that came by UDP back into the order of their numbers: the few that
 * overtook others wait a moment, those that come too late or twice are dropped.
 */
export class RtpOrder {
  readonly #waiting = new Map<number, Buffer>();
  #expected: number | undefined;
  #waitingSince = 0;

  /** Whether packets wait; then call `release` now and then. */
  get isWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  /**
   * Takes a packet and gives those whose turn it is now.
   * @param now milliseconds on any clock that only goes forward
   */
  push(packet: Buffer, now: number): Buffer[] {
    if (packet.length < SHORTEST_PACKET) return [];
    const number = packet.readUInt16BE(2);
    this.#expected ??= number;
    const ahead = distance(this.#expected, number);
    if (Math.abs(ahead) > FARTHEST) return this.#beginAnew(packet, number);
    if (ahead < 0) return [];
    if (ahead > 0 && this.#waiting.size === 0) this.#waitingSince = now;
    this.#waiting.set(number, packet);
    const ready = this.#takeReady();
    if (ready.length > 0) this.#waitingSince = now;
    return [...ready, ...this.release(now)];
  }

  /** Gives up those that are missing, where the others have waited for long enough. */
  release(now: number): Buffer[] {
    const isDue = now - this.#waitingSince >= LONGEST_WAIT_MS || this.#waiting.size > MOST_WAITING;
    if (!this.isWaiting || !isDue) return [];
    this.#waitingSince = now;
    this.#expected = this.#nearest();
    return this.#takeReady();
  }

  #takeReady(): Buffer[] {
    const ready: Buffer[] = [];
    for (;;) {
      const expected = this.#expected ?? 0;
      const packet = this.#waiting.get(expected);
      if (!packet) return ready;
      this.#waiting.delete(expected);
      this.#expected = (expected + 1) % NUMBERS;
      ready.push(packet);
    }
  }

  #nearest(): number {
    const expected = this.#expected ?? 0;
    const ahead = [...this.#waiting.keys()].map((number) => distance(expected, number));
    return (expected + Math.min(...ahead)) % NUMBERS;
  }

  #beginAnew(packet: Buffer, number: number): Buffer[] {
    const expected = this.#expected ?? 0;
    const left = [...this.#waiting].sort(([a], [b]) => distance(expected, a) - distance(expected, b));
    this.#waiting.clear();
    this.#expected = (number + 1) % NUMBERS;
    return [...left.map(([, waiting]) => waiting), packet];
  }
}

/** From one number to another, the shorter way around; negative where it lies behind. */
function distance(from: number, to: number): number {
  const ahead = (to - from + NUMBERS) % NUMBERS;
  return ahead >= NUMBERS / 2 ? ahead - NUMBERS : ahead;
}

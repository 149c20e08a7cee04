const SMALLEST = 64 * 1024;

/** Bytes that wait to be understood. Appending costs the same per byte, however small the pieces are. */
export class ByteQueue {
  #memory = Buffer.allocUnsafeSlow(SMALLEST);
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  /** What waits, without a copy: good until the next call of append. */
  get bytes(): Buffer {
    return this.#memory.subarray(this.#start, this.#end);
  }

  append(bytes: Uint8Array): void {
    const needed = this.length + bytes.length;
    if (this.#end + bytes.length > this.#memory.length) this.#makeRoom(needed);
    this.#memory.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** Forgets the first bytes. */
  drop(count: number): void {
    this.#start = Math.min(this.#start + count, this.#end);
  }

  /** The first bytes, in memory of their own; they are forgotten here. */
  take(count: number): Buffer {
    const taken = Buffer.allocUnsafeSlow(Math.min(count, this.length));
    taken.set(this.bytes.subarray(0, taken.length));
    this.drop(taken.length);
    return taken;
  }

  /** Moves what waits to the front, into larger memory unless half of it would stay free. */
  #makeRoom(needed: number): void {
    const waiting = this.bytes;
    const target = needed * 2 > this.#memory.length ? Buffer.allocUnsafeSlow(needed * 2) : this.#memory;
    target.set(waiting);
    this.#memory = target;
    this.#end = waiting.length;
    this.#start = 0;
  }
}

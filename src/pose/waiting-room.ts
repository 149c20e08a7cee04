/**
 * Where frames wait for the one inference at a time: at most the latest of each camera, and cameras are served in
 * turn, however many frames each sends. Waiting is bounded: where too many cameras wait, the longest waiting leaves.
 */
export class WaitingRoom<Item> {
  /** A Map keeps the order of arrival, and a replaced value keeps its key's place: that is the whole policy. */
  readonly #waiting = new Map<string, Item>();
  readonly #capacity: number;

  /** @param capacity most cameras that may wait, at least 1 */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Returns the item that has to leave for this one: an older one of the same camera, or one that waited longest. */
  put(camera: string, item: Item): Item | undefined {
    const older = this.#waiting.get(camera);
    const overtaken = older === undefined && this.#waiting.size === this.#capacity ? this.take() : older;
    this.#waiting.set(camera, item);
    return overtaken;
  }

  /** The next camera's item. */
  take(): Item | undefined {
    for (const [camera, item] of this.#waiting) {
      this.#waiting.delete(camera);
      return item;
    }
    return undefined;
  }

  /** Removes and returns all items, or those that `leaves` holds for. */
  clear(leaves: (item: Item) => boolean = () => true): Item[] {
    const gone: Item[] = [];
    for (const [camera, item] of this.#waiting) {
      if (!leaves(item)) continue;
      this.#waiting.delete(camera);
      gone.push(item);
    }
    return gone;
  }
}

import { setTimeout as sleep } from "node:timers/promises";
import type { PtzVelocity } from "./device.ts";

/** Tells the camera how fast to move from now on. */
export type Drive = (velocity: Required<PtzVelocity>, signal: AbortSignal) => Promise<void>;

const STILL = { pan: 0, tilt: 0, zoom: 0 } as const;
const STOP_MS = 3000;
/** A camera that misses its stop runs on to the end of its rail. */
const STOP_TRIES = 3;

/** Moves of a camera that knows of no end but the next command: this keeps the time for it. */
export class TimedMoves {
  readonly #drive: Drive;
  /** Ends the wait of the move that is under way. */
  #wait = new AbortController();
  #stopping: Promise<void> = Promise.resolve();

  constructor(drive: Drive) {
    this.#drive = drive;
  }

  /** Fulfils when the camera moves; where a time is given, it is stopped by itself unless another command comes first. */
  async move(velocity: PtzVelocity, forMs: number | undefined, signal: AbortSignal): Promise<void> {
    const wait = this.#supersede();
    await this.#drive(limited(velocity), signal);
    if (forMs !== undefined) this.#stopping = this.#stopAfter(forMs, wait);
  }

  async stop(signal: AbortSignal): Promise<void> {
    this.#supersede();
    await this.#drive(STILL, signal);
  }

  /** Stops a camera that moves for a while at once; one that moves without end goes on. */
  async close(): Promise<void> {
    this.#wait.abort("closed");
    await this.#stopping;
  }

  #supersede(): AbortSignal {
    this.#wait.abort("superseded");
    this.#wait = new AbortController();
    return this.#wait.signal;
  }

  /** Nobody waits for this, so that its failure is nobody's. */
  async #stopAfter(forMs: number, wait: AbortSignal): Promise<void> {
    await sleep(forMs, undefined, { signal: wait }).catch(() => undefined);
    for (let tries = 0; tries < STOP_TRIES && wait.reason !== "superseded"; tries++) {
      const stopped = await this.#drive(STILL, AbortSignal.timeout(STOP_MS)).then(
        () => true,
        () => false,
      );
      if (stopped) return;
    }
  }
}

function limited({ pan = 0, tilt = 0, zoom = 0 }: PtzVelocity): Required<PtzVelocity> {
  const limit = (value: number) => Math.min(1, Math.max(-1, value));
  return { pan: limit(pan), tilt: limit(tilt), zoom: limit(zoom) };
}

import type { Posture } from "./posture.ts";

/** A person in one picture, and for how much time that picture stands. */
export interface Observation {
  /** Epoch milliseconds. */
  readonly timestamp: number;
  /** Since the observation before, at most `MAX_GAP_MS`; 0 for the first. */
  readonly seconds: number;
  readonly posture: Posture;
}

const WINDOW_MS = 2500;

/** A longer gap between two sightings is not evidence of what happened in between. */
const MAX_GAP_MS = 750;

/** At 25 frames a second a window is full; at more it gets shorter. */
const MAX_OBSERVATIONS = 64;

const MAX_PERSONS = 256;
const MAX_CAMERAS = 256;

/** @returns the last 2.5 s of a person once `posture` is added. A clock that runs backwards begins anew. */
export function extendWindow(window: readonly Observation[], timestamp: number, posture: Posture): Observation[] {
  const last = window.at(-1);
  if (!last || timestamp < last.timestamp) return [{ timestamp, seconds: 0, posture }];
  if (timestamp === last.timestamp) return [...window.slice(0, -1), { ...last, posture }];
  const seconds = Math.min(timestamp - last.timestamp, MAX_GAP_MS) / 1000;
  const start = timestamp - WINDOW_MS;
  const recent = window.filter((observation) => observation.timestamp - observation.seconds * 1000 >= start);
  return [...recent, { timestamp, seconds, posture }].slice(-MAX_OBSERVATIONS);
}

/** The windows of everybody in sight, by camera and person. People are forgotten once their window is over. */
export class Windows {
  readonly #cameras = new Map<string, Map<string, Observation[]>>();

  /** Number of persons that are remembered. */
  get size(): number {
    return [...this.#cameras.values()].reduce((sum, persons) => sum + persons.size, 0);
  }

  /** @returns the window of the person, with what was just seen. */
  extend(camera: string, person: string, timestamp: number, posture: Posture): readonly Observation[] {
    const persons = this.#cameras.get(camera) ?? new Map<string, Observation[]>();
    putLast(this.#cameras, camera, persons, MAX_CAMERAS);
    const window = extendWindow(persons.get(person) ?? [], timestamp, posture);
    putLast(persons, person, window, MAX_PERSONS);
    return window;
  }

  /** Forgets who has not been seen on this camera for the length of a window. */
  forgetUnseen(camera: string, timestamp: number): void {
    const persons = this.#cameras.get(camera);
    if (!persons) return;
    for (const [person, window] of persons) {
      const last = window.at(-1);
      if (!last || Math.abs(timestamp - last.timestamp) > WINDOW_MS) persons.delete(person);
    }
    if (persons.size === 0) this.#cameras.delete(camera);
  }
}

/** Puts an entry behind all others, and drops the first ones beyond the limit: those not used for longest. */
function putLast<Value>(map: Map<string, Value>, key: string, value: Value, limit: number): void {
  map.delete(key);
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= limit) return;
    map.delete(oldest);
  }
}

import { type Body, between, torsoLength } from "./body.ts";
import { MEASURES, measure } from "./measures.ts";

/** Bodies are looked at this often, whatever the frame rate. */
export const RATE = 15;
const TICK_MS = 1000 / RATE;

/** Ticks of a window: 8, a good half second. */
export const WINDOW_TICKS = 8;

/** Speeds are measured over 3 ticks, 0.2 s: over one of them they would be those of the pose model's jitter. */
const SPEED_TICKS = 3;

/** A longer gap between two sightings is not bridged: the window begins anew. */
export const MAX_GAP_MS = 750;

/** Clocks of cameras tremble; a tick this close is taken to be due. */
const TOLERANCE_MS = 2;

const STATISTICS = ["mean", "std", "min", "max"] as const;

/** The columns of a row of features, such as `noseBelowEars.mean`. */
export const FEATURES: readonly string[] = MEASURES.flatMap((name) => STATISTICS.map((what) => `${name}.${what}`));

interface Tick {
  readonly body: Body;
  readonly torso: number;
  readonly measures: Float32Array;
}

/** The features of a person at one time. */
export interface FeatureRow {
  /** Milliseconds, on the clock of the sightings. */
  readonly timestamp: number;
  /** One value per `FEATURES`, NaN where it is not known. */
  readonly values: Float32Array;
}

/**
 * Turns the poses of one person, one at a time, into rows of features: mean, standard deviation, least and
 * most of each measure over the last 8 ticks of 1/15 s. Sightings at any other rate are resampled to
 * these ticks, on a straight line between two of them.
 *
 * Nothing is said until a window is full: how long somebody has been seen must not show in a row, for in
 * collections of clips it tells which clip it is.
 */
export class TrackFeatures {
  #ticks: Tick[] = [];
  #last: { readonly timestamp: number; readonly body: Body } | undefined;
  #due = 0;

  /**
   * Takes the next sighting of the person.
   *
   * @param timestamp milliseconds. A clock that runs backwards begins anew; a time that was already seen is ignored.
   * @returns one row per tick that it completes, oldest first; none while the window is not full.
   */
  push(timestamp: number, body: Body): FeatureRow[] {
    const last = this.#last;
    if (last && timestamp === last.timestamp) return [];
    this.#last = { timestamp, body };
    if (!last || timestamp < last.timestamp || timestamp - last.timestamp > MAX_GAP_MS) {
      this.#ticks = [];
      this.#due = timestamp;
    }
    const rows: FeatureRow[] = [];
    while (this.#due <= timestamp + TOLERANCE_MS) {
      const due = this.#due;
      this.#due += TICK_MS;
      const share = last ? (due - last.timestamp) / (timestamp - last.timestamp) : 1;
      const values = this.#tick(this.#ticks.length === 0 || !last ? body : between(last.body, body, share));
      if (values) rows.push({ timestamp: due, values });
    }
    return rows;
  }

  #tick(body: Body): Float32Array | undefined {
    const ticks = this.#ticks;
    const torso = median([...ticks.slice(1 - WINDOW_TICKS).map((tick) => tick.torso), torsoLength(body)]);
    const measures = measure(body, torso, ticks.at(-SPEED_TICKS)?.body, SPEED_TICKS / RATE);
    ticks.push({ body, torso: torsoLength(body), measures });
    if (ticks.length > WINDOW_TICKS) ticks.shift();
    return ticks.length === WINDOW_TICKS ? summarise(ticks.map((tick) => tick.measures)) : undefined;
  }
}

/** A track as it was recorded. */
export interface RecordedTrack {
  /** Milliseconds, ascending. */
  readonly timestamps: ArrayLike<number>;
  readonly bodies: readonly Body[];
}

/** @returns all rows of a recorded track, the same that `TrackFeatures` gives while it is being recorded. */
export function featuresOfTrack({ timestamps, bodies }: RecordedTrack): FeatureRow[] {
  const features = new TrackFeatures();
  return bodies.flatMap((body, index) => features.push(timestamps[index] as number, body));
}

/** Mean, standard deviation, least and most of each measure over those rows in which it is known. */
function summarise(rows: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(FEATURES.length);
  for (let column = 0; column < MEASURES.length; column++) {
    let count = 0;
    let sum = 0;
    let squares = 0;
    let least = Number.POSITIVE_INFINITY;
    let most = Number.NEGATIVE_INFINITY;
    for (const row of rows) {
      const value = row[column] as number;
      if (Number.isNaN(value)) continue;
      count++;
      sum += value;
      squares += value * value;
      if (value < least) least = value;
      if (value > most) most = value;
    }
    const mean = sum / count;
    const at = column * STATISTICS.length;
    out[at] = mean;
    out[at + 1] = Math.sqrt(Math.max(0, squares / count - mean * mean));
    out[at + 2] = count > 0 ? least : Number.NaN;
    out[at + 3] = count > 0 ? most : Number.NaN;
  }
  return out;
}

function median(values: readonly number[]): number {
  const known = values.filter((value) => !Number.isNaN(value)).sort((one, other) => one - other);
  return known.length > 0 ? (known[Math.floor(known.length / 2)] as number) : Number.NaN;
}

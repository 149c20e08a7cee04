import { isTheft, type RecordedPerson } from "../features/recording.ts";

/** A person raises at most one alert in this time; what is seen meanwhile belongs to it. */
export const ALERT_SECONDS = 30;

/** An alert may come this long after the end: scores are smoothed over the past. */
export const LATE_SECONDS = 1;

/** At so many false alerts per person-hour recall is told. */
export const BUDGETS = [5, 10, 20, 40] as const;

/** One person with a score for each frame in which they were seen. */
export interface ScoredPerson {
  readonly person: RecordedPerson;
  /** NaN where there is none. */
  readonly scores: Float64Array;
}

const MAX_THRESHOLDS = 250;

/** How many alerts a threshold raises in each video. */
interface Outcome {
  readonly threshold: number;
  readonly falseAlerts: Uint16Array;
  readonly foundThefts: Uint16Array;
}

/**
 * Alerts that scores would raise, for all thresholds. An alert opens in the frame in which a person's score
 * reaches the threshold and lasts 30 s, in which that person opens no other. It is right if in one of
 * its frames at or above the threshold a theft is going on in the video, or ended at most 1 s before; else it is false.
 * A theft is found if at least one alert is right about it, whoever of the persons raised it, because the
 * labels do not say whose it is. Person-hours are those outside thefts.
 */
export class AlertCurve {
  readonly #hours: Float64Array;
  readonly #thefts: Uint16Array;
  readonly #outcomes: readonly Outcome[];

  /** @param videos names; a group of `recallAt`'s weights is an index into them. */
  constructor(scored: readonly ScoredPerson[], videos: readonly string[]) {
    const index = new Map(videos.map((video, position) => [video, position]));
    const groupOf = (person: RecordedPerson): number => index.get(person.video.video) as number;
    this.#hours = new Float64Array(videos.length);
    this.#thefts = new Uint16Array(videos.length);
    for (const { person } of scored) {
      const { video, frames } = person;
      this.#thefts[groupOf(person)] = video.theft.length;
      const ordinary = frames.reduce((count, frame) => count + (isTheft(video, frame) ? 0 : 1), 0);
      this.#hours[groupOf(person)] = (this.#hours[groupOf(person)] as number) + ordinary / video.fps / 3600;
    }
    this.#outcomes = thresholdsOf(scored).map((threshold) => outcomeOf(scored, threshold, groupOf, videos.length));
  }

  /**
   * The largest share of thefts that any threshold finds with at most so many false alerts per person-hour.
   *
   * @param weights how often each video counts; without them, once.
   */
  recallAt(budget: number, weights?: ArrayLike<number>): number {
    const thefts = total(this.#thefts, weights);
    const within = this.#within(budget, weights);
    return within.reduce((most, { foundThefts }) => Math.max(most, total(foundThefts, weights) / thefts), 0);
  }

  /** @returns the lowest threshold with at most so many false alerts per person-hour; above all scores where none has. */
  thresholdAt(budget: number): number {
    return Math.min(Number.POSITIVE_INFINITY, ...this.#within(budget).map(({ threshold }) => threshold));
  }

  #within(budget: number, weights?: ArrayLike<number>): Outcome[] {
    const most = budget * total(this.#hours, weights);
    return this.#outcomes.filter(({ falseAlerts }) => total(falseAlerts, weights) <= most);
  }
}

function total(counts: ArrayLike<number>, weights: ArrayLike<number> | undefined): number {
  let sum = 0;
  for (let video = 0; video < counts.length; video++) sum += (counts[video] as number) * (weights?.[video] ?? 1);
  return sum;
}

/** Thresholds from the highest score down to one that a third of all frames reach, closer together at the top. */
function thresholdsOf(scored: readonly ScoredPerson[]): number[] {
  const all = Float64Array.from(scored.flatMap(({ scores }) => Array.from(scores))).filter(
    (score) => !Number.isNaN(score),
  );
  all.sort().reverse();
  if (all.length === 0) return [];
  const ratio = all.length / 3;
  const positions = Array.from(
    { length: MAX_THRESHOLDS },
    (_, step) => Math.floor(ratio ** (step / (MAX_THRESHOLDS - 1))) - 1,
  );
  return [...new Set(positions.map((position) => all[Math.max(0, position)] as number))];
}

function outcomeOf(
  scored: readonly ScoredPerson[],
  threshold: number,
  groupOf: (person: RecordedPerson) => number,
  groups: number,
): Outcome {
  const falseAlerts = new Uint16Array(groups);
  const found = new Map<number, Set<number>>();
  for (const { person, scores } of scored) {
    const group = groupOf(person);
    for (const alert of alertsOf(person, scores, threshold)) {
      if (alert.length === 0) falseAlerts[group] = (falseAlerts[group] as number) + 1;
      else found.set(group, new Set([...(found.get(group) ?? []), ...alert]));
    }
  }
  return {
    threshold,
    falseAlerts,
    foundThefts: Uint16Array.from({ length: groups }, (_, group) => found.get(group)?.size ?? 0),
  };
}

/** @returns for each alert of a person, the thefts of the video (their indexes) that it is right about. */
export function alertsOf({ video, frames }: RecordedPerson, scores: Float64Array, threshold: number): number[][] {
  const alerts: { readonly opened: number; readonly thefts: Set<number> }[] = [];
  for (let index = 0; index < frames.length; index++) {
    if (!((scores[index] as number) >= threshold)) continue;
    const frame = frames[index] as number;
    let alert = alerts.at(-1);
    if (!alert || frame - alert.opened >= ALERT_SECONDS * video.fps) {
      alert = { opened: frame, thefts: new Set() };
      alerts.push(alert);
    }
    for (const [position, [first, last]] of video.theft.entries()) {
      if (frame >= first && frame <= last + LATE_SECONDS * video.fps) alert.thefts.add(position);
    }
  }
  return alerts.map(({ thefts }) => [...thefts]);
}

import { type Degradation, degrade, UNHARMED } from "../features/degrade.ts";
import { seededRandom } from "../features/random.ts";
import { camerasOf, ofCameras, type RecordedPerson, type Recordings } from "../features/recording.ts";
import type { RateRow } from "../features/track-score.ts";
import type { ScoredPerson } from "./alerts.ts";
import { type Figures, figuresOf } from "./figures.ts";
import { scoreAtRandom, scorePerson } from "./score-persons.ts";

/** Something that scores people of a camera, and how its scores are smoothed. */
export interface Judge {
  readonly rate: RateRow;
  /** Share of the newest row in the exponential mean. */
  readonly smoothing: number;
}

/** Gives the judge of a camera; for held-out cameras one that has not seen it. */
export type JudgeOf = (camera: string) => Judge;

/** What one scorer is worth under both protocols. */
export interface Verdict {
  /**
   * Leave one camera out: each camera by a judge that has not seen it, all videos, frames ranked within each camera, mean
   * over cameras.
   */
  readonly loco: Figures;
  /**
   * As the split of 69 videos on which published figures are told: all videos with a theft and every third of the
   * others of each camera, frames of all cameras ranked together. Judges are the same.
   */
  readonly split: Figures;
}

const EVERY_OTHER = 3;

/** The runs that show what a worse camera or another pose model costs. */
export const DEGRADATIONS: Readonly<Record<string, Degradation>> = {
  "jitter of 2 % of the torso": { ...UNHARMED, jitter: 0.02 },
  "jitter of 4 % of the torso": { ...UNHARMED, jitter: 0.04 },
  "20 % of the joints missing": { ...UNHARMED, missing: 0.2 },
  "10 frames a second": { ...UNHARMED, fps: 10 },
  "5 frames a second": { ...UNHARMED, fps: 5 },
  "2 frames a second": { ...UNHARMED, fps: 2 },
};

export function scoreAll({ persons }: Recordings, judgeOf: JudgeOf): ScoredPerson[] {
  return persons.map((person) => {
    const { rate, smoothing } = judgeOf(person.video.camera);
    return scorePerson(person, rate, smoothing);
  });
}

export function scoreAllAtRandom({ persons }: Recordings, seed: number): ScoredPerson[] {
  const random = seededRandom(seed);
  return persons.map((person) => scoreAtRandom(person, random));
}

/** @param resamples of videos, for the intervals. */
export function verdictOn(recordings: Recordings, scored: readonly ScoredPerson[], resamples: number): Verdict {
  const split = splitOf(recordings);
  return {
    loco: figuresOf(scored, "cameras", resamples),
    split: figuresOf(
      scored.filter(({ person }) => split.has(person.video.video)),
      "pooled",
      resamples,
    ),
  };
}

/** The same judges on the same recordings, made worse. */
export function verdictsWhenDegraded(
  recordings: Recordings,
  judgeOf: JudgeOf,
  resamples: number,
): ReadonlyMap<string, Figures> {
  const runs = Object.entries(DEGRADATIONS).map(([name, degradation]) => {
    const worse = degrade(recordings, degradation, seededRandom(1));
    return [name, figuresOf(scoreAll(worse, judgeOf), "cameras", resamples)] as const;
  });
  return new Map(runs);
}

/** @returns names of the videos of the split. */
export function splitOf(recordings: Recordings): ReadonlySet<string> {
  const names = camerasOf(recordings).flatMap((camera) => {
    const { videos } = ofCameras(recordings, (other) => other === camera);
    const others = videos.filter(({ theft }) => theft.length === 0);
    return [
      ...videos.filter(({ theft }) => theft.length > 0),
      ...others.filter((_, index) => index % EVERY_OTHER === 0),
    ];
  });
  return new Set(names.map(({ video }) => video));
}

/** Person-hours, thefts and videos: how much a figure rests on. */
export function extentOf({ videos, persons }: Recordings): { videos: number; thefts: number; personHours: number } {
  const hoursOf = ({ video, frames }: RecordedPerson): number => frames.length / video.fps / 3600;
  return {
    videos: videos.length,
    thefts: videos.reduce((sum, { theft }) => sum + theft.length, 0),
    personHours: persons.reduce((sum, person) => sum + hoursOf(person), 0),
  };
}

import { seededRandom } from "../features/random.ts";
import { isTheft } from "../features/recording.ts";
import { AlertCurve, BUDGETS, type ScoredPerson } from "./alerts.ts";
import { type Interval, interval, resamples } from "./bootstrap.ts";
import { Ranking } from "./ranking.ts";

/**
 * `cameras` ranks the frames of each camera by themselves and takes the mean over cameras; `pooled` ranks all frames
 * together.
 */
export type Ranked = "cameras" | "pooled";

export interface Figure {
  readonly value: number;
  /** 95 %, by resampling videos. */
  readonly interval: Interval;
}

export interface Figures {
  readonly auc: Figure;
  readonly averagePrecision: Figure;
  /** Share of the thefts that are found at each of `BUDGETS` false alerts per person-hour. */
  readonly recall: readonly Figure[];
  /** AUC of each camera. */
  readonly cameras: ReadonlyMap<string, number>;
}

/**
 * Judges scores per frame, by the person with the highest score in it, and by the alerts that they would raise.
 * Frames without a person are left out: no score is needed to know them.
 */
export function figuresOf(scored: readonly ScoredPerson[], ranked: Ranked, resampleCount: number, seed = 1): Figures {
  const videos = [...new Set(scored.map(({ person }) => person.video.video))];
  const cameras = [...new Set(scored.map(({ person }) => person.video.camera))];
  const pools = ranked === "pooled" ? [scored] : cameras.map((camera) => ofCamera(scored, camera));
  const rankings = pools.map((pool) => rankingOf(pool, videos));
  const alerts = new AlertCurve(scored, videos);
  const measureAll = (weights?: ArrayLike<number>): number[] => {
    const qualities = rankings.map((ranking) => ranking.quality(weights));
    return [
      mean(qualities.map(({ auc }) => auc)),
      mean(qualities.map(({ averagePrecision }) => averagePrecision)),
      ...BUDGETS.map((budget) => alerts.recallAt(budget, weights)),
    ];
  };
  const values = measureAll();
  const others = Array.from(resamples(videos.length, resampleCount, seededRandom(seed)), measureAll);
  const [auc, averagePrecision, ...recall] = values.map(
    (value, index): Figure => ({ value, interval: interval(others.map((other) => other[index] as number)) }),
  );
  return {
    auc: auc as Figure,
    averagePrecision: averagePrecision as Figure,
    recall,
    cameras: new Map(
      cameras.map((camera) => [camera, rankingOf(ofCamera(scored, camera), videos).quality().auc] as const),
    ),
  };
}

function ofCamera(scored: readonly ScoredPerson[], camera: string): ScoredPerson[] {
  return scored.filter(({ person }) => person.video.camera === camera);
}

/** A person without a score yet is the least worth a look. */
function rankingOf(scored: readonly ScoredPerson[], videos: readonly string[]): Ranking {
  const groups = new Map(videos.map((video, index) => [video, index]));
  const frames = new Map<string, { score: number; label: number; group: number }>();
  for (const { person, scores } of scored) {
    const { video } = person;
    for (const [index, frame] of person.frames.entries()) {
      const key = `${video.video} ${frame}`;
      const score = Number.isNaN(scores[index]) ? Number.NEGATIVE_INFINITY : (scores[index] as number);
      const entry = frames.get(key);
      if (entry) entry.score = Math.max(entry.score, score);
      else frames.set(key, { score, label: isTheft(video, frame) ? 1 : 0, group: groups.get(video.video) as number });
    }
  }
  const all = [...frames.values()];
  return new Ranking({
    scores: Float64Array.from(all, ({ score }) => score),
    labels: Uint8Array.from(all, ({ label }) => label),
    groups: Int32Array.from(all, ({ group }) => group),
  });
}

/** Of those that are known: a camera without a theft has no AUC. */
function mean(values: readonly number[]): number {
  const known = values.filter((value) => !Number.isNaN(value));
  return known.reduce((sum, value) => sum + value, 0) / known.length;
}

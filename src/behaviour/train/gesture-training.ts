import type { Body } from "../features/body.ts";
import { harm } from "../features/degrade.ts";
import { seededRandom } from "../features/random.ts";
import { isTheft, type RecordedPerson, type Recordings } from "../features/recording.ts";
import { FEATURES, featuresOfTrack } from "../features/track-features.ts";
import type { TrainingTable } from "./table.ts";
import type { TrainedTrees, TrainingSettings } from "./train-trees.ts";
import { marginsOf } from "./trained-margins.ts";

/** Trains on a table; `trainTrees`, or the same in a thread. */
export type Train = (
  table: TrainingTable,
  settings: TrainingSettings,
  heldOut?: TrainingTable,
) => TrainedTrees | Promise<TrainedTrees>;

/** What the people of recordings look like over time, and whether a theft is going on. */
export interface Examples {
  readonly table: TrainingTable;
  /** For each row, which of the persons it shows. */
  readonly persons: Int32Array;
}

export interface GestureTraining extends TrainingSettings {
  /** Whether the model also sees everybody through a worse camera: up to 5 % of jitter and 20 % of absent joints. */
  readonly harmed: boolean;
}

/** What `aislewatch train` does unless told otherwise; found on PoseLift's cameras 1 to 4, left out in turn. */
export const GESTURE_TRAINING: GestureTraining = {
  trees: 340,
  models: 2,
  depth: 3,
  learningRate: 0.12,
  l2: 1,
  minChildWeight: 5,
  minGain: 0,
  rowShare: 0.5,
  columnShare: 0.1,
  seed: 1,
  patience: 50,
  harmed: false,
};

/** Share of the newest row in the exponential mean over a person's scores. */
export const SMOOTHING = 0.07;

const WORST = { jitter: 0.05, missing: 0.2 };

/** Trees of the model that only says who of several people is the likeliest. */
const FIRST_TREES = 60;

export function examplesOf({ persons }: Recordings, harmed: boolean, seed: number): Examples {
  const random = seededRandom(seed);
  const values: Float32Array[] = [];
  const labels: number[] = [];
  const owners: number[] = [];
  const add = (person: RecordedPerson, bodies: readonly Body[], owner: number): void => {
    const { video, frames } = person;
    const timestamps = frames.length > 0 ? Float64Array.from(frames, (frame) => (frame * 1000) / video.fps) : [];
    for (const row of featuresOfTrack({ timestamps, bodies })) {
      values.push(row.values);
      labels.push(isTheft(video, Math.round((row.timestamp * video.fps) / 1000)) ? 1 : 0);
      owners.push(owner);
    }
  };
  for (const [owner, person] of persons.entries()) {
    add(person, person.bodies, owner);
    if (!harmed) continue;
    const [jitter, missing] = [WORST.jitter * random(), WORST.missing * random()];
    add(
      person,
      person.bodies.map((body) => harm(body, jitter, missing, random)),
      owner,
    );
  }
  const all = new Float32Array(values.length * FEATURES.length);
  for (const [row, own] of values.entries()) all.set(own, row * FEATURES.length);
  const table = {
    columns: FEATURES,
    values: all,
    labels: Uint8Array.from(labels),
    weights: new Float32Array(labels.length).fill(1),
  };
  return { table: { ...table, weights: balanced(table.labels, table.weights) }, persons: Int32Array.from(owners) };
}

/**
 * Trains a model of gestures. Labels say when, not who: of several people in a clip of a theft only the
 * likeliest, by a first and smaller model, stays an example; the others count neither way meanwhile.
 *
 * @param heldOut recordings of other cameras that decide how many trees are kept.
 * @throws CctvError DATA_INVALID, SETTING_INVALID
 */
export async function trainGesture(
  recordings: Recordings,
  settings: GestureTraining,
  train: Train,
  heldOut?: Recordings,
): Promise<TrainedTrees> {
  const examples = examplesOf(recordings, settings.harmed, settings.seed);
  const test = heldOut && examplesOf(heldOut, false, settings.seed).table;
  const doubtful = doubtfulPersons(recordings, examples);
  if (doubtful.size === 0) return await train(examples.table, settings, test);

  const first = await train(examples.table, { ...settings, trees: Math.min(FIRST_TREES, settings.trees), models: 1 });
  const { table } = examples;
  const weights = withoutUnlikely(examples, marginsOf(first, table), recordings, doubtful);
  return await train({ ...table, weights: balanced(table.labels, weights) }, settings, test);
}

/** @returns those who are not alone in having been seen during a theft of their video. */
function doubtfulPersons({ persons }: Recordings, { table, persons: owners }: Examples): ReadonlySet<number> {
  const present = new Set(Array.from(owners).filter((_, row) => table.labels[row] === 1));
  const perVideo = new Map<string, number[]>();
  for (const owner of present) {
    const { video } = (persons[owner] as RecordedPerson).video;
    perVideo.set(video, [...(perVideo.get(video) ?? []), owner]);
  }
  return new Set([...perVideo.values()].filter((owners) => owners.length > 1).flat());
}

/** Weights 1, and 0 for rows during a theft of persons who are not the likeliest of their video. */
function withoutUnlikely(
  { table, persons: owners }: Examples,
  margins: Float64Array,
  { persons }: Recordings,
  doubtful: ReadonlySet<number>,
): Float32Array {
  const sums = new Map<number, { sum: number; rows: number }>();
  for (const [row, owner] of owners.entries()) {
    if (!doubtful.has(owner) || table.labels[row] !== 1) continue;
    const { sum, rows } = sums.get(owner) ?? { sum: 0, rows: 0 };
    sums.set(owner, { sum: sum + (margins[row] as number), rows: rows + 1 });
  }
  const likeliest = new Map<string, { owner: number; mean: number }>();
  for (const [owner, { sum, rows }] of sums) {
    const { video } = (persons[owner] as RecordedPerson).video;
    const best = likeliest.get(video);
    if (!best || sum / rows > best.mean) likeliest.set(video, { owner, mean: sum / rows });
  }
  const kept = new Set([...likeliest.values()].map(({ owner }) => owner));
  return Float32Array.from(owners, (owner, row) =>
    table.labels[row] === 1 && doubtful.has(owner) && !kept.has(owner) ? 0 : 1,
  );
}

/** Gives both kinds of rows the same weight in sum: thefts are rare. */
function balanced(labels: Uint8Array, weights: Float32Array): Float32Array {
  const total = [0, 0];
  for (const [row, label] of labels.entries()) total[label] = (total[label] as number) + (weights[row] as number);
  const [others, found] = total as [number, number];
  return found === 0 ? weights : weights.map((weight, row) => (labels[row] ? (weight * others) / found : weight));
}

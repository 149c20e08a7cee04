import { camerasOf, isTheft, ofCameras, type Recordings } from "../features/recording.ts";
import { gestureJson, probability, rateBy } from "../train/gesture-file.ts";
import { type GestureTraining, SMOOTHING, type Train, trainGesture } from "../train/gesture-training.ts";
import type { TrainedTrees } from "../train/train-trees.ts";
import { parseTrees } from "../trees/load.ts";
import { AlertCurve } from "./alerts.ts";
import { type Judge, type JudgeOf, scoreAll } from "./protocol.ts";

/** Trained without each of the cameras in turn; those without a theft are left to a model of the others all the same. */
export async function judgesWithoutTheirCamera(
  recordings: Recordings,
  settings: GestureTraining,
  train: Train,
  onCamera: (camera: string) => void = () => {},
): Promise<JudgeOf> {
  const judges = new Map<string, Judge>();
  for (const camera of camerasOf(recordings)) {
    onCamera(camera);
    const others = ofCameras(recordings, (other) => other !== camera);
    judges.set(camera, judgeBy(await trainGesture(others, settings, train)));
  }
  return (camera) => judges.get(camera) as Judge;
}

/** Scores by the file that the model would be written to, as it would be loaded. */
export function judgeBy(model: TrainedTrees): Judge {
  const json = gestureJson(model, { smoothing: SMOOTHING, threshold: 0.5, cameras: [] });
  return { rate: rateBy(parseTrees(Buffer.from(json))), smoothing: SMOOTHING };
}

/**
 * The score from which persons that a model has not seen raise at most so many false alerts per person-hour, learned from
 * judges that have not seen the camera they judge.
 *
 * @returns 0..1, rounded to 3 digits.
 */
export function thresholdFor(falseAlerts: number, recordings: Recordings, judgeOf: JudgeOf): number {
  const scored = scoreAll(recordings, judgeOf);
  const curve = new AlertCurve(scored, [...new Set(scored.map(({ person }) => person.video.video))]);
  const rounded = Math.ceil(1000 * probability(curve.thresholdAt(falseAlerts))) / 1000;
  return Math.min(1, rounded);
}

/** Cameras on which somebody was seen during a theft: others teach nothing about it. */
export function camerasWithThefts({ persons }: Recordings): ReadonlySet<string> {
  const seen = persons.filter(({ video, frames }) => frames.some((frame) => isTheft(video, frame)));
  return new Set(seen.map(({ video }) => video.camera));
}

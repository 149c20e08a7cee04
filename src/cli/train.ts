import { writeFile } from "node:fs/promises";
import { camerasWithThefts, judgesWithoutTheirCamera, thresholdFor } from "../behaviour/evaluate/leave-one-out.ts";
import { camerasOf, ofCameras, type Recordings, readRecordings } from "../behaviour/features/recording.ts";
import { gestureJson } from "../behaviour/train/gesture-file.ts";
import { type GestureTraining, SMOOTHING, trainGesture } from "../behaviour/train/gesture-training.ts";
import { CctvError } from "../errors.ts";
import type { Console } from "./console.ts";
import { checkCameras, TRAINING_OPTIONS, trainingIn, trainingOf } from "./gesture-training.ts";
import { number, readOptions, required, text, texts } from "./options.ts";

export const TRAIN_HELP = `aislewatch train --data DIR --out FILE
  Trains a model of gestures on recorded tracks and writes it as XGBoost JSON.
  --exclude-camera N   learn nothing from camera N; may be given several times
  --stop-camera N      keep as many trees as suit camera N best, which is then not learned from
  --false-alerts N     choose the threshold for N false alerts per person-hour on cameras that are
                       left out in turn (default 10); 0 does without these trainings and sets it to 0.5
  --seed N             the same seed gives the same model (default 1)
  --trees N --models N --depth N   size of the model
  --harmed             also learn from jittered and incomplete copies of everybody`;

const DEFAULT_FALSE_ALERTS = 10;

/** @throws CctvError SETTING_INVALID, DATA_INVALID */
export async function train(args: readonly string[], console: Console): Promise<void> {
  const values = readOptions(args, {
    data: { type: "string" },
    out: { type: "string" },
    "exclude-camera": { type: "string", multiple: true },
    "stop-camera": { type: "string" },
    "false-alerts": { type: "string" },
    ...TRAINING_OPTIONS,
  });
  const out = required(values, "out");
  const settings = trainingOf(values);
  const falseAlerts = number(values, "false-alerts", DEFAULT_FALSE_ALERTS, 0, 10_000);
  const all = await readRecordings(required(values, "data"));
  const excluded = texts(values, "exclude-camera");
  const stop = text(values, "stop-camera");
  checkCameras(all, excluded, "exclude-camera");
  checkCameras(all, stop === undefined ? [] : [stop], "stop-camera");

  const recordings = ofCameras(all, (camera) => !excluded.includes(camera) && camera !== stop);
  const heldOut = stop === undefined ? undefined : ofCameras(all, (camera) => camera === stop);
  const threshold = falseAlerts === 0 ? 0.5 : await learnThreshold(falseAlerts, recordings, settings, console);
  const cameras = camerasOf(recordings);
  console.note(`training on cameras ${cameras.join(", ")}`);
  const model = await trainGesture(recordings, settings, trainingIn(console), heldOut);
  await writeFile(out, `${gestureJson(model, { smoothing: SMOOTHING, threshold, cameras })}\n`).catch(
    (error: unknown) => {
      throw new CctvError("SETTING_INVALID", `${out} cannot be written; give a file in a folder that is there`, {
        cause: error,
      });
    },
  );
  console.out(`${out}: ${model.trees.length} trees, threshold ${threshold}`);
}

async function learnThreshold(
  falseAlerts: number,
  recordings: Recordings,
  settings: GestureTraining,
  console: Console,
): Promise<number> {
  if (camerasWithThefts(recordings).size < 2) {
    throw new CctvError(
      "DATA_INVALID",
      "a threshold needs two cameras with a theft, so that one can be left out; add recordings or give --false-alerts 0",
    );
  }
  const judgeOf = await judgesWithoutTheirCamera(recordings, settings, trainingIn(console), (camera) =>
    console.note(`for the threshold: training without camera ${camera}`),
  );
  return thresholdFor(falseAlerts, recordings, judgeOf);
}

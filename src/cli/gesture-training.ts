import type { Recordings } from "../behaviour/features/recording.ts";
import { camerasOf } from "../behaviour/features/recording.ts";
import { GESTURE_TRAINING, type GestureTraining, type Train } from "../behaviour/train/gesture-training.ts";
import { trainInThread } from "../behaviour/train/training-thread.ts";
import { CctvError } from "../errors.ts";
import type { Console } from "./console.ts";
import { number, type Values } from "./options.ts";

/** Options of every command that trains. */
export const TRAINING_OPTIONS = {
  seed: { type: "string" },
  trees: { type: "string" },
  models: { type: "string" },
  depth: { type: "string" },
  harmed: { type: "boolean" },
} as const;

export function trainingOf(values: Values): GestureTraining {
  const { seed, trees, models, depth, harmed } = GESTURE_TRAINING;
  return {
    ...GESTURE_TRAINING,
    seed: number(values, "seed", seed, 0, 1e6),
    trees: number(values, "trees", trees, 1, 5000),
    models: number(values, "models", models, 1, 50),
    depth: number(values, "depth", depth, 1, 8),
    harmed: values.harmed === true || harmed,
  };
}

/** Trains in a thread and says every fifty trees how far it is. */
export function trainingIn({ note, signal }: Console): Train {
  return (table, settings, heldOut) => {
    const onProgress = ({
      done,
      total,
      heldOutLoss,
    }: {
      done: number;
      total: number;
      heldOutLoss: number | undefined;
    }) => {
      if (done % 50 !== 0 && done !== total) return;
      const loss = heldOutLoss === undefined ? "" : `, held-out loss ${heldOutLoss.toFixed(4)}`;
      note(`  ${done} of ${total} trees${loss}`);
    };
    return trainInThread(table, settings, { heldOut, onProgress, signal });
  };
}

/** @throws CctvError SETTING_INVALID for a camera that the recordings do not have. */
export function checkCameras(recordings: Recordings, named: readonly string[], option: string): void {
  const cameras = camerasOf(recordings);
  const unknown = named.find((camera) => !cameras.includes(camera));
  if (unknown === undefined) return;
  throw new CctvError(
    "SETTING_INVALID",
    `--${option} ${unknown}: the data has the cameras ${cameras.join(", ")}; name one of them`,
  );
}

import { boxOverlap, withoutDuplicates } from "./overlap.ts";
import { type Box, type Detection, JOINTS, type Keypoint } from "./person.ts";

/** 4 box, 1 score, 17 joints of x, y, visibility. */
export const YOLO_NMS_CHANNELS = 56;
/** 4 box, score, class, 17 joints of x, y, visibility. */
export const YOLO_END_TO_END_CHANNELS = 57;
/** What Ultralytics' own prediction takes by default, as is the overlap below. */
export const YOLO_THRESHOLD = 0.25;

const SAME_BOX = 0.7;
const MAX_CANDIDATES = 1000;
const MAX_PERSONS = 100;
const PERSON_CLASS = 0;

/**
 * Output `[1, 56, N]` of Ultralytics v8 and 11 pose models: channel by channel, centre x, centre y, width, height,
 * score, then the joints. One person comes many times; the best of those that overlap is kept.
 *
 * @returns in pixels of the model's input, by falling score, none below `threshold`
 */
export function decodeYoloNms(output: Float32Array, threshold: number): Detection[] {
  const count = output.length / YOLO_NMS_CHANNELS;
  const value = (channel: number, index: number) => output[channel * count + index] as number;
  const candidates: number[] = [];
  for (let index = 0; index < count; index++) {
    if (value(4, index) >= threshold) candidates.push(index);
  }
  candidates.sort((a, b) => value(4, b) - value(4, a));
  const persons = candidates.slice(0, MAX_CANDIDATES).map((index): Detection => {
    const width = value(2, index);
    const height = value(3, index);
    return {
      box: { x: value(0, index) - width / 2, y: value(1, index) - height / 2, width, height },
      keypoints: JOINTS.map((_, joint): Keypoint => {
        const channel = 5 + 3 * joint;
        return [value(channel, index), value(channel + 1, index), value(channel + 2, index)];
      }),
      score: value(4, index),
    };
  });
  return withoutDuplicates(persons, (kept, other) => boxOverlap(kept.box, other.box) > SAME_BOX, MAX_PERSONS);
}

/**
 * Output `[1, rows, 57]` of YOLO26 pose models, and of older ones that were exported with their NMS: row by row,
 * left, top, right, bottom, score, class, then the joints. Duplicates are already gone.
 *
 * @returns in pixels of the model's input, by falling score, none below `threshold`
 */
export function decodeYoloEndToEnd(output: Float32Array, threshold: number): Detection[] {
  const persons: Detection[] = [];
  for (let start = 0; start < output.length; start += YOLO_END_TO_END_CHANNELS) {
    const row = output.subarray(start, start + YOLO_END_TO_END_CHANNELS);
    const [left, top, right, bottom, score, kind] = row as unknown as [number, number, number, number, number, number];
    if (score < threshold || kind !== PERSON_CLASS) continue;
    const box: Box = { x: left, y: top, width: right - left, height: bottom - top };
    const keypoints = JOINTS.map((_, joint): Keypoint => {
      const [x, y, visibility] = row.subarray(6 + 3 * joint, 9 + 3 * joint) as unknown as [number, number, number];
      return [x, y, visibility];
    });
    persons.push({ box, keypoints, score });
  }
  return persons.sort((a, b) => b.score - a.score).slice(0, MAX_PERSONS);
}

/** One joint: `x` and `y` in 0..1 of the frame's width and height, `score` in 0..1; 0 means absent. */
export type Keypoint = readonly [x: number, y: number, score: number];

/** In 0..1 of the frame's width and height; `x`, `y` is the top left corner. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A person in one picture, before anybody knows who it is. */
export interface Detection {
  readonly box: Box;
  /** 17 joints in COCO order, see `JOINTS`. */
  readonly keypoints: readonly Keypoint[];
  /** 0..1 */
  readonly score: number;
}

/** A detection with the name that the tracker gave it, the same for as long as the person is seen. */
export interface Person extends Detection {
  readonly id: string;
}

/** COCO's key points, in its order. */
export const JOINTS = [
  "nose",
  "leftEye",
  "rightEye",
  "leftEar",
  "rightEar",
  "leftShoulder",
  "rightShoulder",
  "leftElbow",
  "rightElbow",
  "leftWrist",
  "rightWrist",
  "leftHip",
  "rightHip",
  "leftKnee",
  "rightKnee",
  "leftAnkle",
  "rightAnkle",
] as const;

export type Joint = (typeof JOINTS)[number];

/** Index of a joint in `keypoints`. */
export const joint = Object.fromEntries(JOINTS.map((name, index) => [name, index])) as Record<Joint, number>;

/** Pairs of joints that a skeleton draws as limbs. */
export const LIMBS: readonly (readonly [Joint, Joint])[] = [
  ["leftEar", "leftEye"],
  ["leftEye", "nose"],
  ["nose", "rightEye"],
  ["rightEye", "rightEar"],
  ["leftShoulder", "rightShoulder"],
  ["leftShoulder", "leftElbow"],
  ["leftElbow", "leftWrist"],
  ["rightShoulder", "rightElbow"],
  ["rightElbow", "rightWrist"],
  ["leftShoulder", "leftHip"],
  ["rightShoulder", "rightHip"],
  ["leftHip", "rightHip"],
  ["leftHip", "leftKnee"],
  ["leftKnee", "leftAnkle"],
  ["rightHip", "rightKnee"],
  ["rightKnee", "rightAnkle"],
];

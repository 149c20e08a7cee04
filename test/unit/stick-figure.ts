import { JOINTS, type Joint, type Keypoint, type Person } from "../../src/pose/person.ts";

/** Joints of a figure, in lengths of its torso: `x` to the right of the picture, `y` down from the shoulders. */
export type Pose = Readonly<Record<Joint, readonly [x: number, y: number]>>;

/** A person who faces the camera with hanging arms; their left is on the right of the picture. */
export const STANDING: Pose = {
  nose: [0, -0.42],
  leftEye: [0.05, -0.48],
  rightEye: [-0.05, -0.48],
  leftEar: [0.12, -0.45],
  rightEar: [-0.12, -0.45],
  leftShoulder: [0.3, 0],
  rightShoulder: [-0.3, 0],
  leftElbow: [0.36, 0.55],
  rightElbow: [-0.36, 0.55],
  leftWrist: [0.38, 1.08],
  rightWrist: [-0.38, 1.08],
  leftHip: [0.18, 1],
  rightHip: [-0.18, 1],
  leftKnee: [0.18, 1.8],
  rightKnee: [-0.18, 1.8],
  leftAnkle: [0.18, 2.6],
  rightAnkle: [-0.18, 2.6],
};

export const HEAD_BOWED: Partial<Pose> = {
  nose: [0, -0.1],
  leftEye: [0.05, -0.25],
  rightEye: [-0.05, -0.25],
  leftEar: [0.12, -0.4],
  rightEar: [-0.12, -0.4],
};
export const HANDS_IN_FRONT: Partial<Pose> = {
  leftElbow: [0.42, 0.5],
  leftWrist: [0.1, 0.5],
  rightElbow: [-0.42, 0.5],
  rightWrist: [-0.1, 0.5],
};
export const RIGHT_HAND_IN_POCKET: Partial<Pose> = { rightElbow: [-0.55, 0.5], rightWrist: [-0.25, 0.95] };
export const LEFT_HAND_AT_CHEST: Partial<Pose> = { leftElbow: [0.4, 0.55], leftWrist: [-0.2, 0.38] };
export const HANDS_AT_WAIST: Partial<Pose> = {
  leftElbow: [0.48, 0.5],
  leftWrist: [0.08, 0.9],
  rightElbow: [-0.48, 0.5],
  rightWrist: [-0.08, 0.9],
};
export const REACHING: Partial<Pose> = { rightElbow: [-0.7, -0.2], rightWrist: [-1.1, -0.5] };

/** A step every 0.6 s, seen from the front, the arms swinging a little bent. */
export function walking(seconds: number): Pose {
  const swing = Math.sin((seconds * Math.PI) / 0.6);
  return {
    ...STANDING,
    leftElbow: [0.4, 0.52],
    leftWrist: [0.34, 1 + 0.08 * swing],
    rightElbow: [-0.4, 0.52],
    rightWrist: [-0.34, 1 - 0.08 * swing],
    leftKnee: [0.16, 1.8 - 0.15 * Math.max(0, swing)],
    rightKnee: [-0.16, 1.8 - 0.15 * Math.max(0, -swing)],
    leftAnkle: [0.16, 2.6 - 0.3 * Math.max(0, swing)],
    rightAnkle: [-0.16, 2.6 - 0.3 * Math.max(0, -swing)],
  };
}

/** The pose as it looks once the body has turned: 0 faces the camera, 1 shows its side. */
export function turned(pose: Pose, turn: number): Pose {
  const width = 1 - 0.85 * turn;
  return Object.fromEntries(JOINTS.map((name) => [name, [pose[name][0] * width, pose[name][1]]])) as unknown as Pose;
}

export interface Drawing {
  /** Pixels of the picture. */
  readonly width: number;
  readonly height: number;
  /** Pixels of the torso, and where the middle of the shoulders is, as fractions of the picture. */
  readonly torso: number;
  readonly at: readonly [x: number, y: number];
  /** Left becomes right, as in a mirrored picture. */
  readonly mirrored: boolean;
  /** Standard deviation of each coordinate, in torso lengths. */
  readonly jitter: number;
  /** Share of the joints that are absent, each for itself. Their places are random. */
  readonly missing: number;
}

export const PLAIN: Drawing = {
  width: 640,
  height: 480,
  torso: 80,
  at: [0.5, 0.3],
  mirrored: false,
  jitter: 0,
  missing: 0,
};

/** @param random 0..1, for jitter and absent joints. */
export function draw(pose: Pose, drawing: Drawing, random: () => number): Person {
  const { width, height, torso, at, mirrored, jitter, missing } = drawing;
  const keypoints = JOINTS.map((name): Keypoint => {
    const [x, y] = pose[mirrored ? otherSide(name) : name];
    if (random() < missing) return [random(), random(), 0];
    const noise = () => jitter * normal(random);
    const across = (mirrored ? -x : x) + noise();
    return [at[0] + (across * torso) / width, at[1] + ((y + noise()) * torso) / height, 0.8];
  });
  return { id: "1", score: 0.9, box: { x: 0, y: 0, width: 1, height: 1 }, keypoints };
}

function otherSide(name: Joint): Joint {
  if (name.startsWith("left")) return name.replace("left", "right") as Joint;
  return name.replace("right", "left") as Joint;
}

/** Box and Muller. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

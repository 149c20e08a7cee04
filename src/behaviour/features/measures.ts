import { type Body, distance, middle, type Point, pointOf } from "./body.ts";

/** The joints of one side, and of the other, as points. */
interface Side {
  readonly shoulder: Point;
  readonly elbow: Point;
  readonly wrist: Point;
  readonly hip: Point;
  readonly knee: Point;
  readonly ankle: Point;
}

/** The joints of a body by name. */
interface Figure {
  readonly nose: Point;
  readonly eyes: Point;
  readonly ears: Point;
  readonly leftEye: Point;
  readonly rightEye: Point;
  readonly leftEar: Point;
  readonly rightEar: Point;
  readonly shoulders: Point;
  readonly hips: Point;
  readonly chest: Point;
  readonly left: Side;
  readonly right: Side;
  /** 1 where the nose is to the right of the ears, -1 where it is to the left: where the person looks. */
  readonly facing: number;
}

type Measure = (figure: Figure) => number;
type SideMeasure = (own: Side, other: Side, figure: Figure) => number;

/** Lengths, divided by the torso's. `y` grows downwards. */
const LENGTHS: Readonly<Record<string, Measure>> = {
  noseBelowEars: ({ nose, ears }) => nose.y - ears.y,
  noseBelowEyes: ({ nose, eyes }) => nose.y - eyes.y,
  eyesBelowEars: ({ eyes, ears }) => eyes.y - ears.y,
  noseOverShoulders: ({ nose, shoulders }) => shoulders.y - nose.y,
  earsOverShoulders: ({ ears, shoulders }) => shoulders.y - ears.y,
  noseBeforeEars: ({ nose, ears }) => Math.abs(nose.x - ears.x),
  noseBeforeShoulders: ({ nose, shoulders, facing }) => facing * (nose.x - shoulders.x),
  earsBeforeShoulders: ({ ears, shoulders, facing }) => facing * (ears.x - shoulders.x),
  earsApart: ({ leftEar, rightEar }) => distance(leftEar, rightEar),
  eyesApart: ({ leftEye, rightEye }) => distance(leftEye, rightEye),
  shouldersApart: ({ left, right }) => distance(left.shoulder, right.shoulder),
  shouldersTilt: ({ left, right }) => Math.abs(left.shoulder.y - right.shoulder.y),
  hipsApart: ({ left, right }) => distance(left.hip, right.hip),
  leanAhead: ({ shoulders, hips, facing }) => facing * (shoulders.x - hips.x),
  leanAside: ({ shoulders, hips }) => Math.abs(shoulders.x - hips.x),
  torsoHeight: ({ shoulders, hips }) => hips.y - shoulders.y,
  torsoLength: ({ shoulders, hips }) => distance(shoulders, hips),
  wristsApart: ({ left, right }) => distance(left.wrist, right.wrist),
  elbowsApart: ({ left, right }) => distance(left.elbow, right.elbow),
  kneesApart: ({ left, right }) => distance(left.knee, right.knee),
  anklesApart: ({ left, right }) => distance(left.ankle, right.ankle),
  wristsUneven: ({ left, right }) => Math.abs(left.wrist.y - right.wrist.y),
};

/** Lengths that each side has; the smaller and the larger one are kept, so that a mirrored picture gives the same. */
const SIDE_LENGTHS: Readonly<Record<string, SideMeasure>> = {
  wristToHip: (own) => distance(own.wrist, own.hip),
  wristToOtherHip: (own, other) => distance(own.wrist, other.hip),
  wristToShoulder: (own) => distance(own.wrist, own.shoulder),
  wristToOtherShoulder: (own, other) => distance(own.wrist, other.shoulder),
  wristToNose: (own, _, { nose }) => distance(own.wrist, nose),
  wristToHips: (own, _, { hips }) => distance(own.wrist, hips),
  wristToChest: (own, _, { chest }) => distance(own.wrist, chest),
  wristOverHips: (own, _, { hips }) => hips.y - own.wrist.y,
  wristAside: (own, _, { chest }) => Math.abs(own.wrist.x - chest.x),
  wristAhead: (own, _, { chest, facing }) => facing * (own.wrist.x - chest.x),
  wristToOtherElbow: (own, other) => distance(own.wrist, other.elbow),
  elbowToHip: (own) => distance(own.elbow, own.hip),
  elbowAside: (own) => Math.abs(own.elbow.x - own.shoulder.x),
  kneeToHip: (own) => distance(own.knee, own.hip),
  ankleToHip: (own) => distance(own.ankle, own.hip),
};

/** Degrees, 180 is stretched. */
const SIDE_ANGLES: Readonly<Record<string, SideMeasure>> = {
  elbowAngle: (own) => angle(own.shoulder, own.elbow, own.wrist),
  shoulderAngle: (own) => angle(own.hip, own.shoulder, own.elbow),
  hipAngle: (own) => angle(own.shoulder, own.hip, own.knee),
  kneeAngle: (own) => angle(own.hip, own.knee, own.ankle),
};

/** Of these the speed is measured: where they are as seen from the second, in the picture for the hips. */
const SPEEDS: Readonly<Record<string, (figure: Figure) => Point>> = {
  hipsSpeed: ({ hips }) => hips,
  shouldersSpeed: ({ shoulders, hips }) => minus(shoulders, hips),
  noseSpeed: ({ nose, shoulders }) => minus(nose, shoulders),
};
const SIDE_SPEEDS: Readonly<Record<string, (own: Side, figure: Figure) => Point>> = {
  wristSpeed: (own, { shoulders }) => minus(own.wrist, shoulders),
  elbowSpeed: (own, { shoulders }) => minus(own.elbow, shoulders),
};

const EXTREMES = ["least", "most"] as const;
const sides = (names: Readonly<Record<string, unknown>>): string[] =>
  Object.keys(names).flatMap((name) => EXTREMES.map((extreme) => `${name}.${extreme}`));

/** Names of what `measure` gives, in its order. Lengths are in torso lengths, angles in degrees, speeds per second. */
export const MEASURES: readonly string[] = [
  ...Object.keys(LENGTHS),
  ...sides(SIDE_LENGTHS),
  ...sides(SIDE_ANGLES),
  ...Object.keys(SPEEDS),
  ...sides(SIDE_SPEEDS),
];

const lengths = Object.values(LENGTHS);
const sideLengths = Object.values(SIDE_LENGTHS);
const sideAngles = Object.values(SIDE_ANGLES);
const speeds = Object.values(SPEEDS);
const sideSpeeds = Object.values(SIDE_SPEEDS);

/**
 * Describes a posture by numbers that do not depend on where the person is, how large, or which way round:
 * left and right may be exchanged. No image position, no box and no confidence is among them.
 *
 * @param torso pixels that count as 1.
 * @param before the same person `seconds` earlier; without it speeds are not known.
 * @returns a value per `MEASURES`, NaN where a joint it needs is absent.
 */
export function measure(body: Body, torso: number, before: Body | undefined, seconds: number): Float32Array {
  const figure = figureOf(body);
  const { left, right } = figure;
  const values = new Float32Array(MEASURES.length);
  let at = 0;
  const put = (one: number, other: number): void => {
    values[at++] = least(one, other);
    values[at++] = -least(-one, -other);
  };
  for (const of of lengths) values[at++] = of(figure) / torso;
  for (const of of sideLengths) put(of(left, right, figure) / torso, of(right, left, figure) / torso);
  for (const of of sideAngles) put(of(left, right, figure), of(right, left, figure));
  if (!before) return values.fill(Number.NaN, at);

  const earlier = figureOf(before);
  const unit = torso * seconds;
  for (const of of speeds) values[at++] = distance(of(earlier), of(figure)) / unit;
  for (const of of sideSpeeds) {
    put(
      distance(of(earlier.left, earlier), of(left, figure)) / unit,
      distance(of(earlier.right, earlier), of(right, figure)) / unit,
    );
  }
  return values;
}

function figureOf(body: Body): Figure {
  const left = sideOf(body, "left");
  const right = sideOf(body, "right");
  const nose = pointOf(body, "nose");
  const [leftEye, rightEye] = [pointOf(body, "leftEye"), pointOf(body, "rightEye")];
  const [leftEar, rightEar] = [pointOf(body, "leftEar"), pointOf(body, "rightEar")];
  const ears = middle(leftEar, rightEar);
  const shoulders = middle(left.shoulder, right.shoulder);
  const hips = middle(left.hip, right.hip);
  const chest = { x: (shoulders.x + hips.x) / 2, y: (shoulders.y + hips.y) / 2 };
  const facing = Math.sign(nose.x - ears.x);
  const eyes = middle(leftEye, rightEye);
  return { nose, eyes, ears, leftEye, rightEye, leftEar, rightEar, shoulders, hips, chest, left, right, facing };
}

function sideOf(body: Body, side: "left" | "right"): Side {
  return {
    shoulder: pointOf(body, `${side}Shoulder`),
    elbow: pointOf(body, `${side}Elbow`),
    wrist: pointOf(body, `${side}Wrist`),
    hip: pointOf(body, `${side}Hip`),
    knee: pointOf(body, `${side}Knee`),
    ankle: pointOf(body, `${side}Ankle`),
  };
}

/** Degrees between the limbs that meet at a joint, 0..180. */
function angle(from: Point, at: Point, to: Point): number {
  const turn = Math.atan2(from.y - at.y, from.x - at.x) - Math.atan2(to.y - at.y, to.x - at.x);
  const degrees = Math.abs((turn * 180) / Math.PI);
  return degrees > 180 ? 360 - degrees : degrees;
}

function minus(point: Point, origin: Point): Point {
  return { x: point.x - origin.x, y: point.y - origin.y };
}

/** The smaller one, or the one that is known. */
function least(one: number, other: number): number {
  if (Number.isNaN(one)) return other;
  return other < one ? other : one;
}

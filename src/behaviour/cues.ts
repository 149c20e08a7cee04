import { CctvError } from "../errors.ts";
import type { Behaviour, BehaviourModel } from "./behaviour.ts";
import { distance, otherSide, Posture, type Side } from "./posture.ts";
import { type Observation, Windows } from "./window.ts";

export interface CueSettings {
  /** Score from which a gesture is proposed for review, 0..1; default 0.5. */
  readonly threshold?: number;
}

/** One cue over the last seconds of a person. */
export interface Cue {
  readonly words: string;
  /** How much the cue counts, 0..1. */
  readonly weight: number;
  /** How clearly and for how much of the time it was seen, 0..1. */
  readonly strength: number;
}

const NAME = "cues";
const DEFAULT_THRESHOLD = 0.5;

/** Fewer pictures are no evidence. */
const MIN_OBSERVATIONS = 3;

/** A cue reaches its full strength only when it was seen for this long. */
const FULL_EVIDENCE_SECONDS = 1;

/** What was measured this long ago still stands for a picture in which it cannot be. */
const FLICKER_MS = 450;

/** Shorter holds are not worth telling. */
const MIN_TOLD_SECONDS = 0.5;

/** A cue that adds less than this to the score is not worth a reason. */
const MIN_CONTRIBUTION = 0.1;

/** From this on a cue is taken to be present in one picture. */
const PRESENT = 0.5;

const WEIGHTS = { headBowed: 0.75, handAtWaist: 0.45, handAtChest: 0.55, handsTogether: 0.5, turningAway: 0.3 };

/**
 * Scores a few poses that often come with concealment, as a person would describe them, over the last
 * 2.5 s of a track: the head bowed over the hands, a hand held at the waist or at the chest, both hands
 * held together at the waist, and turning away meanwhile. All lengths are fractions of the person's
 * own torso; left and right, size and place in the picture make no difference, nor does the frame rate
 * between 2 and 15.
 *
 * It needs no training and says why. It cannot tell what somebody does from what it looks like: people who
 * read a label or a phone score high, a camera that looks down steeply raises everybody's score, and a
 * disability, a pram or headwear may. Each result is a gesture for review.
 *
 * Measured on four cameras of one store (PoseLift, arXiv 2501.06591: 1.2 person-hours, 38 thefts, HRNet key
 * points), where its ramps and weights were also set by hand, so expect less elsewhere. The AUC per frame,
 * by the person with the highest score, is 0.77 as mean of the cameras (0.70 to 0.88; random numbers 0.50),
 * and as much at five frames a second. At the default threshold it proposed 76 gestures per person-hour of
 * ordinary shopping (one per person and half minute at most), and one within a second of 24 of the 38 thefts;
 * at a threshold of 0.7 it was 18 and 10.
 */
export function createCues({ threshold = DEFAULT_THRESHOLD }: CueSettings = {}): BehaviourModel {
  if (!(threshold > 0 && threshold <= 1)) {
    throw new CctvError("SETTING_INVALID", `the threshold is ${threshold}; set it above 0 and to at most 1`);
  }
  const windows = new Windows();
  return {
    name: NAME,
    judge(persons, { camera, timestamp, width, height }) {
      windows.forgetUnseen(camera, timestamp);
      return persons.map((person) => {
        const window = windows.extend(camera, person.id, timestamp, new Posture(person, width, height));
        return verdict(cuesIn(window), threshold);
      });
    },
  };
}

/** @returns the cues that a window gives evidence of, in no order. */
export function cuesIn(window: readonly Observation[]): Cue[] {
  const torso = median(window.map(({ posture }) => posture.torsoLength));
  if (!torso) return [];
  const arms = (["left", "right"] as const).flatMap((side) => [
    handCue(window, `${side} wrist at the waist`, WEIGHTS.handAtWaist, (posture) => handAtWaist(posture, side, torso)),
    handCue(window, `${side} hand at the chest`, WEIGHTS.handAtChest, (posture) => handAtChest(posture, side, torso)),
  ]);
  const hands = [
    ...arms,
    handCue(window, "both hands together at the waist", WEIGHTS.handsTogether, (posture) =>
      handsTogether(posture, torso),
    ),
  ];
  const handsAtTorso = Math.max(...hands.map(({ strength }) => strength));
  const overHands = summarise(window, (posture) => handsInFront(posture, torso)).strength >= PRESENT;
  return [
    {
      words: overHands ? "head bowed over the hands" : "head bowed",
      weight: WEIGHTS.headBowed,
      strength: summarise(window, (posture) => headBowed(posture, torso)).strength,
    },
    ...hands,
    {
      words: "hands to the torso while turning away",
      weight: WEIGHTS.turningAway,
      strength: handsAtTorso * turningAway(window, torso),
    },
  ];
}

/**
 * Cues add up as independent hints would: 1 - product of (1 - weight x strength). So the score rises with
 * each of them, and never exceeds 1.
 */
export function verdict(cues: readonly Cue[], threshold: number): Behaviour {
  const contribution = ({ weight, strength }: Cue) => weight * strength;
  const score = 1 - cues.reduce((rest, cue) => rest * (1 - contribution(cue)), 1);
  return {
    label: score >= threshold ? "suspicious" : "normal",
    score,
    model: NAME,
    reasons: cues
      .filter((cue) => contribution(cue) >= MIN_CONTRIBUTION)
      .sort((one, other) => contribution(other) - contribution(one))
      .map(({ words }) => words),
  };
}

/** The nose drops below the ears as the head bows; looking ahead they are level. */
function headBowed(posture: Posture, torso: number): number | undefined {
  const nose = posture.at("nose");
  const ears = posture.ears;
  if (!(nose && ears)) return undefined;
  return ramp((nose.y - ears.y) / torso, 0.08, 0.28);
}

/** A wrist near the hip of its own side with the elbow bent: an arm that hangs is not. */
function handAtWaist(posture: Posture, side: Side, torso: number): number | undefined {
  const wrist = posture.wrist(side);
  const hip = posture.hip(side);
  const bent = elbowBent(posture, side);
  if (!(wrist && hip) || bent === undefined) return undefined;
  return bent * ramp(distance(wrist, hip) / torso, 0.4, 0.22);
}

/** A wrist before the chest, past the middle of the body towards the other side. */
function handAtChest(posture: Posture, side: Side, torso: number): number | undefined {
  const wrist = posture.wrist(side);
  const chest = posture.chest;
  const own = posture.shoulder(side);
  const other = posture.shoulder(otherSide(side));
  const bent = elbowBent(posture, side);
  if (!(wrist && chest && own && other) || bent === undefined) return undefined;
  // Seen from the side, shoulders that nearly meet give no direction: the step across is then small.
  const width = Math.max(distance(own, other), 0.3 * torso);
  const across = ((wrist.x - chest.x) * (other.x - own.x) + (wrist.y - chest.y) * (other.y - own.y)) / width;
  return bent * ramp(across / torso, -0.02, 0.2) * ramp(distance(wrist, chest) / torso, 0.55, 0.3);
}

/** Both wrists before the hips and close to each other, with both elbows bent. */
function handsTogether(posture: Posture, torso: number): number | undefined {
  const left = posture.wrist("left");
  const right = posture.wrist("right");
  const hips = posture.hips;
  const bentLeft = elbowBent(posture, "left");
  const bentRight = elbowBent(posture, "right");
  if (!(left && right && hips) || bentLeft === undefined || bentRight === undefined) return undefined;
  const farther = Math.max(distance(left, hips), distance(right, hips));
  const close = ramp(distance(left, right) / torso, 0.7, 0.3);
  return Math.min(bentLeft, bentRight) * close * ramp(farther / torso, 0.55, 0.3);
}

/** Whether a hand is held before the body, clearly above the hips: where one would hold something to look at. */
function handsInFront(posture: Posture, torso: number): number | undefined {
  const { chest, hips } = posture;
  if (!(chest && hips)) return undefined;
  const hands = (["left", "right"] as const).flatMap((side) => {
    const wrist = posture.wrist(side);
    const bent = elbowBent(posture, side);
    if (!wrist || bent === undefined) return [];
    return [bent * ramp(distance(wrist, chest) / torso, 0.8, 0.55) * ramp((hips.y - wrist.y) / torso, 0.1, 0.3)];
  });
  return hands.length > 0 ? Math.max(...hands) : undefined;
}

/** How much narrower the shoulders have become from the first half of the window to its last third. */
function turningAway(window: readonly Observation[], torso: number): number {
  const widths = window.map(({ posture }) => posture.shoulderWidth);
  const before = median(widths.slice(0, Math.ceil(widths.length / 2)));
  const now = median(widths.slice(-Math.ceil(widths.length / 3)));
  if (window.length < MIN_OBSERVATIONS || before === undefined || now === undefined) return 0;
  return ramp((before - now) / torso, 0.1, 0.3);
}

function elbowBent(posture: Posture, side: Side): number | undefined {
  const angle = posture.elbowAngle(side);
  return angle === undefined ? undefined : ramp(angle, 155, 120);
}

function handCue(
  window: readonly Observation[],
  words: string,
  weight: number,
  measure: (posture: Posture) => number | undefined,
): Cue {
  const { strength, presentSeconds } = summarise(window, measure);
  const told = presentSeconds >= MIN_TOLD_SECONDS ? `${words} for ${presentSeconds.toFixed(1)} s` : words;
  return { words: told, weight, strength };
}

/**
 * The mean of a measure over the time in which it can be taken, less where that is too little to be sure;
 * and for how long the measure held. A joint that flickers out does not end a hold at once.
 */
function summarise(
  window: readonly Observation[],
  measure: (posture: Posture) => number | undefined,
): { strength: number; presentSeconds: number } {
  let last: { value: number; timestamp: number } | undefined;
  let observations = 0;
  let seconds = 0;
  let sum = 0;
  let presentSeconds = 0;
  for (const { posture, timestamp, seconds: lasting } of window) {
    const value = measure(posture);
    if (value !== undefined) {
      last = { value, timestamp };
      observations++;
    }
    if (!last || timestamp - last.timestamp > FLICKER_MS) continue;
    seconds += lasting;
    sum += last.value * lasting;
    if (last.value >= PRESENT) presentSeconds += lasting;
  }
  if (observations < MIN_OBSERVATIONS) return { strength: 0, presentSeconds };
  return { strength: sum / Math.max(seconds, FULL_EVIDENCE_SECONDS), presentSeconds };
}

/** 0 up to `none`, 1 from `full` on, straight in between; `none` may be the larger one. */
function ramp(value: number, none: number, full: number): number {
  return Math.min(1, Math.max(0, (value - none) / (full - none)));
}

function median(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined).sort((one, other) => one - other);
  return known[Math.floor(known.length / 2)];
}

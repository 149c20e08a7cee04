import { type Joint, joint, type Person } from "../pose/person.ts";

/** Pixels. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

export type Side = "left" | "right";

/** Key points below this are taken for absent: pose models guess them. */
const VISIBLE_SCORE = 0.2;

/** The visible joints of a person in one picture, in pixels, where lengths mean the same in every direction. */
export class Posture {
  readonly #person: Pick<Person, "keypoints">;
  readonly #width: number;
  readonly #height: number;

  /** @param width of the picture in pixels, as `height`. */
  constructor(person: Pick<Person, "keypoints">, width: number, height: number) {
    this.#person = person;
    this.#width = width;
    this.#height = height;
  }

  /** @returns undefined where the joint is not visible. */
  at(name: Joint): Point | undefined {
    const keypoint = this.#person.keypoints[joint[name]];
    if (!keypoint || !(keypoint[2] >= VISIBLE_SCORE)) return undefined;
    return { x: keypoint[0] * this.#width, y: keypoint[1] * this.#height };
  }

  shoulder(side: Side): Point | undefined {
    return this.at(side === "left" ? "leftShoulder" : "rightShoulder");
  }

  elbow(side: Side): Point | undefined {
    return this.at(side === "left" ? "leftElbow" : "rightElbow");
  }

  wrist(side: Side): Point | undefined {
    return this.at(side === "left" ? "leftWrist" : "rightWrist");
  }

  hip(side: Side): Point | undefined {
    return this.at(side === "left" ? "leftHip" : "rightHip");
  }

  /** Between the ears, or the one that is visible; likewise below. */
  get ears(): Point | undefined {
    return between(this.at("leftEar"), this.at("rightEar"));
  }

  get shoulders(): Point | undefined {
    return between(this.shoulder("left"), this.shoulder("right"));
  }

  get hips(): Point | undefined {
    return between(this.hip("left"), this.hip("right"));
  }

  /** Half way from the shoulders to the hips. */
  get chest(): Point | undefined {
    const { shoulders, hips } = this;
    return shoulders && hips && between(shoulders, hips);
  }

  get torsoLength(): number | undefined {
    const { shoulders, hips } = this;
    return shoulders && hips && distance(shoulders, hips);
  }

  get shoulderWidth(): number | undefined {
    const left = this.shoulder("left");
    const right = this.shoulder("right");
    return left && right && distance(left, right);
  }

  /** Degrees at the elbow: 180 is a stretched arm. */
  elbowAngle(side: Side): number | undefined {
    const shoulder = this.shoulder(side);
    const elbow = this.elbow(side);
    const wrist = this.wrist(side);
    if (!(shoulder && elbow && wrist)) return undefined;
    const turn =
      Math.atan2(shoulder.y - elbow.y, shoulder.x - elbow.x) - Math.atan2(wrist.y - elbow.y, wrist.x - elbow.x);
    const degrees = Math.abs((turn * 180) / Math.PI);
    return degrees > 180 ? 360 - degrees : degrees;
  }
}

export function otherSide(side: Side): Side {
  return side === "left" ? "right" : "left";
}

export function distance(from: Point, to: Point): number {
  return Math.hypot(to.x - from.x, to.y - from.y);
}

function between(one: Point | undefined, other: Point | undefined): Point | undefined {
  if (!(one && other)) return one ?? other;
  return { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 };
}

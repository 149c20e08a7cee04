import { JOINTS, type Joint, joint, type Keypoint } from "../../pose/person.ts";

/** Key points below this are taken for absent: pose models guess them. */
const VISIBLE_SCORE = 0.2;

/**
 * Where the 17 COCO joints of a person are: x0, y0 … x16, y16 in pixels, `y` down. NaN where a joint is
 * absent; whatever is computed from it is then NaN as well.
 */
export type Body = Float64Array;

export const BODY_LENGTH = 2 * JOINTS.length;

/** @param width of the picture in pixels, as `height`: key points are fractions of them. */
export function bodyOf(keypoints: readonly Keypoint[], width: number, height: number): Body {
  const body = new Float64Array(BODY_LENGTH).fill(Number.NaN);
  for (let index = 0; index < JOINTS.length; index++) {
    const keypoint = keypoints[index];
    if (!keypoint || !(keypoint[2] >= VISIBLE_SCORE)) continue;
    body[2 * index] = keypoint[0] * width;
    body[2 * index + 1] = keypoint[1] * height;
  }
  return body;
}

/**
 * The body on the way from one sighting to the next, in a straight line. A joint that is absent in one of
 * the two is where the other, if it is the nearer one in time, has it.
 *
 * @param share 0 is at `from`, 1 at `to`.
 */
export function between(from: Body, to: Body, share: number): Body {
  if (share >= 1) return to;
  if (share <= 0) return from;
  const nearer = share < 0.5 ? from : to;
  return to.map((value, index) => {
    const start = from[index] as number;
    const place = start + (value - start) * share;
    return Number.isNaN(place) ? (nearer[index] as number) : place;
  });
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export function pointOf(body: Body, name: Joint): Point {
  const index = 2 * joint[name];
  return { x: body[index] as number, y: body[index + 1] as number };
}

/** Half way between two joints; where one is absent, the other. */
export function middle(one: Point, other: Point): Point {
  if (Number.isNaN(one.x)) return other;
  if (Number.isNaN(other.x)) return one;
  return { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 };
}

export function distance(from: Point, to: Point): number {
  return Math.sqrt((to.x - from.x) ** 2 + (to.y - from.y) ** 2);
}

/** Pixels from the middle of the shoulders to the middle of the hips; NaN where that is not known, or nothing. */
export function torsoLength(body: Body): number {
  const shoulders = middle(pointOf(body, "leftShoulder"), pointOf(body, "rightShoulder"));
  const hips = middle(pointOf(body, "leftHip"), pointOf(body, "rightHip"));
  const length = distance(shoulders, hips);
  return length >= 1 ? length : Number.NaN;
}

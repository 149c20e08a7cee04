import type { Box, Keypoint } from "./person.ts";

/** Intersection over union of two boxes, 0..1. */
export function boxOverlap(a: Box, b: Box): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / (a.width * a.height + b.width * b.height - shared);
}

/** COCO's spread of each joint, in its order: https://cocodataset.org/#keypoints-eval */
const JOINT_SPREAD = [
  0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107, 0.087, 0.087, 0.089, 0.089,
];

/**
 * COCO's object keypoint similarity of two poses, 0..1: the mean over the joints of
 * `exp(-d² / (2 area (2 spread)²))`. Positions and area in the same unit, the same along both axes.
 */
export function poseSimilarity(a: readonly Keypoint[], b: readonly Keypoint[], area: number): number {
  if (area <= 0) return 0;
  let sum = 0;
  for (const [index, spread] of JOINT_SPREAD.entries()) {
    const [ax, ay] = a[index] as Keypoint;
    const [bx, by] = b[index] as Keypoint;
    sum += Math.exp(-((ax - bx) ** 2 + (ay - by) ** 2) / (8 * area * spread ** 2));
  }
  return sum / JOINT_SPREAD.length;
}

/** Keeps, of items ordered by falling score, those that no kept one describes already. At most `limit`. */
export function withoutDuplicates<Item>(
  items: readonly Item[],
  sameThing: (kept: Item, item: Item) => boolean,
  limit: number,
): Item[] {
  const kept: Item[] = [];
  for (const item of items) {
    if (kept.length === limit) break;
    if (!kept.some((other) => sameThing(other, item))) kept.push(item);
  }
  return kept;
}

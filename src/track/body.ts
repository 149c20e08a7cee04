import type { Detection } from "../pose/person.ts";

/**
 * A detection measured in heights of the picture, so that a length is the same in both directions.
 * `x`, `y` is the middle of the box.
 */
export interface Body {
  readonly detection: Detection;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** The key points, in the order of the detection's. */
  readonly points: readonly (readonly [x: number, y: number, score: number])[];
}

/** @param aspectRatio The picture's width over its height. */
export function measureBody(detection: Detection, aspectRatio: number): Body {
  const { box, keypoints } = detection;
  return {
    detection,
    x: (box.x + box.width / 2) * aspectRatio,
    y: box.y + box.height / 2,
    width: box.width * aspectRatio,
    height: box.height,
    points: keypoints.map(([x, y, score]) => [x * aspectRatio, y, score]),
  };
}

/** The diagonal of the box: the yardstick for a body, since it changes little as the person turns or bends. */
export function bodySize({ width, height }: { readonly width: number; readonly height: number }): number {
  return Math.hypot(width, height);
}

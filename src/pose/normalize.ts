import type { Letterbox } from "./letterbox.ts";
import type { Box, Detection } from "./person.ts";

/** From pixels of a model's input to 0..1 of the picture that lies in it; what lies outside is moved to the edge. */
export function normalize(detections: readonly Detection[], { contentWidth, contentHeight }: Letterbox): Detection[] {
  const unitX = (x: number) => clamp(x / contentWidth, 0, 1);
  const unitY = (y: number) => clamp(y / contentHeight, 0, 1);
  const unitBox = ({ x, y, width, height }: Box): Box => {
    const left = unitX(x);
    const top = unitY(y);
    return { x: left, y: top, width: unitX(x + width) - left, height: unitY(y + height) - top };
  };
  return detections.map(({ box, keypoints, score }) => ({
    box: unitBox(box),
    keypoints: keypoints.map(([x, y, jointScore]) => [unitX(x), unitY(y), jointScore]),
    score,
  }));
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

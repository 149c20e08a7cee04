import { type Body, bodySize } from "./body.ts";
import { expectedError, type Track } from "./track.ts";

/** A pair that costs this much is no match. */
export const COST_LIMIT = 0.9;

/** A body further off than this many expected errors is somebody else. */
const GATE_ERRORS = 3;
/** Nor do people leap further than this many body sizes, however long they were out of sight. */
const WIDEST_GATE = 1.2;
/** Joints below this score say nothing about the place. */
const JOINT_FLOOR = 0.2;
/** With fewer joints in common the boxes alone decide. */
const LEAST_JOINTS = 4;
const OVERLAP_WEIGHT = 0.5;
const DISTANCE_WEIGHT = 0.5;
const SIZE_WEIGHT = 0.5;

/**
 * How unlike a body is to what is expected of a track: 0 is a perfect match, `Infinity` is out of reach.
 *
 * SORT (Bewley et al. 2016) and ByteTrack (Zhang et al. 2022) compare by overlap (IoU) alone, which is nothing for a
 * small person who walks on between two frames of a slow stream. So half of the cost is the distance from the
 * expected place, as a share of how far off the person may be; a change of size adds to it.
 */
export function matchingCost(track: Track, body: Body): number {
  const size = (bodySize(track) + bodySize(body)) / 2;
  const gate = Math.min(GATE_ERRORS * expectedError(track), WIDEST_GATE * size);
  const distance = distanceBetween(track, body);
  if (!(distance <= gate)) return Number.POSITIVE_INFINITY;

  const sizeChange = Math.abs(Math.log(bodySize(body) / bodySize(track)));
  return OVERLAP_WEIGHT * (1 - overlap(track, body)) + DISTANCE_WEIGHT * (distance / gate) + SIZE_WEIGHT * sizeChange;
}

/** Between the middles of the boxes, averaged with that between the joints, which tells apart people close together. */
function distanceBetween(track: Track, body: Body): number {
  const ofBoxes = Math.hypot(body.x - track.x.position, body.y - track.y.position);
  const ofJoints = jointDistance(track, body);
  return ofJoints === undefined ? ofBoxes : (ofBoxes + ofJoints) / 2;
}

/** Mean distance of the joints that both have, had the last sighting moved as expected. */
function jointDistance({ x, y, last }: Track, body: Body): number | undefined {
  const shiftX = x.position - last.x;
  const shiftY = y.position - last.y;
  let joints = 0;
  let sum = 0;
  for (const [index, [fromX, fromY, fromScore]] of last.points.entries()) {
    const to = body.points[index];
    if (!to || fromScore < JOINT_FLOOR || to[2] < JOINT_FLOOR) continue;
    sum += Math.hypot(to[0] - fromX - shiftX, to[1] - fromY - shiftY);
    joints++;
  }
  return joints < LEAST_JOINTS ? undefined : sum / joints;
}

/** Intersection over union of the expected box and the seen one. */
function overlap(track: Track, body: Body): number {
  const width = commonLength(track.x.position, track.width, body.x, body.width);
  const height = commonLength(track.y.position, track.height, body.y, body.height);
  const common = width * height;
  return common / (track.width * track.height + body.width * body.height - common);
}

/** Of two stretches, each given by its middle and length. */
function commonLength(middle: number, length: number, otherMiddle: number, otherLength: number): number {
  const start = Math.max(middle - length / 2, otherMiddle - otherLength / 2);
  const end = Math.min(middle + length / 2, otherMiddle + otherLength / 2);
  return Math.max(0, end - start);
}

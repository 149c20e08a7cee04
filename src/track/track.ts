import { type Body, bodySize } from "./body.ts";
import { correctMotion, type Motion, predictMotion, startMotion } from "./motion.ts";

/** One person over time: where they are expected now, and how they looked last. Lengths in heights of the picture. */
export interface Track {
  /** Nothing until the person was seen often enough. */
  readonly id: string | undefined;
  readonly sightings: number;
  /** Of the last sighting, epoch milliseconds. */
  readonly lastSeen: number;
  /** The middle of the box. */
  readonly x: Motion;
  readonly y: Motion;
  /** The box, smoothed. */
  readonly width: number;
  readonly height: number;
  readonly last: Body;
}

/*
 * How bodies move, in body sizes (the diagonal of the box) and seconds. Chosen on crowds seen from above, filmed at
 * 25 frames a second and thinned to 12, 5 and 2, and on simulated ones of 10 to 60 people.
 */

/** How far the middle of a detected box strays from the body's. */
const PLACE_DEVIATION = 0.1;
/** Speeds to expect of someone seen once: most people walk, some stand, few run. */
const START_SPEED_DEVIATION = 0.6;
/** How much a velocity changes within a second. */
const SPEED_DRIFT = 0.6;
/** Share of a new box in the smoothed one. */
const SIZE_BLEND = 0.4;

export function startTrack(body: Body, timestamp: number): Track {
  const size = bodySize(body);
  return {
    id: undefined,
    sightings: 1,
    lastSeen: timestamp,
    x: startMotion(body.x, PLACE_DEVIATION * size, START_SPEED_DEVIATION * size),
    y: startMotion(body.y, PLACE_DEVIATION * size, START_SPEED_DEVIATION * size),
    width: body.width,
    height: body.height,
    last: body,
  };
}

export function predictTrack(track: Track, seconds: number): Track {
  const drift = SPEED_DRIFT * bodySize(track);
  return { ...track, x: predictMotion(track.x, seconds, drift), y: predictMotion(track.y, seconds, drift) };
}

/** @param track Predicted to the time of `body`. */
export function continueTrack(track: Track, body: Body, timestamp: number): Track {
  const deviation = PLACE_DEVIATION * bodySize(track);
  return {
    id: track.id,
    sightings: track.sightings + 1,
    lastSeen: timestamp,
    x: correctMotion(track.x, body.x, deviation),
    y: correctMotion(track.y, body.y, deviation),
    width: track.width + SIZE_BLEND * (body.width - track.width),
    height: track.height + SIZE_BLEND * (body.height - track.height),
    last: body,
  };
}

/** How far off, in heights of the picture, the person may well be found: one standard deviation along one axis. */
export function expectedError(track: Track): number {
  const variance = (track.x.positionVariance + track.y.positionVariance) / 2;
  return Math.sqrt(variance + (PLACE_DEVIATION * bodySize(track)) ** 2);
}

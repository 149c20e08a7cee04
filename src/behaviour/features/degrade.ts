import { type Body, torsoLength } from "./body.ts";
import type { Recordings } from "./recording.ts";

/** How much worse another camera or pose model might see the same people. */
export interface Degradation {
  /** Standard deviation of what is added to each coordinate, in torso lengths. */
  readonly jitter: number;
  /** Share of the joints that are absent, each for itself. */
  readonly missing: number;
  /** Frames a second that are left, at most those that there are. */
  readonly fps: number;
}

export const UNHARMED: Degradation = { jitter: 0, missing: 0, fps: Number.POSITIVE_INFINITY };

/** @param random 0 up to but not 1. */
export function degrade(recordings: Recordings, degradation: Degradation, random: () => number): Recordings {
  const { jitter, missing, fps } = degradation;
  const persons = recordings.persons.map(({ video, frames, bodies }) => {
    const share = Math.min(1, fps / video.fps);
    const kept = Array.from(frames.keys()).filter((index) => {
      const frame = frames[index] as number;
      return Math.floor(frame * share) !== Math.floor((frame - 1) * share);
    });
    return {
      video,
      frames: Int32Array.from(kept, (index) => frames[index] as number),
      bodies: kept.map((index) => harm(bodies[index] as Body, jitter, missing, random)),
    };
  });
  return { videos: recordings.videos, persons: persons.filter(({ frames }) => frames.length > 0) };
}

/** @param jitter standard deviation in torso lengths. */
export function harm(body: Body, jitter: number, missing: number, random: () => number): Body {
  if (jitter === 0 && missing === 0) return body;
  const torso = torsoLength(body);
  const pixels = jitter === 0 ? 0 : jitter * (Number.isNaN(torso) ? 0 : torso);
  const out = body.slice();
  for (let joint = 0; joint < out.length; joint += 2) {
    const lost = random() < missing;
    for (const index of [joint, joint + 1]) {
      out[index] = lost ? Number.NaN : (out[index] as number) + pixels * normal(random);
    }
  }
  return out;
}

/** Box and Muller. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

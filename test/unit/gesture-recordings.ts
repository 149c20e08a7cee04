import { bodyOf } from "../../src/behaviour/features/body.ts";
import { seededRandom } from "../../src/behaviour/features/random.ts";
import type { RecordedPerson, RecordedVideo, Recordings } from "../../src/behaviour/features/recording.ts";
import { draw, HANDS_AT_WAIST, HEAD_BOWED, PLAIN, type Pose, walking } from "./stick-figure.ts";

const CAMERAS = 3;
const VIDEOS = 5;
const FRAMES = 90;

/** Somebody who holds both hands at the waist and looks at them, as the invented thefts here do. */
export const CONCEALING: Pose = { ...walking(0), ...HEAD_BOWED, ...HANDS_AT_WAIST };

/**
 * An invented shop: people walk on three cameras; in one of five videos one of two stops for two seconds with
 * bowed head and hands at the waist.
 */
export function inventedShop(seed = 1): Recordings {
  const random = seededRandom(seed);
  const videos: RecordedVideo[] = [];
  const persons: RecordedPerson[] = [];
  for (let index = 0; index < CAMERAS * VIDEOS; index++) {
    const camera = String(1 + Math.floor(index / VIDEOS));
    const isTheft = index % VIDEOS === 0;
    const video: RecordedVideo = {
      video: `video ${index}`,
      camera,
      frames: FRAMES,
      fps: 15,
      theft: isTheft ? [[40, 70]] : [],
    };
    videos.push(video);
    for (const isFirst of [true, false]) {
      const torso = 60 + 40 * random();
      const start = random();
      const frames = Int32Array.from({ length: FRAMES }, (_, frame) => frame);
      const bodies = Array.from(frames, (frame) => {
        const concealing = isTheft && isFirst && frame >= 40 && frame <= 70;
        const pose = concealing ? CONCEALING : walking(start + frame / 15);
        const drawing = { ...PLAIN, torso, jitter: 0.02, missing: 0.03, at: [0.3 + 0.002 * frame, 0.3] as const };
        return bodyOf(draw(pose, drawing, random).keypoints, PLAIN.width, PLAIN.height);
      });
      persons.push({ video, frames, bodies });
    }
  }
  return { videos, persons };
}

/** The lines of `videos.jsonl` and `tracks.jsonl`. */
export function asJsonLines({ videos, persons }: Recordings): { videos: string; tracks: string } {
  const point = (x: number, y: number) => (Number.isNaN(x) ? [0, 0, 0] : [x, y, 0.9]);
  const tracks = persons.map(({ video, frames, bodies }, track) => ({
    video: video.video,
    track,
    frames: [...frames],
    keypoints: bodies.map((body) =>
      Array.from({ length: 17 }, (_, joint) => point(body[2 * joint] as number, body[2 * joint + 1] as number)),
    ),
  }));
  const lines = (list: readonly object[]) => list.map((entry) => `${JSON.stringify(entry)}\n`).join("");
  return { videos: lines(videos), tracks: lines(tracks) };
}

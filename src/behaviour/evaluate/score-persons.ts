import type { RecordedPerson } from "../features/recording.ts";
import { type RateRow, TrackScore } from "../features/track-score.ts";
import type { ScoredPerson } from "./alerts.ts";

/**
 * Scores recorded people as a camera would see them, from the past alone. Sightings before the first full
 * window get the score of that: clips are cut, and how long somebody has been seen must not count.
 */
export function scorePerson(person: RecordedPerson, rate: RateRow, smoothing: number): ScoredPerson {
  const track = new TrackScore(rate, smoothing);
  const scores = new Float64Array(person.frames.length).fill(Number.NaN);
  for (const [index, frame] of person.frames.entries()) {
    const body = person.bodies[index];
    const score = body && track.push((frame * 1000) / person.video.fps, body);
    if (score !== undefined) scores[index] = score;
  }
  const first = scores.findIndex((score) => !Number.isNaN(score));
  if (first > 0) scores.fill(scores[first] as number, 0, first);
  return { person, scores };
}

/** Random numbers in the place of scores: what a protocol gives to somebody who knows nothing. */
export function scoreAtRandom(person: RecordedPerson, random: () => number): ScoredPerson {
  return { person, scores: Float64Array.from(person.frames, random) };
}

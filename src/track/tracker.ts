import type { Detection, Person } from "../pose/person.ts";
import { assign } from "./assignment.ts";
import { type Body, measureBody } from "./body.ts";
import { COST_LIMIT, matchingCost } from "./matching-cost.ts";
import { continueTrack, predictTrack, startTrack, type Track } from "./track.ts";

export interface TrackerSettings {
  /** The picture's width over its height, so that a step sideways counts as much as one down. */
  readonly aspectRatio: number;
  /** Detections of this score or more, 0..1, are matched first, and they alone begin a track. */
  readonly highScore: number;
  /** Sightings, frame after frame, that it takes to get an id; a ghost of one frame gets none. */
  readonly confirmSightings: number;
  /** Seconds that a person who is out of sight keeps the id. */
  readonly rememberSeconds: number;
  /** After this many seconds without a frame, everybody in the next one is new. */
  readonly resetSeconds: number;
  /** Most people followed, and most detections of a frame that are looked at, the best first. */
  readonly maxPersons: number;
}

export const TRACKER_DEFAULTS: TrackerSettings = {
  aspectRatio: 16 / 9,
  highScore: 0.2,
  confirmSightings: 2,
  rememberSeconds: 2,
  resetSeconds: 5,
  maxPersons: 64,
};

interface Match {
  readonly track: Track;
  readonly body: Body;
}

/**
 * Names the people of one camera, so that each keeps the name through missed frames and crossings.
 *
 * Predict with constant velocity, then match, as SORT does (Bewley et al., "Simple Online and Realtime Tracking",
 * 2016), in the two rounds of ByteTrack (Zhang et al. 2022, arXiv 2110.06864): detections of a high score first,
 * then those of a low one, which are often the same people half hidden, for whoever has not been found. Unlike them
 * it counts in seconds and not in frames, since cameras are slow and drop frames.
 *
 * Ids are "1", "2", … and never used twice. The same input always gives the same ids.
 */
export class Tracker {
  readonly #settings: TrackerSettings;
  #tracks: readonly Track[] = [];
  #lastTimestamp: number | undefined;
  #lastId = 0;

  constructor(settings: Partial<TrackerSettings> = {}) {
    this.#settings = { ...TRACKER_DEFAULTS, ...settings };
  }

  /**
   * @param timestamp Of the frame, epoch milliseconds. Where it jumps, back or far ahead, tracking begins anew.
   * @returns The detections of this frame that have an id, as they were found and in their order.
   */
  update(detections: readonly Detection[], timestamp: number): Person[] {
    const { aspectRatio, highScore, maxPersons } = this.#settings;
    const seconds = this.#secondsSinceLastFrame(timestamp);
    const expected = seconds === undefined ? [] : this.#tracks.map((track) => predictTrack(track, seconds));

    const bodies = strongest(detections, maxPersons).map((detection) => measureBody(detection, aspectRatio));
    const strong = bodies.filter(({ detection }) => detection.score >= highScore);
    const weak = bodies.filter(({ detection }) => detection.score < highScore);

    const first = match(named(expected), strong);
    const second = match(first.tracks, weak);
    const third = match(unnamed(expected), [...first.bodies, ...second.bodies]);

    const continued = [...first.matches, ...second.matches, ...third.matches].map(({ track, body }) =>
      continueTrack(track, body, timestamp),
    );
    const begun = third.bodies
      .filter(({ detection }) => detection.score >= highScore)
      .map((body) => startTrack(body, timestamp));

    // In a first picture nothing can be told from a ghost yet: as in ByteTrack, all of it counts.
    const inView = [...continued, ...begun].map((track) => this.#name(track, seconds === undefined));
    const outOfView = second.tracks.filter((track) => this.#remembers(track, timestamp));
    this.#tracks = [...inView, ...outOfView].slice(0, maxPersons);
    this.#lastTimestamp = timestamp;
    return asPersons(detections, inView);
  }

  /** Nothing where the last frame is of no use: there was none, it is too old, or the clock went back. */
  #secondsSinceLastFrame(timestamp: number): number | undefined {
    if (this.#lastTimestamp === undefined) return undefined;
    const seconds = (timestamp - this.#lastTimestamp) / 1000;
    return seconds >= 0 && seconds <= this.#settings.resetSeconds ? seconds : undefined;
  }

  #name(track: Track, atOnce: boolean): Track {
    if (track.id !== undefined || !(atOnce || track.sightings >= this.#settings.confirmSightings)) return track;
    this.#lastId++;
    return { ...track, id: String(this.#lastId) };
  }

  #remembers({ lastSeen }: Track, timestamp: number): boolean {
    return (timestamp - lastSeen) / 1000 <= this.#settings.rememberSeconds;
  }
}

function strongest(detections: readonly Detection[], count: number): Detection[] {
  return [...detections].sort((one, other) => other.score - one.score).slice(0, count);
}

function named(tracks: readonly Track[]): Track[] {
  return tracks.filter(({ id }) => id !== undefined);
}

function unnamed(tracks: readonly Track[]): Track[] {
  return tracks.filter(({ id }) => id === undefined);
}

/** The likeliest pairs, and what is left over. */
function match(
  tracks: readonly Track[],
  bodies: readonly Body[],
): { matches: Match[]; tracks: Track[]; bodies: Body[] } {
  const costs = tracks.map((track) => bodies.map((body) => matchingCost(track, body)));
  const matches = assign(costs, COST_LIMIT).flatMap(([row, column]): Match[] => {
    const track = tracks[row];
    const body = bodies[column];
    return track && body ? [{ track, body }] : [];
  });
  const takenTracks = new Set(matches.map(({ track }) => track));
  const takenBodies = new Set(matches.map(({ body }) => body));
  return {
    matches,
    tracks: tracks.filter((track) => !takenTracks.has(track)),
    bodies: bodies.filter((body) => !takenBodies.has(body)),
  };
}

function asPersons(detections: readonly Detection[], inView: readonly Track[]): Person[] {
  const ids = new Map(inView.map(({ id, last }) => [last.detection, id]));
  return detections.flatMap((detection) => {
    const id = ids.get(detection);
    return id === undefined ? [] : [{ id, ...detection }];
  });
}

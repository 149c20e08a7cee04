import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { CctvError } from "../errors.ts";
import type { Person } from "../pose/person.ts";
import type { Behaviour, BehaviourModel, Sighting } from "./behaviour.ts";
import { cuesIn, verdict } from "./cues.ts";
import { bodyOf } from "./features/body.ts";
import { type RateRow, TrackScore } from "./features/track-score.ts";
import { Posture } from "./posture.ts";
import { type GestureNotes, gestureNotes, probability, rateBy } from "./train/gesture-file.ts";
import { loadTrees } from "./trees/load.ts";
import { type Observation, Windows } from "./window.ts";

export interface GestureSettings {
  /** A model that `aislewatch train` wrote, as JSON; by default the one that comes with this package. */
  readonly path?: string;
  /** Score from which a gesture is proposed for review, 0..1; by default the model's own. */
  readonly threshold?: number;
}

/** The model that comes with this package; `models/gesture-poselift.md` says what it is worth. */
export const SHIPPED_MODEL = fileURLToPath(new URL("../../../models/gesture-poselift.json", import.meta.url));

/** Where the score stands out and no cue does. */
const UNNAMED_REASON = "posture and movement of the last half second";

/** Whoever was not seen for this long begins anew. */
const FORGET_MS = 10_000;

const MAX_PERSONS = 256;
const MAX_CAMERAS = 256;

/** A person, and when they were last seen. */
interface Followed {
  readonly score: TrackScore;
  readonly seen: number;
}

/**
 * Scores posture and movement by boosted trees that were trained on real thefts, smoothed over the past of each
 * person. The reasons are those of the cues, which say in words what can be seen.
 *
 * A score says that it looks like what was labelled there. It is a gesture for review, never a finding.
 *
 * @throws CctvError TREES_NOT_FOUND, TREES_INVALID, TREES_TOO_LARGE; TREES_UNSUPPORTED also for a model with other
 *   features; SETTING_INVALID for a threshold that is not above 0 and at most 1.
 */
export async function loadGesture({ path = SHIPPED_MODEL, threshold }: GestureSettings = {}): Promise<BehaviourModel> {
  if (threshold !== undefined && !(threshold > 0 && threshold <= 1)) {
    throw new CctvError("SETTING_INVALID", `the threshold is ${threshold}; set it above 0 and to at most 1`);
  }
  const rate = rateBy(await loadTrees(path));
  const notes = gestureNotes(JSON.parse(await readFile(path, "utf8")));
  return new GestureModel(basename(path, ".json"), rate, { ...notes, threshold: threshold ?? notes.threshold });
}

class GestureModel implements BehaviourModel {
  readonly name: string;
  readonly #rate: RateRow;
  readonly #notes: GestureNotes;
  readonly #windows = new Windows();
  /** By camera and person, those not seen for longest first. */
  readonly #cameras = new Map<string, Map<string, Followed>>();

  constructor(name: string, rate: RateRow, notes: GestureNotes) {
    this.name = name;
    this.#rate = rate;
    this.#notes = notes;
  }

  judge(persons: readonly Person[], sighting: Sighting): Behaviour[] {
    const { camera, timestamp, width, height } = sighting;
    const followed = this.#ofCamera(sighting);
    this.#windows.forgetUnseen(camera, timestamp);
    return persons.map((person) => {
      const score = this.#score(person, sighting, followed);
      const window = this.#windows.extend(camera, person.id, timestamp, new Posture(person, width, height));
      const suspicious = score >= this.#notes.threshold;
      const label = suspicious ? "suspicious" : "normal";
      return { label, score, model: this.name, reasons: suspicious ? reasonsIn(window) : [] };
    });
  }

  #score(person: Person, { timestamp, width, height }: Sighting, followed: Map<string, Followed>): number {
    const track = followed.get(person.id)?.score ?? new TrackScore(this.#rate, this.#notes.smoothing);
    putLast(followed, person.id, { score: track, seen: timestamp }, MAX_PERSONS);
    const margin = track.push(timestamp, bodyOf(person.keypoints, width, height));
    return margin === undefined ? 0 : probability(margin);
  }

  /** @returns those who were seen on the camera in the last seconds. */
  #ofCamera({ camera, timestamp }: Sighting): Map<string, Followed> {
    const persons = this.#cameras.get(camera) ?? new Map<string, Followed>();
    for (const [id, { seen }] of persons) {
      if (Math.abs(timestamp - seen) > FORGET_MS) persons.delete(id);
    }
    putLast(this.#cameras, camera, persons, MAX_CAMERAS);
    return persons;
  }
}

/** The cues of the last seconds, weightiest first. They are looked for only when a score stands out: they cost more than it. */
function reasonsIn(window: readonly Observation[]): readonly string[] {
  const { reasons } = verdict(cuesIn(window), 1);
  return reasons.length > 0 ? reasons : [UNNAMED_REASON];
}

/** Puts an entry behind all others, and drops the first ones beyond the limit: those not used for longest. */
function putLast<Value>(map: Map<string, Value>, key: string, value: Value, limit: number): void {
  map.delete(key);
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= limit) return;
    map.delete(oldest);
  }
}

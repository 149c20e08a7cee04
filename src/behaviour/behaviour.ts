import type { Person } from "../pose/person.ts";

/** What a model makes of one person's posture and movement. It says what can be seen, never what somebody means by it. */
export interface Behaviour {
  /** `suspicious` proposes the gesture for review by a person; it is no finding. */
  readonly label: "normal" | "suspicious";
  /** 0..1, where 1 is most worth a look. Comparable only between scores of the same model. */
  readonly score: number;
  /** Name of the model that judged. */
  readonly model: string;
  /** What was seen, in words, the weightiest first; empty where nothing stands out. */
  readonly reasons: readonly string[];
}

/** Where and when persons were seen. */
export interface Sighting {
  /** Camera id; person ids are unique per camera. */
  readonly camera: string;
  /** Epoch milliseconds of capture. */
  readonly timestamp: number;
  /** Pixels of the picture that boxes and key points are fractions of. */
  readonly width: number;
  readonly height: number;
}

/** Scores persons, one call per analysed frame. */
export interface BehaviourModel {
  readonly name: string;

  /** @returns one behaviour per person, in their order. */
  judge(persons: readonly Person[], sighting: Sighting): Behaviour[];
}

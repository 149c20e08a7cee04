import { CctvError } from "../errors.ts";
import type { CameraInfo, Frame } from "../frame/frame.ts";
import { alertOf } from "./alert.ts";
import { type AlertCloudEvent, alertCloudEvent } from "./cloud-event.ts";
import {
  closeAll,
  expire,
  INCIDENT_DEFAULTS,
  type IncidentEvent,
  type IncidentSettings,
  type IncidentState,
  type JudgedPerson,
  NO_INCIDENTS,
  observe,
  openIncidents,
  type Step,
} from "./incident-policy.ts";
import { drawSnapshot } from "./snapshot.ts";

export interface AlertDeskOptions {
  readonly settings?: Partial<IncidentSettings>;
  /** Makes a ULID for a moment in epoch milliseconds. */
  readonly createId: (at: number) => string;
  /** The wall clock, epoch milliseconds. */
  readonly now: () => number;
}

/** One thing to say of an alert. */
export interface AlertOutput {
  readonly alertId: string;
  readonly event: AlertCloudEvent;
  /** With an alert that opens: draws the frame that raised it, as a JPEG. Until dropped, it holds that frame. */
  readonly snapshot?: () => Promise<Buffer>;
}

interface CameraDesk {
  readonly camera: CameraInfo;
  readonly state: IncidentState;
  /** Alert ids of the open incidents, by number. */
  readonly alertIds: Map<number, string>;
  /** How far the wall clock is ahead of the frames, milliseconds. */
  readonly ahead: number;
}

/** Keeps the alerts of any number of cameras: persons in, events out. */
export class AlertDesk {
  readonly #settings: IncidentSettings;
  readonly #createId: (at: number) => string;
  readonly #now: () => number;
  readonly #cameras = new Map<string, CameraDesk>();

  /** @throws CctvError SETTING_INVALID */
  constructor({ settings, createId, now }: AlertDeskOptions) {
    this.#settings = { ...INCIDENT_DEFAULTS, ...settings };
    this.#createId = createId;
    this.#now = now;
    checkSettings(this.#settings);
  }

  /** How many alerts are open. */
  get open(): number {
    return [...this.#cameras.values()].reduce((sum, { state }) => sum + openIncidents(state), 0);
  }

  /** Takes in everybody in a frame, an empty frame included. */
  observe(frame: Frame, persons: readonly JudgedPerson[]): AlertOutput[] {
    const { camera, timestamp } = frame;
    const known = this.#cameras.get(camera.id);
    const step = observe(known?.state ?? NO_INCIDENTS, { timestamp, persons }, this.#settings);
    const ahead = this.#now() - (step.state.timestamp ?? timestamp);
    const desk = { camera, state: step.state, alertIds: known?.alertIds ?? new Map<number, string>(), ahead };
    this.#cameras.set(camera.id, desk);
    return this.#outputs(desk, step, (personId) => drawSnapshot(frame, persons, personId));
  }

  /** Closes the alerts that are over. Call it every second or so: a camera that sends no frame calls nobody. */
  tick(): AlertOutput[] {
    return [...this.#cameras.values()].flatMap((desk) => {
      const step = expire(desk.state, this.#now() - desk.ahead, this.#settings);
      if (step.state.people.length === 0) this.#cameras.delete(desk.camera.id);
      else this.#cameras.set(desk.camera.id, { ...desk, state: step.state });
      return this.#outputs(desk, step);
    });
  }

  /** Closes every open alert. */
  close(): AlertOutput[] {
    const desks = [...this.#cameras.values()];
    this.#cameras.clear();
    return desks.flatMap((desk) => this.#outputs(desk, closeAll(desk.state)));
  }

  #outputs(desk: CameraDesk, step: Step, draw?: (personId: string) => Promise<Buffer>): AlertOutput[] {
    return step.events.map((event) => this.#output(desk, event, draw));
  }

  #output(
    { camera, alertIds }: CameraDesk,
    { kind, incident }: IncidentEvent,
    draw?: (personId: string) => Promise<Buffer>,
  ): AlertOutput {
    const alertId = alertIds.get(incident.number) ?? this.#createId(incident.openedAt);
    if (kind === "closed") alertIds.delete(incident.number);
    else alertIds.set(incident.number, alertId);

    const data = alertOf(incident, alertId, camera);
    const event = alertCloudEvent(kind, data, () => this.#createId(incident.updatedAt));
    if (kind !== "opened" || !draw) return { alertId, event };
    return { alertId, event, snapshot: () => draw(incident.personId) };
  }
}

/** The settings in 0..1; the others are seconds. */
const SCORES: ReadonlySet<string> = new Set<keyof IncidentSettings>([
  "threshold",
  "scoreStep",
  "warningScore",
  "criticalScore",
]);

function checkSettings(settings: IncidentSettings): void {
  for (const [name, value] of Object.entries(settings)) {
    const isScore = SCORES.has(name);
    if (value >= 0 && value <= (isScore ? 1 : Number.MAX_VALUE)) continue;
    const range = isScore ? "a number from 0 to 1" : "a number of seconds, 0 or more";
    throw new CctvError("SETTING_INVALID", `the alert setting ${name} is ${value}; it takes ${range}`);
  }
}

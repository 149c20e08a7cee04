import type { Behaviour } from "../behaviour/behaviour.ts";
import type { Box, Person } from "../pose/person.ts";
import { isSeverer, type Severity, type SeveritySettings, severityOf } from "./severity.ts";

/** A person with what the behaviour model made of them. */
export interface JudgedPerson extends Person {
  readonly behaviour: Behaviour;
  /** The zones that the person stands in, if anybody looked. */
  readonly zones?: readonly { readonly id: string }[];
}

/** Everybody in one frame of one camera. */
export interface Observation {
  /** Of the frame, epoch milliseconds. */
  readonly timestamp: number;
  readonly persons: readonly JudgedPerson[];
}

export interface IncidentSettings extends SeveritySettings {
  /** Score, 0..1, from which a person with the label "suspicious" counts. */
  readonly threshold: number;
  /** How long it must go on before an alert opens. */
  readonly minimumSeconds: number;
  /** Calm frames for this long are forgiven meanwhile. */
  readonly gapSeconds: number;
  /** An alert closes when the person was calm or gone for this long. */
  readonly holdSeconds: number;
  /** After an alert has closed, the same person raises none for this long. */
  readonly cooldownSeconds: number;
  /** Least time between two reports of one alert. */
  readonly updateSeconds: number;
  /** The rise in score, 0..1, that is worth a report. */
  readonly scoreStep: number;
}

export const INCIDENT_DEFAULTS: IncidentSettings = {
  threshold: 0.5,
  minimumSeconds: 1,
  gapSeconds: 0.7,
  holdSeconds: 5,
  cooldownSeconds: 60,
  updateSeconds: 5,
  scoreStep: 0.1,
  warningScore: 0.7,
  warningSeconds: 10,
  criticalScore: 0.9,
  criticalSeconds: 3,
};

/** What one alert is about. Times in epoch milliseconds. */
export interface Incident {
  /** Counts the incidents of a camera from 1. */
  readonly number: number;
  /** The id under which the person was first seen; the tracker may have renamed them since. */
  readonly personId: string;
  readonly label: string;
  readonly model: string;
  /** The highest so far. */
  readonly score: number;
  readonly severity: Severity;
  /** All that were given, in the order of their coming. */
  readonly reasons: readonly string[];
  /** Ids of all zones that it touched. */
  readonly zones: readonly string[];
  /** Begin of the gestures that led to it. */
  readonly since: number;
  readonly openedAt: number;
  readonly updatedAt: number;
  readonly closedAt: number | null;
}

export interface IncidentEvent {
  readonly kind: "opened" | "updated" | "closed";
  readonly incident: Incident;
}

/** One person of a camera, as far as alerts are concerned. */
interface Followed {
  /** The ids that the tracker gave this person, the first first. */
  readonly ids: readonly string[];
  readonly lastSeen: number;
  readonly box: Box;
  /** First and last frame of the gestures under way, or of the latest ones. */
  readonly gestures: { readonly since: number; readonly last: number } | undefined;
  /** As it is now, and as it was last reported. */
  readonly open: { readonly now: Incident; readonly told: Incident } | undefined;
  /** Until then this person raises no alert. */
  readonly quietUntil: number;
}

/** What is remembered of one camera between frames; begin with `NO_INCIDENTS`. */
export interface IncidentState {
  /** Of the newest frame. */
  readonly timestamp: number | undefined;
  readonly people: readonly Followed[];
  readonly incidents: number;
}

export interface Step {
  readonly state: IncidentState;
  readonly events: readonly IncidentEvent[];
}

export const NO_INCIDENTS: IncidentState = { timestamp: undefined, people: [], incidents: 0 };

const MOST_PEOPLE = 256;
const MOST_REASONS = 16;
const MOST_IDS = 8;

/**
 * Turns the judgements of one frame into the alerts that they open, change and close.
 *
 * - An alert opens when a person was suspicious for `minimumSeconds`. Calm frames for `gapSeconds` do not interrupt;
 *   neither does time without frames, as long as it is shorter than `holdSeconds`.
 * - It is reported again when its score, severity, reasons or zones rise, at most every `updateSeconds`.
 * - It closes when the person was calm or gone for `holdSeconds`; then that person is quiet for `cooldownSeconds`.
 * - Trackers lose people. So a new id that first appears right where somebody with an open alert, or one in the
 *   cooldown, was last seen and is no longer, counts as that person. The price: somebody else who comes to that very
 *   spot in that time raises no alert of their own.
 * - A frame that comes late is passed over. A clock that goes back by more than `holdSeconds` was set anew: what is
 *   open closes, and all else is forgotten.
 */
export function observe(state: IncidentState, observation: Observation, settings: IncidentSettings): Step {
  const { timestamp } = observation;
  const secondsBack = state.timestamp === undefined ? 0 : (state.timestamp - timestamp) / 1000;
  if (secondsBack > 0 && secondsBack <= settings.holdSeconds) return { state, events: [] };

  const before = secondsBack > 0 ? closeAll(state) : expire(state, timestamp, settings);
  const { seen, unseen } = recognise(before.state.people, observation);
  const events = [...before.events];
  let { incidents } = before.state;
  const judged = seen.map(({ followed, person }) => {
    const next = judge(followed, person, { timestamp, lastFrame: state.timestamp, settings, number: incidents + 1 });
    if (next.event) events.push(next.event);
    if (next.event?.kind === "opened") incidents++;
    return next.followed;
  });

  const { kept, closed } = makeRoom([...judged, ...unseen], timestamp);
  return { state: { timestamp, people: kept, incidents }, events: [...events, ...closed] };
}

/** Closes what is over at `now`, epoch milliseconds by the camera's clock, also where no frame comes any more. */
export function expire(state: IncidentState, now: number, settings: IncidentSettings): Step {
  const events: IncidentEvent[] = [];
  const people = state.people
    .map((followed): Followed => {
      const over = (followed.gestures?.last ?? 0) + settings.holdSeconds * 1000;
      if (!followed.open || now < over) return followed;
      events.push(closing(followed.open.now, over));
      return { ...followed, gestures: undefined, open: undefined, quietUntil: over + settings.cooldownSeconds * 1000 };
    })
    .filter(
      ({ open, quietUntil, lastSeen }) => open || quietUntil > now || now - lastSeen < settings.holdSeconds * 1000,
    );
  return { state: { ...state, people }, events };
}

/** Closes whatever is open, as of the newest frame, and forgets everybody. */
export function closeAll(state: IncidentState): Step {
  const at = state.timestamp ?? 0;
  const events = state.people.flatMap(({ open }) => (open ? [closing(open.now, at)] : []));
  return { state: { ...NO_INCIDENTS, incidents: state.incidents }, events };
}

/** How many alerts are open. */
export function openIncidents(state: IncidentState): number {
  return state.people.filter(({ open }) => open).length;
}

function closing(incident: Incident, closedAt: number): IncidentEvent {
  return { kind: "closed", incident: { ...incident, updatedAt: closedAt, closedAt } };
}

/** Who of the people known are in the frame, under whichever id, and who are not. */
function recognise(
  people: readonly Followed[],
  { persons, timestamp }: Observation,
): { seen: { followed: Followed; person: JudgedPerson }[]; unseen: Followed[] } {
  const present = new Map(persons.slice(0, MOST_PEOPLE).map((person) => [person.id, person]));
  const known = new Map<string, Followed>();
  const unseen: Followed[] = [];
  for (const followed of people) {
    // The eldest id is the surest: where it is back, whoever came after it was somebody else.
    const eldest = followed.ids.find((id) => present.has(id));
    if (eldest === undefined) unseen.push(followed);
    else known.set(eldest, { ...followed, ids: followed.ids.slice(0, followed.ids.indexOf(eldest) + 1) });
  }
  const seen = [...present.values()].map((person) => {
    const followed = known.get(person.id) ?? takeRenamed(unseen, person, timestamp) ?? stranger(person, timestamp);
    return { followed: { ...followed, lastSeen: timestamp, box: person.box }, person };
  });
  return { seen, unseen };
}

function stranger({ id, box }: JudgedPerson, timestamp: number): Followed {
  return { ids: [id], lastSeen: timestamp, box, gestures: undefined, open: undefined, quietUntil: 0 };
}

/** Takes out of `unseen` the one whom a new id seems to stand for: the latest one seen near there. */
function takeRenamed(unseen: Followed[], { id, box }: JudgedPerson, timestamp: number): Followed | undefined {
  const [latest] = unseen
    .filter((followed) => (followed.open || followed.quietUntil > timestamp) && isNear(followed.box, box))
    .sort((one, other) => other.lastSeen - one.lastSeen);
  if (!latest) return undefined;
  unseen.splice(unseen.indexOf(latest), 1);
  return { ...latest, ids: [...latest.ids.slice(0, MOST_IDS - 1), id] };
}

/** Whether a box touches the place of another: that box grown by its own size on every side. */
function isNear(place: Box, box: Box): boolean {
  return (
    box.x <= place.x + 2 * place.width &&
    box.x + box.width >= place.x - place.width &&
    box.y <= place.y + 2 * place.height &&
    box.y + box.height >= place.y - place.height
  );
}

interface Circumstances {
  readonly timestamp: number;
  /** Of the frame before this one. */
  readonly lastFrame: number | undefined;
  readonly settings: IncidentSettings;
  /** For the incident that this person may open. */
  readonly number: number;
}

function judge(
  followed: Followed,
  person: JudgedPerson,
  circumstances: Circumstances,
): { followed: Followed; event?: IncidentEvent } {
  const { timestamp, settings } = circumstances;
  const { label, score } = person.behaviour;
  if (label !== "suspicious" || score < settings.threshold) return { followed };

  const since = goesOn(followed, circumstances) ? followed.gestures.since : timestamp;
  const stirred = { ...followed, gestures: { since, last: timestamp } };
  if (followed.open) return follow(stirred, followed.open, person, circumstances);
  if (timestamp - since < settings.minimumSeconds * 1000 || timestamp < followed.quietUntil) {
    return { followed: stirred };
  }
  const incident = begin(person, since, circumstances);
  return {
    followed: { ...stirred, open: { now: incident, told: incident } },
    event: { kind: "opened", incident },
  };
}

/** A pause counts only where frames show it. */
function goesOn(
  followed: Followed,
  { timestamp, lastFrame, settings }: Circumstances,
): followed is Followed & { readonly gestures: object } {
  if (!followed.gestures) return false;
  const seconds = (timestamp - followed.gestures.last) / 1000;
  return seconds <= settings.gapSeconds || (followed.gestures.last === lastFrame && seconds < settings.holdSeconds);
}

function begin(person: JudgedPerson, since: number, { timestamp, settings, number }: Circumstances): Incident {
  const { label, model, score, reasons } = person.behaviour;
  return {
    number,
    personId: person.id,
    label,
    model,
    score,
    severity: severityOf(score, (timestamp - since) / 1000, settings),
    reasons: reasons.slice(0, MOST_REASONS),
    zones: zonesOf(person).slice(0, MOST_REASONS),
    since,
    openedAt: timestamp,
    updatedAt: timestamp,
    closedAt: null,
  };
}

function follow(
  followed: Followed,
  { now, told }: NonNullable<Followed["open"]>,
  person: JudgedPerson,
  { timestamp, settings }: Circumstances,
): { followed: Followed; event?: IncidentEvent } {
  const score = Math.max(now.score, person.behaviour.score);
  const incident: Incident = {
    ...now,
    score,
    severity: severityOf(score, (timestamp - now.since) / 1000, settings),
    reasons: retold(now.reasons, person.behaviour.reasons),
    zones: union(now.zones, zonesOf(person)),
  };
  const due = timestamp - told.updatedAt >= settings.updateSeconds * 1000;
  if (!due || !isNews(incident, told, settings)) return { followed: { ...followed, open: { now: incident, told } } };
  const updated = { ...incident, updatedAt: timestamp };
  return {
    followed: { ...followed, open: { now: updated, told: updated } },
    event: { kind: "updated", incident: updated },
  };
}

function isNews(now: Incident, told: Incident, { scoreStep }: IncidentSettings): boolean {
  return (
    now.score >= told.score + scoreStep ||
    isSeverer(now.severity, told.severity) ||
    now.reasons.length > told.reasons.length ||
    now.zones.length > told.zones.length
  );
}

function zonesOf({ zones = [] }: JudgedPerson): string[] {
  return zones.map(({ id }) => id);
}

/** The same gesture told again, for longer, replaces its earlier wording. */
function retold(reasons: readonly string[], more: readonly string[]): string[] {
  const byGesture = new Map([...reasons, ...more].map((reason) => [reason.replace(/ for [\d.]+ s$/, ""), reason]));
  return [...byGesture.values()].slice(0, MOST_REASONS);
}

function union(some: readonly string[], more: readonly string[]): string[] {
  return [...new Set([...some, ...more])].slice(0, MOST_REASONS);
}

/** Keeps the people with an open alert and then those seen last; an alert that must go is closed. */
function makeRoom(
  people: readonly Followed[],
  timestamp: number,
): { kept: readonly Followed[]; closed: IncidentEvent[] } {
  if (people.length <= MOST_PEOPLE) return { kept: people, closed: [] };
  const byWeight = [...people].sort(
    (one, other) => Number(Boolean(other.open)) - Number(Boolean(one.open)) || other.lastSeen - one.lastSeen,
  );
  const closed = byWeight.slice(MOST_PEOPLE).flatMap(({ open }) => (open ? [closing(open.now, timestamp)] : []));
  return { kept: byWeight.slice(0, MOST_PEOPLE), closed };
}

import assert from "node:assert/strict";
import {
  closeAll,
  expire,
  INCIDENT_DEFAULTS,
  type IncidentEvent,
  type IncidentSettings,
  type JudgedPerson,
  NO_INCIDENTS,
  observe,
  openIncidents,
} from "../../src/alert/incident-policy.ts";

const START = 1_700_000_000_000;

/** A score for somebody suspicious; -1 for somebody calm. */
interface Seen {
  id: string;
  score: number;
  x?: number;
  label?: "normal" | "suspicious";
  reasons?: string[];
  zones?: string[];
}

const seen = (id: string, score = 0.6, more: Partial<Seen> = {}): Seen => ({ id, score, ...more });
const calm = (id: string, more: Partial<Seen> = {}): Seen => ({ id, score: 0.1, label: "normal", ...more });

function personOf({ id, score, x = 0.2, label = "suspicious", reasons = ["head bowed"], zones }: Seen): JudgedPerson {
  return {
    id,
    score: 0.5,
    box: { x, y: 0.4, width: 0.05, height: 0.2 },
    keypoints: [],
    behaviour: { label, score, model: "cues", reasons },
    ...(zones && { zones: zones.map((zone) => ({ id: zone })) }),
  };
}

type Frames = readonly (readonly [seconds: number, ...persons: Seen[]])[];

/** Feeds frames; `until` looks once more, at the clock, after the last of them. */
function play(frames: Frames, { until, ...over }: Partial<IncidentSettings> & { until?: number } = {}) {
  const settings = { ...INCIDENT_DEFAULTS, ...over };
  let state = NO_INCIDENTS;
  const events: IncidentEvent[] = [];
  for (const [seconds, ...persons] of frames) {
    const step = observe(state, { timestamp: START + seconds * 1000, persons: persons.map(personOf) }, settings);
    state = step.state;
    events.push(...step.events);
  }
  if (until !== undefined) {
    const step = expire(state, START + until * 1000, settings);
    state = step.state;
    events.push(...step.events);
  }
  return { state, events };
}

/** "opened 1 1.0" is: an alert for person 1 opened at 1.0 s. */
function told(frames: Frames, over: Parameters<typeof play>[1] = {}): string[] {
  return play(frames, over).events.map(({ kind, incident }) => {
    const at = { opened: incident.openedAt, updated: incident.updatedAt, closed: incident.closedAt ?? Number.NaN }[
      kind
    ];
    return `${kind} ${incident.personId} ${((at - START) / 1000).toFixed(1)}`;
  });
}

/** Frames at a pace, from one time to another, both included. */
function run(from: number, to: number, framesPerSecond: number, ...persons: Seen[]): [number, ...Seen[]][] {
  const count = Math.round((to - from) * framesPerSecond);
  return Array.from({ length: count + 1 }, (_, index) => [from + index / framesPerSecond, ...persons]);
}

const cases: { what: string; frames: Frames; over?: Parameters<typeof play>[1]; events: string[] }[] = [
  {
    what: "forty frames of one gesture make one alert, which closes",
    frames: run(0, 7.8, 5, seen("1")),
    over: { until: 30 },
    events: ["opened 1 1.0", "closed 1 12.8"],
  },
  {
    what: "a gesture that is too short makes none",
    frames: run(0, 0.8, 5, seen("1")),
    over: { until: 30 },
    events: [],
  },
  { what: "calm people make none", frames: run(0, 10, 5, calm("1"), calm("2")), events: [] },
  { what: "a score below the threshold makes none", frames: run(0, 5, 5, seen("1", 0.49)), events: [] },
  { what: "the label decides, not the score alone", frames: run(0, 5, 5, calm("1", { score: 0.9 })), events: [] },
  {
    what: "two people make two",
    frames: run(0, 3, 5, seen("1"), seen("2", 0.6, { x: 0.8 })),
    events: ["opened 1 1.0", "opened 2 1.0"],
  },
  {
    what: "two people side by side make two",
    frames: run(0, 3, 5, seen("1"), seen("2", 0.6, { x: 0.24 })),
    events: ["opened 1 1.0", "opened 2 1.0"],
  },
  {
    what: "short calm gaps are forgiven",
    frames: [...run(0, 0.4, 5, seen("1")), ...run(0.6, 0.8, 5, calm("1")), ...run(1, 1.4, 5, seen("1"))],
    events: ["opened 1 1.0"],
  },
  {
    what: "longer calm gaps begin anew",
    frames: [...run(0, 0.6, 5, seen("1")), ...run(0.8, 1.2, 5, calm("1")), ...run(1.4, 2.2, 5, seen("1"))],
    events: [],
  },
  {
    what: "a frame a second is enough, since no frame showed a pause",
    frames: run(0, 2, 1, seen("1")),
    events: ["opened 1 1.0"],
  },
  {
    what: "a frame now and then is not",
    frames: run(0, 30, 1 / 6, seen("1")),
    events: [],
  },
  {
    what: "with no minimum the first frame opens",
    frames: [[0, seen("1")]],
    over: { minimumSeconds: 0 },
    events: ["opened 1 0.0"],
  },
  {
    what: "an alert outlasts calm that is shorter than the hold",
    frames: [...run(0, 1, 5, seen("1")), ...run(1.2, 5.8, 5, calm("1")), ...run(5.9, 6.5, 5, seen("1"))],
    over: { until: 8 },
    events: ["opened 1 1.0"],
  },
  {
    what: "calm for the hold closes it",
    frames: [...run(0, 1, 5, seen("1")), ...run(1.2, 7, 5, calm("1"))],
    events: ["opened 1 1.0", "closed 1 6.0"],
  },
  {
    what: "a person who has gone closes it, too",
    frames: [...run(0, 1, 5, seen("1")), ...run(1.2, 7, 5)],
    events: ["opened 1 1.0", "closed 1 6.0"],
  },
  {
    what: "a camera that stops closes it by the clock",
    frames: run(0, 1, 5, seen("1")),
    over: { until: 6 },
    events: ["opened 1 1.0", "closed 1 6.0"],
  },
  {
    what: "a camera that comes back after the hold has closed it, too",
    frames: [...run(0, 1, 5, seen("1")), ...run(20, 23, 5, seen("1"))],
    events: ["opened 1 1.0", "closed 1 6.0"],
  },
  {
    what: "the same person in the cooldown raises none",
    frames: [...run(0, 1, 5, seen("1")), ...run(10, 15, 5, seen("1"))],
    over: { until: 60 },
    events: ["opened 1 1.0", "closed 1 6.0"],
  },
  {
    what: "and again after it",
    frames: [...run(0, 1, 5, seen("1")), ...run(67, 69, 5, seen("1"))],
    events: ["opened 1 1.0", "closed 1 6.0", "opened 1 68.0"],
  },
  {
    what: "who goes on through the cooldown raises the next at its end",
    frames: [...run(0, 1, 5, seen("1")), ...run(30, 70, 5, seen("1"))],
    events: ["opened 1 1.0", "closed 1 6.0", "opened 1 66.0"],
  },
  {
    what: "who leaves and comes back under a new id in the cooldown raises none",
    frames: [...run(0, 1, 5, seen("1")), ...run(1.2, 8, 5), ...run(20, 25, 5, seen("9", 0.6, { x: 0.25 }))],
    events: ["opened 1 1.0", "closed 1 6.0"],
  },
  {
    what: "a new id elsewhere raises its own",
    frames: [...run(0, 1, 5, seen("1")), ...run(1.2, 8, 5), ...run(20, 21, 5, seen("9", 0.6, { x: 0.6 }))],
    events: ["opened 1 1.0", "closed 1 6.0", "opened 9 21.0"],
  },
  {
    what: "so does one that was there beside the first",
    frames: [
      ...run(0, 1, 5, seen("1"), calm("2", { x: 0.25 })),
      ...run(1.2, 8, 5, calm("2", { x: 0.25 })),
      ...run(8.2, 9.2, 5, seen("2", 0.6, { x: 0.25 })),
    ],
    events: ["opened 1 1.0", "closed 1 6.0", "opened 2 9.2"],
  },
  {
    what: "a person whom the tracker renames keeps the open alert",
    frames: [...run(0, 1, 5, seen("1")), ...run(1.2, 4, 5, seen("7", 0.6, { x: 0.23 }))],
    over: { until: 30 },
    events: ["opened 1 1.0", "closed 1 9.0"],
  },
  {
    what: "a passer-by does not take over the alert of somebody who is back at once",
    frames: [
      ...run(0, 1, 5, seen("1")),
      [1.2, calm("7", { x: 0.23 })],
      ...run(1.4, 9, 5, seen("1"), calm("7", { x: 0.3 })),
    ],
    events: ["opened 1 1.0"],
  },
  {
    what: "and that passer-by may raise one of their own when the other has left",
    frames: [
      ...run(0, 1, 5, seen("1")),
      [1.2, calm("7", { x: 0.23 })],
      ...run(1.4, 2, 5, seen("1"), calm("7", { x: 0.3 })),
      ...run(2.2, 3.2, 5, seen("7", 0.6, { x: 0.3 })),
    ],
    over: { until: 7.5 },
    events: ["opened 1 1.0", "opened 7 3.2", "closed 1 7.0"],
  },
  {
    what: "a frame that comes late is passed over",
    frames: [...run(0, 0.8, 5, seen("1")), [0.5, calm("1")], [0.3], [1, seen("1")]],
    events: ["opened 1 1.0"],
  },
  {
    what: "a clock that is set back closes and begins anew",
    frames: [...run(100, 102, 5, seen("1")), ...run(0, 1, 5, seen("1"))],
    events: ["opened 1 101.0", "closed 1 102.0", "opened 1 1.0"],
  },
  {
    what: "a higher score is reported, once the last report is old enough",
    frames: [...run(0, 2, 5, seen("1", 0.5)), ...run(2.2, 8, 5, seen("1", 0.65))],
    events: ["opened 1 1.0", "updated 1 6.0"],
  },
  {
    what: "a hardly higher score is not",
    frames: [...run(0, 2, 5, seen("1", 0.5)), ...run(2.2, 8, 5, seen("1", 0.55))],
    events: ["opened 1 1.0"],
  },
  {
    what: "a new reason is reported",
    frames: [...run(0, 6.4, 5, seen("1")), [6.6, seen("1", 0.6, { reasons: ["wrist at the waist"] })]],
    events: ["opened 1 1.0", "updated 1 6.6"],
  },
  {
    what: "a reason that only lasts longer is not",
    frames: [
      ...run(0, 6.4, 5, seen("1", 0.6, { reasons: ["wrist at the waist for 0.8 s"] })),
      [6.6, seen("1", 0.6, { reasons: ["wrist at the waist for 1.4 s"] })],
    ],
    events: ["opened 1 1.0"],
  },
  {
    what: "a new zone is reported",
    frames: [...run(0, 6.4, 5, seen("1")), [6.6, seen("1", 0.6, { zones: ["spirits"] })]],
    events: ["opened 1 1.0", "updated 1 6.6"],
  },
  {
    what: "a severity that rises with time is reported",
    frames: run(0, 12, 5, seen("1")),
    events: ["opened 1 1.0", "updated 1 10.0"],
  },
  {
    what: "however much changes, reports keep their distance",
    frames: Array.from({ length: 60 }, (_, index) => [index / 5, seen("1", 0.6, { reasons: [`reason ${index}`] })]),
    events: ["opened 1 1.0", "updated 1 6.0", "updated 1 11.0"],
  },
];

describe("incident policy", () => {
  for (const { what, frames, over, events } of cases) {
    it(what, () => assert.deepEqual(told(frames, over), events));
  }

  it("tells each reason once, in its latest wording", () => {
    const { events } = play(
      [
        ...run(0, 1, 5, seen("1", 0.6, { reasons: ["wrist at the waist for 0.8 s", "head bowed"] })),
        ...run(1.2, 3, 5, seen("1", 0.6, { reasons: ["wrist at the waist for 1.4 s"] })),
      ],
      { until: 30 },
    );
    assert.deepEqual(events.at(-1)?.incident.reasons, ["wrist at the waist for 1.4 s", "head bowed"]);
  });

  it("tells of the highest score, and of all reasons and zones in the order of their coming", () => {
    const { events } = play(
      [
        ...run(0, 1, 5, seen("1", 0.6, { zones: ["aisle"] })),
        [1.2, seen("1", 0.95, { reasons: ["wrist at the waist"], zones: ["spirits"] })],
        ...run(1.4, 5, 5, seen("1", 0.55)),
      ],
      { until: 30 },
    );
    assert.deepEqual(events.at(-1)?.incident, {
      number: 1,
      personId: "1",
      label: "suspicious",
      model: "cues",
      score: 0.95,
      severity: "critical",
      reasons: ["head bowed", "wrist at the waist"],
      zones: ["aisle", "spirits"],
      since: START,
      openedAt: START + 1000,
      updatedAt: START + 10_000,
      closedAt: START + 10_000,
    });
  });

  it("counts what is open, and closes all of it when asked", () => {
    const { state } = play(run(0, 2, 5, seen("1"), seen("2", 0.6, { x: 0.8 }), calm("3", { x: 0.5 })));
    assert.equal(openIncidents(state), 2);
    const { state: after, events } = closeAll(state);
    assert.deepEqual(
      events.map(({ kind, incident }) => [kind, incident.personId, incident.closedAt]),
      [
        ["closed", "1", START + 2000],
        ["closed", "2", START + 2000],
      ],
    );
    assert.equal(openIncidents(after), 0);
    assert.deepEqual(closeAll(after).events, []);
  });

  it("remembers nobody for longer than it needs to", () => {
    const { state } = play(run(0, 2, 5, seen("1"), calm("2", { x: 0.8 })), { until: 7.5 });
    assert.equal(state.people.length, 1);
    assert.deepEqual(expire(state, START + 68_000, INCIDENT_DEFAULTS).state.people, []);
  });

  it("stays bounded, and closes what it has to let go", () => {
    const crowd = (round: number) =>
      Array.from({ length: 200 }, (_, index) => seen(`${round}-${index}`, 0.6, { x: round }));
    const frames: Frames = [0, 10, 20].map((round) => [round / 10, ...crowd(round)]);
    const { state, events } = play(frames, { minimumSeconds: 0 });
    assert.equal(state.people.length, 256);
    const count = (kind: string) => events.filter((event) => event.kind === kind).length;
    assert.equal(count("opened") - count("closed"), 256);
  });

  it("changes nothing that it was given", () => {
    const { state } = play(run(0, 1, 5, seen("1")));
    const copy = structuredClone(state);
    observe(state, { timestamp: START + 9000, persons: [personOf(seen("2"))] }, INCIDENT_DEFAULTS);
    expire(state, START + 9000, INCIDENT_DEFAULTS);
    assert.deepEqual(state, copy);
  });
});

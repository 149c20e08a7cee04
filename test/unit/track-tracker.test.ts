import assert from "node:assert/strict";
import type { Detection, Keypoint, Person } from "../../src/pose/person.ts";
import { Tracker } from "../../src/track/tracker.ts";

/** A person 0.2 high and 0.06 wide, with the feet's middle at `x`, `y`. */
function person(x: number, y: number, score = 0.4): Detection {
  const keypoints = Array.from({ length: 17 }, (_, index): Keypoint => {
    return [x + (index % 2 ? -0.015 : 0.015), y - 0.19 + index * 0.011, 0.5];
  });
  return { box: { x: x - 0.03, y: y - 0.2, width: 0.06, height: 0.2 }, keypoints, score };
}

/** Where somebody is at a time in seconds; nothing while they are hidden. */
type Walk = (seconds: number) => Detection | undefined;

/** The ids of each walker over time, "-" where they were not reported. */
function idsOf(walks: readonly Walk[], framesPerSecond: number, seconds: number, tracker = new Tracker()): string[][] {
  const seen = walks.map((): string[] => []);
  for (let frame = 0; frame <= seconds * framesPerSecond; frame++) {
    const time = frame / framesPerSecond;
    const found = walks.map((walk) => walk(time));
    const detections = found.filter((detection) => detection !== undefined);
    const persons = tracker.update(detections, 1_700_000_000_000 + time * 1000);
    found.forEach((detection, index) => {
      const match = persons.find(({ box }) => box === detection?.box);
      seen[index]?.push(match?.id ?? "-");
    });
  }
  return seen;
}

const hidden =
  (walk: Walk, from: number, to: number): Walk =>
  (seconds) =>
    seconds >= from && seconds < to ? undefined : walk(seconds);

const oneIdEach = (ids: readonly string[][]) => {
  const distinct = ids.map((each) => [...new Set(each.filter((id) => id !== "-"))]);
  assert.ok(
    distinct.every(({ length }) => length === 1),
    JSON.stringify(ids),
  );
  assert.equal(new Set(distinct.flat()).size, ids.length, JSON.stringify(ids));
};

const shake = (seconds: number, phase = 0) => 0.006 * Math.sin(seconds * 37 + phase);

const scenes: { what: string; walks: Walk[]; framesPerSecond: number; seconds: number }[] = [
  {
    what: "a walker at 2 frames a second, whose boxes never overlap",
    walks: [(t) => person(0.1 + 0.15 * t, 0.6)],
    framesPerSecond: 2,
    seconds: 5,
  },
  {
    what: "a walker at 15 frames a second",
    walks: [(t) => person(0.1 + 0.15 * t, 0.6)],
    framesPerSecond: 15,
    seconds: 5,
  },
  {
    what: "two who cross on neighbouring paths",
    walks: [(t) => person(0.2 + 0.1 * t, 0.6), (t) => person(0.8 - 0.1 * t, 0.63)],
    framesPerSecond: 5,
    seconds: 6,
  },
  {
    what: "two who cross while the further one is hidden",
    walks: [(t) => person(0.2 + 0.1 * t, 0.6), hidden((t) => person(0.8 - 0.1 * t, 0.58), 2.7, 3.3)],
    framesPerSecond: 5,
    seconds: 6,
  },
  {
    what: "somebody hidden for three frames at 5 a second",
    walks: [hidden((t) => person(0.1 + 0.1 * t, 0.6), 2, 2.6)],
    framesPerSecond: 5,
    seconds: 5,
  },
  {
    what: "two who stand side by side, shaking",
    walks: [(t) => person(0.4 + shake(t), 0.6 + shake(t, 1)), (t) => person(0.445 + shake(t, 2), 0.6 + shake(t, 3))],
    framesPerSecond: 5,
    seconds: 10,
  },
  {
    what: "somebody whose score dips for a second",
    walks: [(t) => person(0.1 + 0.1 * t, 0.6, t > 2 && t < 3 ? 0.17 : 0.4)],
    framesPerSecond: 5,
    seconds: 5,
  },
  {
    what: "somebody who turns back",
    walks: [(t) => person(0.2 + 0.12 * Math.min(t, 6 - t), 0.6)],
    framesPerSecond: 5,
    seconds: 6,
  },
  {
    what: "forty people who walk through each other's rows",
    walks: Array.from({ length: 40 }, (_, index): Walk => {
      const row = Math.floor(index / 8);
      const start = 0.02 + (index % 8) * 0.12;
      return (t) => person(start + (row % 2 ? -0.03 : 0.03) * t, 0.3 + row * 0.15);
    }),
    framesPerSecond: 5,
    seconds: 4,
  },
];

describe("Tracker", () => {
  for (const { what, walks, framesPerSecond, seconds } of scenes) {
    it(`keeps one id for ${what}`, () => oneIdEach(idsOf(walks, framesPerSecond, seconds)));
  }

  it("names everybody in the first picture, and those who come later at their second sighting", () => {
    const [first, later] = idsOf([() => person(0.2, 0.6), hidden(() => person(0.7, 0.6), 0, 1)], 5, 2);
    assert.deepEqual(first?.slice(0, 2), ["1", "1"]);
    assert.deepEqual(later?.slice(4, 9), ["-", "-", "2", "2", "2"]);
  });

  it("gives a ghost of one frame neither an id nor a number", () => {
    const tracker = new Tracker();
    tracker.update([], 0);
    assert.deepEqual(tracker.update([person(0.3, 0.5)], 200), []);
    tracker.update([], 400);
    tracker.update([person(0.8, 0.5)], 600);
    assert.deepEqual(ids(tracker.update([person(0.8, 0.5)], 800)), ["1"]);
  });

  it("begins nothing with low scores", () => {
    const [seen] = idsOf([() => person(0.5, 0.5, 0.17)], 5, 3);
    assert.ok(seen?.every((id) => id === "-"));
  });

  it("reports those whom it sees, as they were found, in their order", () => {
    const tracker = new Tracker();
    const first = [person(0.2, 0.6, 0.3), person(0.7, 0.6, 0.5)];
    tracker.update(first, 0);
    const [left, right] = [person(0.21, 0.6, 0.5), person(0.71, 0.6, 0.3)];
    assert.deepEqual(tracker.update([left, right], 200), [
      { id: "2", ...left },
      { id: "1", ...right },
    ]);
    assert.deepEqual(ids(tracker.update([left], 400)), ["2"]);
  });

  it("forgets who is gone for longer than it remembers", () => {
    const walk = (t: number) => person(0.5, 0.5 + 0 * t);
    const [short] = idsOf([hidden(walk, 1, 2.8)], 5, 4);
    const [long] = idsOf([hidden(walk, 1, 3.6)], 5, 5);
    assert.equal(short?.at(-1), "1");
    assert.equal(long?.at(-1), "2");
  });

  it("does not hand an id to somebody who comes in at the other end", () => {
    const tracker = new Tracker();
    tracker.update([person(0.05, 0.5)], 0);
    tracker.update([person(0.95, 0.5)], 200);
    assert.deepEqual(ids(tracker.update([person(0.95, 0.5)], 400)), ["2"]);
  });

  for (const [what, jump] of Object.entries({ "back a second": -1000, "ahead an hour": 3_600_000 })) {
    it(`begins anew when the clock goes ${what}, with new ids`, () => {
      const tracker = new Tracker();
      tracker.update([person(0.5, 0.5)], 1e12);
      assert.deepEqual(ids(tracker.update([person(0.5, 0.5)], 1e12 + jump)), ["2"]);
      assert.deepEqual(ids(tracker.update([person(0.5, 0.5)], 1e12 + jump + 200)), ["2"]);
    });
  }

  it("takes two frames of the same millisecond", () => {
    const tracker = new Tracker();
    tracker.update([person(0.5, 0.5)], 10);
    assert.deepEqual(ids(tracker.update([person(0.5, 0.5)], 10)), ["1"]);
  });

  it("follows no more people than it may, the surest ones", () => {
    const tracker = new Tracker({ maxPersons: 3 });
    const crowd = [0.1, 0.3, 0.5, 0.7, 0.9].map((x) => person(x, 0.5, x));
    const persons = tracker.update(crowd, 0);
    assert.deepEqual(
      persons.map(({ score }) => score),
      [0.5, 0.7, 0.9],
    );
  });

  it("takes people without key points", () => {
    const bare = (t: number): Detection => ({ ...person(0.1 + 0.1 * t, 0.6), keypoints: [] });
    oneIdEach(idsOf([bare], 5, 5));
  });
});

function ids(persons: readonly Person[]): string[] {
  return persons.map(({ id }) => id);
}

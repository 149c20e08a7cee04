import assert from "node:assert/strict";
import { assign, type Pair } from "../../src/track/assignment.ts";

const never = Number.POSITIVE_INFINITY;

const cases: { what: string; costs: number[][]; limit: number; pairs: Pair[] }[] = [
  { what: "nobody", costs: [], limit: 1, pairs: [] },
  { what: "nobody to pair with", costs: [[], []], limit: 1, pairs: [] },
  { what: "one pair", costs: [[0.3]], limit: 1, pairs: [[0, 0]] },
  { what: "a pair that costs the limit", costs: [[1]], limit: 1, pairs: [] },
  { what: "a forbidden pair", costs: [[never]], limit: 1, pairs: [] },
  {
    what: "the best whole, though the best single pair is lost by it",
    costs: [
      [0.1, 0.2],
      [0.15, 0.9],
    ],
    limit: 1,
    pairs: [
      [0, 1],
      [1, 0],
    ],
  },
  {
    what: "one good pair rather than two that hardly pass",
    costs: [
      [0.1, 0.95],
      [0.95, never],
    ],
    limit: 1,
    pairs: [[0, 0]],
  },
  {
    what: "more rows than columns",
    costs: [[0.5], [0.2], [0.4]],
    limit: 1,
    pairs: [[1, 0]],
  },
  {
    what: "more columns than rows",
    costs: [[0.5, 0.2, 0.4]],
    limit: 1,
    pairs: [[0, 1]],
  },
  {
    what: "a chain of moves",
    costs: [
      [1, 2, 9],
      [2, 4, 9],
      [1, 3, 3],
    ],
    limit: 10,
    pairs: [
      [0, 1],
      [1, 0],
      [2, 2],
    ],
  },
];

describe("assign", () => {
  for (const { what, costs, limit, pairs } of cases) {
    it(`finds ${what}`, () => assert.deepEqual(assign(costs, limit), pairs));
  }

  it("is never beaten by trying every pairing", () => {
    const random = seeded(7);
    for (let round = 0; round < 200; round++) {
      const width = 1 + Math.floor(random() * 5);
      const costs = Array.from({ length: 1 + Math.floor(random() * 5) }, () =>
        Array.from({ length: width }, () => (random() < 0.2 ? never : random())),
      );
      const total = assign(costs, 0.6).reduce((sum, [row, column]) => sum + (costs[row]?.[column] ?? never) - 0.6, 0);
      assert.ok(Math.abs(total - bestTotal(costs, 0.6)) < 1e-9, JSON.stringify(costs));
    }
  });

  it("pairs 64 with 64 in well under a frame", () => {
    const random = seeded(3);
    const costs = Array.from({ length: 64 }, () => Array.from({ length: 64 }, random));
    assert.equal(assign(costs, 2).length, 64);
    const { user: before } = process.cpuUsage();
    assign(costs, 2);
    assert.ok(process.cpuUsage().user - before < 60_000);
  });
});

/** By trying all: the least sum of costs, each less the limit. */
function bestTotal(costs: readonly (readonly number[])[], limit: number, taken = new Set<number>()): number {
  const [row, ...rest] = costs;
  if (!row) return 0;
  const paired = row.map((cost, column) =>
    taken.has(column) ? 0 : Math.min(cost, limit) - limit + bestTotal(rest, limit, new Set([...taken, column])),
  );
  return Math.min(bestTotal(rest, limit, taken), ...paired);
}

/** Numbers in 0..1, the same ones for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

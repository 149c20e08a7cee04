import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { WaitingRoom } from "../../src/pose/waiting-room.ts";

type Step = ["put", camera: string, item: number, leaves?: number] | ["take", item: number | undefined];

const cases: { name: string; steps: Step[] }[] = [
  { name: "gives nothing when empty", steps: [["take", undefined]] },
  {
    name: "keeps the latest of a camera",
    steps: [
      ["put", "a", 1],
      ["put", "a", 2, 1],
      ["put", "a", 3, 2],
      ["take", 3],
      ["take", undefined],
    ],
  },
  {
    name: "serves cameras in turn, however fast one is",
    steps: [
      ["put", "fast", 1],
      ["put", "slow", 10],
      ["put", "fast", 2, 1],
      ["put", "slower", 20],
      ["take", 2],
      ["put", "fast", 3],
      ["put", "fast", 4, 3],
      ["take", 10],
      ["take", 20],
      ["take", 4],
      ["take", undefined],
    ],
  },
  {
    name: "lets a camera that is overtaken by itself keep its turn",
    steps: [
      ["put", "a", 1],
      ["put", "b", 10],
      ["put", "a", 2, 1],
      ["take", 2],
      ["take", 10],
    ],
  },
  {
    name: "sends the longest waiting away when full",
    steps: [
      ["put", "a", 1],
      ["put", "b", 2],
      ["put", "c", 3],
      ["put", "d", 4, 1],
      ["put", "b", 5, 2],
      ["take", 5],
      ["take", 3],
      ["take", 4],
      ["take", undefined],
    ],
  },
];

describe("WaitingRoom", () => {
  for (const { name, steps } of cases) {
    it(name, () => {
      const room = new WaitingRoom<number>(3);
      for (const step of steps) {
        if (step[0] === "put") assert.equal(room.put(step[1], step[2]), step[3], `put ${step[1]} ${step[2]}`);
        else assert.equal(room.take(), step[1]);
      }
    });
  }

  it("gives up some, or all", () => {
    const room = new WaitingRoom<number>(5);
    for (const item of [1, 2, 3, 4]) room.put(String(item), item);
    assert.deepEqual(
      room.clear((item) => item % 2 === 0),
      [2, 4],
    );
    assert.equal(room.size, 2);
    assert.deepEqual(room.clear(), [1, 3]);
    assert.equal(room.size, 0);
  });
});

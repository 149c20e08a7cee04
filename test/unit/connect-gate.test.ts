import assert from "node:assert/strict";
import { ConnectGate } from "../../src/stream/connect-gate.ts";

const never = new AbortController().signal;
const soon = () => new Promise((resolve) => setImmediate(resolve));

describe("connect gate", () => {
  it("lets no more than its limit in, and the others in the order in which they came", async () => {
    const gate = new ConnectGate(2);
    const admitted: number[] = [];
    const leaving: (() => void)[] = [];
    for (let i = 0; i < 5; i++) {
      void gate.enter(never).then((leave) => {
        admitted.push(i);
        leaving.push(leave);
      });
    }
    await soon();
    assert.deepEqual(admitted, [0, 1]);
    leaving[1]?.();
    await soon();
    assert.deepEqual(admitted, [0, 1, 2]);
    leaving[0]?.();
    leaving[2]?.();
    await soon();
    assert.deepEqual(admitted, [0, 1, 2, 3, 4]);
    assert.equal(gate.inside, 2);
  });

  it("counts each one's leaving once", async () => {
    const gate = new ConnectGate(1);
    const leave = await gate.enter(never);
    leave();
    leave();
    assert.equal(gate.inside, 0);
    await gate.enter(never);
    assert.equal(gate.inside, 1);
  });

  it("forgets whoever no longer wants to go in", async () => {
    const gate = new ConnectGate(1);
    const leave = await gate.enter(never);
    const gone = new AbortController();
    const entered = gate.enter(gone.signal);
    gone.abort(new Error("no longer"));
    await assert.rejects(entered, /no longer/);
    await assert.rejects(gate.enter(gone.signal), /no longer/);
    leave();
    assert.equal(gate.inside, 0);
  });

  it("lets more in when the limit rises", async () => {
    const gate = new ConnectGate(1);
    await gate.enter(never);
    const second = gate.enter(never);
    gate.limit = 2;
    await second;
    assert.equal(gate.inside, 2);
  });
});

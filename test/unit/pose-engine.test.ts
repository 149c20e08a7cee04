import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, it } from "mocha";
import { silent } from "../../src/logger.ts";
import { startPoseWorker } from "../../src/pose/inference-thread.ts";
import { PoseEngine, restartDelay } from "../../src/pose/pose-engine.ts";
import { BUNDLED_MODEL, frameOf, Scratch } from "./pose-fixtures.ts";

const WIDTH = 640;
const grey = new Uint8Array(WIDTH * 360 * 3).fill(90);

describe("restartDelay", () => {
  it("grows from a tenth of a second to ten seconds", () => {
    assert.deepEqual([1, 2, 3, 4, 7, 8, 30].map(restartDelay), [100, 200, 400, 800, 6400, 10_000, 10_000]);
  });
});

describe("PoseEngine", function () {
  this.timeout(30_000);
  const holder = {};
  let workers: Worker[];
  let warnings: string[];
  let engine: PoseEngine | undefined;

  beforeEach(() => {
    workers = [];
    warnings = [];
  });

  afterEach(() => engine?.close());

  function engineOn(start: () => Worker): PoseEngine {
    const startWorker = () => {
      const worker = start();
      workers.push(worker);
      return worker;
    };
    engine = new PoseEngine(startWorker, { ...silent, warn: (line) => warnings.push(line) });
    return engine;
  }

  const poseWorker = (path = BUNDLED_MODEL) => startPoseWorker({ path, longSide: 320, runtime: "auto" });
  const request = (lane: string) => ({ frame: frameOf(grey, WIDTH, lane), threshold: undefined, lane, holder });

  it("starts a crashed thread again and loses only the picture in hand", async () => {
    const pose = engineOn(() => poseWorker());
    await pose.ready;
    const inHand = pose.detect(request("a"));
    const waiting = pose.detect(request("b"));
    void workers[0]?.terminate();
    await assert.rejects(inHand, { code: "INFERENCE_FAILED", message: /ended unexpectedly/ });
    assert.equal((await waiting)?.model, "movenet-multipose");
    assert.equal(workers.length, 2);
    assert.equal(warnings.filter((line) => line.includes("ended unexpectedly")).length, 1);
    assert.ok(await pose.detect(request("a")));
  });

  it("starts a thread again that crashed while it had nothing to do", async () => {
    const pose = engineOn(() => poseWorker());
    await pose.ready;
    await workers[0]?.terminate();
    assert.ok(await pose.detect(request("a")));
    assert.equal(workers.length, 2);
  });

  it("goes on where it crashes again while it loads", async () => {
    const crashing = () => new Worker("throw new Error('out of luck')", { eval: true });
    const pose = engineOn(() => (workers.length === 1 ? crashing() : poseWorker()));
    await pose.ready;
    await workers[0]?.terminate();
    assert.ok(await pose.detect(request("a")));
    assert.equal(workers.length, 3);
    assert.match(warnings.at(-1) ?? "", /out of luck/);
  });

  it("does not try again where the first load crashes", async () => {
    const pose = engineOn(() => new Worker("throw new Error('out of luck')", { eval: true }));
    const waiting = pose.detect(request("a"));
    const failure = { code: "INFERENCE_FAILED", message: /out of luck/ };
    await assert.rejects(pose.ready, failure);
    await assert.rejects(waiting, failure);
    await assert.rejects(pose.detect(request("a")), failure);
    await delay(2 * restartDelay(1));
    assert.equal(workers.length, 1);
    assert.ok(pose.hasFailed);
  });

  it("tells every frame where the model is gone when it starts again", async () => {
    const scratch = new Scratch();
    const pose = engineOn(() => poseWorker(workers.length === 0 ? BUNDLED_MODEL : scratch.path("gone.onnx")));
    await pose.ready;
    await workers[0]?.terminate();
    await assert.rejects(pose.detect(request("a")), { code: "MODEL_NOT_FOUND" });
    scratch.remove();
  });

  it("answers a picture that cannot be analysed with an error, and goes on", async () => {
    const pose = engineOn(() => poseWorker());
    const { camera } = frameOf(grey, WIDTH);
    // No Frame is like this; a bug elsewhere might be.
    const broken = { data: new Uint8Array(10), width: 1280, height: 720, camera } as unknown as ReturnType<
      typeof frameOf
    >;
    await assert.rejects(pose.detect({ ...request("a"), frame: broken }), { code: "INFERENCE_FAILED" });
    assert.ok(await pose.detect(request("a")));
    assert.equal(workers.length, 1);
  });

  it("serves three cameras in turn, and each its latest frame", async () => {
    const pose = engineOn(() => poseWorker());
    await pose.ready;
    const served: string[] = [];
    const ask = async (lane: string, sequence: number) => {
      const frame = frameOf(grey, WIDTH, lane, sequence);
      const result = await pose.detect({ ...request(lane), frame });
      if (result) served.push(`${lane}${sequence}`);
    };
    const asked = [ask("a", 0)];
    for (let sequence = 1; sequence <= 3; sequence++) {
      asked.push(ask("a", sequence), ask("a", sequence + 10), ask("b", sequence), ask("c", sequence));
    }
    await Promise.all(asked);
    assert.deepEqual(served, ["a0", "a13", "b3", "c3"]);
  });

  it("stops while it loads, and while it waits to start again", async () => {
    const loading = engineOn(() => poseWorker());
    const pending = loading.detect(request("a"));
    await loading.close();
    assert.equal(await pending, undefined);
    await assert.rejects(loading.ready, { code: "INFERENCE_FAILED", message: /given back/ });

    workers = [];
    const restarting = engineOn(() => poseWorker());
    await restarting.ready;
    await workers[0]?.terminate();
    await restarting.close();
    await delay(2 * restartDelay(1));
    assert.equal(workers.length, 1);
    assert.equal(await restarting.detect(request("a")), undefined);
  });
});

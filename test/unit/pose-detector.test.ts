import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHistogram } from "node:perf_hooks";
import { inspect } from "node:util";
import { after, before, describe, it } from "mocha";
import { boxOverlap } from "../../src/pose/overlap.ts";
import { type Detection, joint } from "../../src/pose/person.ts";
import { PoseDetector, type PoseOptions } from "../../src/pose/pose-detector.ts";
import { clipOfPeople, frameOf, Scratch, sharedCopy } from "./pose-fixtures.ts";

const WIDTH = 640;
const grey = new Uint8Array(WIDTH * 360 * 3).fill(90);
const SEEN = 0.3;

describe("PoseDetector", function () {
  this.timeout(30_000);
  const acquired: PoseDetector[] = [];

  function acquire(options?: PoseOptions): PoseDetector {
    const detector = PoseDetector.acquire(options);
    acquired.push(detector);
    return detector;
  }

  after(() => Promise.all(acquired.map((detector) => detector.release())));

  describe("on a square with some twenty people", function () {
    this.timeout(60_000);
    let pictures: Uint8Array[];
    let found: Detection[][];

    before(async function () {
      const clip = clipOfPeople(3, WIDTH);
      if (!clip) return this.skip();
      pictures = clip;
      found = await detectAll(pictures);
    });

    async function detectAll(rgb: Uint8Array[], width = WIDTH, options?: PoseOptions): Promise<Detection[][]> {
      const detector = acquire(options);
      const results: Detection[][] = [];
      for (const data of rgb) {
        const result = await detector.detect(frameOf(data, width));
        assert.ok(result);
        results.push(result.detections);
      }
      return results;
    }

    it("finds many of them, by falling score", () => {
      for (const persons of found) {
        assert.ok(persons.length >= 10 && persons.length <= 30, `${persons.length} persons`);
        const scores = persons.map(({ score }) => score);
        assert.deepEqual(
          scores,
          scores.toSorted((a, b) => b - a),
        );
        assert.ok(scores.every((score) => score >= 0.16 && score <= 1));
      }
    });

    it("places boxes within the picture and joints in their boxes", () => {
      let joints = 0;
      let inside = 0;
      for (const { box, keypoints } of found.flat()) {
        assert.ok(box.x >= 0 && box.y >= 0 && box.x + box.width <= 1.000001 && box.y + box.height <= 1.000001);
        assert.ok(box.width > 0.005 && box.width < 0.3 && box.height > 0.02 && box.height < 0.6, JSON.stringify(box));
        assert.equal(keypoints.length, 17);
        for (const [x, y, score] of keypoints.filter(([, , jointScore]) => jointScore > SEEN)) {
          assert.ok(score <= 1);
          joints++;
          const withinWidth = x > box.x - 0.1 * box.width && x < box.x + 1.1 * box.width;
          const withinHeight = y > box.y - 0.1 * box.height && y < box.y + 1.1 * box.height;
          if (withinWidth && withinHeight) inside++;
        }
      }
      assert.ok(joints > 100, `${joints} joints`);
      assert.ok(inside / joints > 0.95, `${inside} of ${joints} joints`);
    });

    it("sees people upright", () => {
      const heights = found
        .flat()
        .map(({ keypoints }) => [keypoints[joint.leftShoulder], keypoints[joint.leftHip], keypoints[joint.leftAnkle]])
        .filter((chain) => chain.every((point) => point && point[2] > SEEN))
        .map((chain) => chain.map((point) => point?.[1] as number) as [number, number, number]);
      const upright = heights.filter(([shoulder, hip, ankle]) => shoulder < hip && hip < ankle);
      assert.ok(heights.length >= 10, `${heights.length} persons`);
      assert.ok(upright.length / heights.length > 0.9, `${upright.length} of ${heights.length}`);
    });

    it("tells left from right: in a mirror, they change places", async () => {
      const reflections = await detectAll(pictures.map((rgb) => mirror(rgb, WIDTH)));
      const pairs = found.flatMap((persons, index) => matches(persons, (reflections[index] ?? []).map(mirrorBox)));
      assert.ok(pairs.length >= 0.6 * found.flat().length, `${pairs.length} of ${found.flat().length} persons`);
      const sides = pairs
        .map(([person, reflection]) => [shoulderWidth(person), shoulderWidth(reflection)] as const)
        .filter((widths) => widths.every((width) => Math.abs(width) > 0.15));
      // Seen from the front, the left shoulder is at the right; a person keeps facing us in the mirror.
      const same = sides.filter(([original, reflected]) => Math.sign(original) === Math.sign(reflected));
      assert.ok(same.length / sides.length > 0.7, `${same.length} of ${sides.length}`);
    });

    it("finds the same with shared memory as without", async () => {
      assert.deepEqual(await detectAll(pictures.map(sharedCopy)), found);
    });

    it("leaves the frame's pixels to others", async () => {
      const picture = new Uint8Array(pictures[0] as Uint8Array);
      const detector = acquire();
      await detector.detect(frameOf(picture, WIDTH));
      assert.deepEqual(Buffer.from(picture), Buffer.from(pictures[0] as Uint8Array));
    });

    it("finds about the same in frames of another size", async () => {
      const [large] = clipOfPeople(1, 1280) as [Uint8Array];
      const [persons] = (await detectAll([large], 1280)) as [Detection[]];
      const [expected] = found as [Detection[]];
      const pairs = matches(expected, persons);
      assert.ok(pairs.length >= 0.75 * expected.length, `${pairs.length} of ${expected.length}`);
    });

    it("finds the same with WASM as with the native runtime", async function () {
      if ((await acquire().ready).runtime !== "native") return this.skip();
      const [persons] = (await detectAll(pictures.slice(0, 1), WIDTH, { runtime: "wasm" })) as [Detection[]];
      const [expected] = found as [Detection[]];
      assert.equal(persons.length, expected.length);
      for (const [index, person] of persons.entries()) {
        const other = expected[index] as Detection;
        assert.ok(Math.abs(person.score - other.score) < 1e-3);
        assert.ok(boxOverlap(person.box, other.box) > 0.99);
        for (const [joint, [x, y]] of person.keypoints.entries()) {
          const [otherX = 0, otherY = 0] = other.keypoints[joint] ?? [];
          assert.ok(Math.hypot(x - otherX, y - otherY) < 1e-3, `joint ${joint} of person ${index}`);
        }
      }
    });

    it("follows the threshold of each holder", async () => {
      const [[strict], [lenient]] = [
        await detectAll(pictures.slice(0, 1), WIDTH, { threshold: 0.3 }),
        await detectAll(pictures.slice(0, 1), WIDTH, { threshold: 0.1 }),
      ] as [[Detection[]], [Detection[]]];
      assert.ok(strict.every(({ score }) => score >= 0.3));
      assert.ok(strict.length < (found[0]?.length ?? 0) && lenient.length > (found[0]?.length ?? 0));
    });

    it("analyses smaller pictures for who asks for them", async () => {
      const detector = acquire({ longSide: 384 });
      assert.equal((await detector.ready).inputSize, 384);
      const result = await detector.detect(frameOf(pictures[0] as Uint8Array, WIDTH));
      assert.ok(result && result.detections.length > 0);
    });
  });

  it("drops the frame of a camera that a newer one overtakes while it waits", async () => {
    const detector = acquire();
    await detector.ready;
    const frames = [0, 1, 2].map((sequence) => detector.detect(frameOf(grey, WIDTH, "door", sequence)));
    const [inHand, overtaken, latest] = await Promise.all(frames);
    assert.equal(inHand?.model, "movenet-multipose");
    assert.equal(overtaken, undefined);
    assert.ok(latest && latest.ms.queue > 0 && latest.ms.inference > 0);
    const stats = detector.stats();
    assert.equal(stats.dropped, 1);
    assert.ok(stats.framesPerSecond > 0 && stats.inferenceMs > 0 && stats.queueMs > 0);
    assert.equal(stats.runtime, (await detector.ready).runtime);
  });

  it("does not let two holders overtake each other's frames of one camera", async () => {
    const [first, second] = [acquire(), acquire()];
    const busy = first.detect(frameOf(grey, WIDTH, "elsewhere"));
    const results = await Promise.all([first.detect(frameOf(grey, WIDTH)), second.detect(frameOf(grey, WIDTH))]);
    assert.ok(await busy);
    assert.ok(results.every((result) => result !== undefined));
  });

  it("is one model for all who ask for the same, until the last gives it back", async () => {
    const [first, second, other] = [acquire({ longSide: 320 }), acquire({ longSide: 320 }), acquire({ longSide: 352 })];
    assert.equal(await first.ready, await second.ready);
    assert.notEqual(await first.ready, await other.ready);
    await first.release();
    await first.release();
    assert.ok(await second.detect(frameOf(grey, WIDTH)));
    assert.equal(await first.detect(frameOf(grey, WIDTH)), undefined);
    await second.release();
    const third = acquire({ longSide: 320 });
    assert.ok(await third.detect(frameOf(grey, WIDTH)));
  });

  it("settles what is pending when it is given back", async () => {
    const [leaving, staying] = [acquire(), acquire()];
    const pending = ["a", "b"].map((camera) => leaving.detect(frameOf(grey, WIDTH, camera)));
    const other = staying.detect(frameOf(grey, WIDTH, "a"));
    await leaving.release();
    assert.deepEqual(await Promise.all(pending), [undefined, undefined]);
    assert.ok(await other);
  });

  it("tells everybody why a model cannot be loaded, and tries again for the next who asks", async () => {
    const scratch = new Scratch();
    const model = scratch.path("own.onnx");
    const missing = { name: "CctvError", code: "MODEL_NOT_FOUND" };
    // Nobody listens to `ready` of this one, which must not end the process.
    acquire({ model });
    const second = acquire({ model });
    await assert.rejects(second.detect(frameOf(grey, WIDTH)), missing);
    await assert.rejects(second.ready, missing);
    assert.equal(second.stats().runtime, undefined);
    scratch.write("own.onnx", "now it is there");
    await assert.rejects(acquire({ model }).ready, { name: "CctvError", code: "MODEL_UNREADABLE" });
    scratch.remove();
  });

  const wrong: PoseOptions[] = [
    { longSide: 0 },
    { longSide: 33.3 },
    { longSide: 5000 },
    { longSide: Number.NaN },
    { threshold: 0 },
    { threshold: 1 },
    { threshold: Number.NaN },
  ];
  for (const options of wrong) {
    it(`refuses ${inspect(options)}`, () =>
      assert.throws(() => acquire(options), { name: "CctvError", code: "SETTING_INVALID" }));
  }

  it("leaves the event loop to others while it works", async () => {
    const detector = acquire();
    await detector.ready;
    const gaps = createHistogram();
    let last = performance.now();
    const beat = setInterval(() => {
      const now = performance.now();
      gaps.record(Math.max(1, Math.round(now - last)));
      last = now;
    }, 5);
    let inferenceMs = 0;
    for (let index = 0; index < 5; index++) {
      const result = await detector.detect(frameOf(grey, WIDTH));
      inferenceMs += (result?.ms.inference ?? 0) / 5;
    }
    clearInterval(beat);
    assert.ok(gaps.percentile(50) < inferenceMs / 3, `${gaps.percentile(50)} ms of ${inferenceMs} ms`);
  });

  it("leaves no thread behind that would keep the process", () => {
    const script = `
      const { PoseDetector } = await import(${JSON.stringify(new URL("../../src/pose/pose-detector.js", import.meta.url).href)});
      const detector = PoseDetector.acquire();
      console.log((await detector.ready).name);
      await detector.release();
    `;
    const output = execFileSync(process.execPath, ["--input-type=module", "-e", script], { timeout: 9000 });
    assert.equal(output.toString().trim(), "movenet-multipose");
  });
});

function mirror(rgb: Uint8Array, width: number): Uint8Array {
  const mirrored = new Uint8Array(rgb.length);
  for (let pixel = 0; pixel < rgb.length / 3; pixel++) {
    const column = pixel % width;
    const opposite = pixel - column + (width - 1 - column);
    mirrored.set(rgb.subarray(3 * pixel, 3 * pixel + 3), 3 * opposite);
  }
  return mirrored;
}

/** From the right shoulder to the left, in parts of the box's width; 0 where one is not seen. */
function shoulderWidth({ box, keypoints }: Detection): number {
  const [leftX, , leftScore] = keypoints[joint.leftShoulder] ?? [0, 0, 0];
  const [rightX, , rightScore] = keypoints[joint.rightShoulder] ?? [0, 0, 0];
  return leftScore > SEEN && rightScore > SEEN ? (leftX - rightX) / box.width : 0;
}

/** The box as it is in the mirror, the joints as they are. */
function mirrorBox({ box, ...rest }: Detection): Detection {
  return { ...rest, box: { ...box, x: 1 - box.x - box.width } };
}

/** Pairs of detections whose boxes mostly agree. */
function matches(persons: Detection[], others: Detection[]): [Detection, Detection][] {
  return persons.flatMap((person): [Detection, Detection][] => {
    const other = others.find(({ box }) => boxOverlap(box, person.box) > 0.5);
    return other ? [[person, other]] : [];
  });
}

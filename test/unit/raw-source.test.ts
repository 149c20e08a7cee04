import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { RawInput } from "../../src/camera/protocols/protocol.ts";
import { CctvError } from "../../src/errors.ts";
import type { CapturedPicture } from "../../src/stream/picture-source.ts";
import { RawSource } from "../../src/stream/raw-source.ts";

describe("raw source", () => {
  const open = (pictures: RawInput["pictures"]) => {
    const taken: CapturedPicture[] = [];
    let clock = 1_000;
    const source = new RawSource({
      input: { kind: "raw", display: "raw://door", live: true, loop: false, pictures },
      analysis: { fps: 5, longSide: 640 },
      onPicture: (picture) => taken.push(picture),
      now: () => ++clock,
    });
    return { source, taken };
  };
  const picture = { data: new Uint8Array(6), width: 2, height: 1 };

  it("stamps each picture with its arrival, and passes on what is wanted", async () => {
    let wanted: unknown;
    const { source, taken } = open(async function* (asked) {
      wanted = asked;
      yield picture;
      yield picture;
    });
    await source.ended;
    assert.deepEqual(taken, [
      { ...picture, timestamp: 1_001 },
      { ...picture, timestamp: 1_002 },
    ]);
    assert.deepEqual(wanted, { fps: 5, longSide: 640 });
    assert.deepEqual(source.facts(), { damaged: 0 });
  });

  for (const [name, count, message] of [
    ["before the first picture", 0, /before the first picture/],
    ["later", 1, /broke off/],
  ] as const) {
    it(`calls an end ${name} a loss`, async () => {
      const { source } = open(async function* () {
        for (let index = 0; index < count; index++) yield picture;
      });
      const reason = await source.ended;
      assert.equal(reason?.code, "STREAM_LOST");
      assert.match(reason.message, message);
    });
  }

  for (const [name, thrown, code] of [
    ["an error with a code", new CctvError("CAMERA_NOT_FOUND", "gone"), "CAMERA_NOT_FOUND"],
    ["any other error", new Error("gone"), "STREAM_LOST"],
  ] as const) {
    it(`tells ${name}`, async () => {
      // biome-ignore lint/correctness/useYield: it fails before
      const { source } = open(async function* () {
        throw thrown;
      });
      const reason = await source.ended;
      assert.deepEqual([reason?.code, reason?.message], [code, "gone"]);
    });
  }

  it("closes once what the input had open is closed", async () => {
    let isOpen = true;
    const { source, taken } = open(async function* (_, signal) {
      try {
        while (!signal.aborted) {
          await sleep(5, undefined, { signal });
          yield picture;
        }
      } finally {
        await sleep(20);
        isOpen = false;
      }
    });
    while (taken.length === 0) await sleep(5);
    await Promise.all([source.close(), source.close()]);
    assert.equal(isOpen, false);
    assert.equal(await source.ended, undefined);
    const count = taken.length;
    await sleep(30);
    assert.equal(taken.length, count);
  });
});

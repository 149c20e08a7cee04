import assert from "node:assert/strict";
import type { LivePicture } from "../../src/socket/camera-source.ts";
import { FrameLane } from "../../src/socket/frame-lane.ts";

/** A client's connection that takes one picture, and another when it is told that the last has left. */
class SlowLine {
  readonly sent: string[] = [];
  #isFree = true;

  isFree(): boolean {
    return this.#isFree;
  }

  send(cameraId: string, jpeg: Buffer, timestamp: number): void {
    assert.equal(jpeg.toString(), `jpeg ${timestamp}`);
    this.#isFree = false;
    this.sent.push(`${cameraId}@${timestamp}`);
  }

  free(): void {
    this.#isFree = true;
  }
}

describe("FrameLane", () => {
  let encoded: number;
  let failures: unknown[];
  let line: SlowLine;
  let lane: FrameLane;

  beforeEach(() => {
    encoded = 0;
    failures = [];
    line = new SlowLine();
    lane = new FrameLane(line, (error) => failures.push(error));
  });

  const picture = (timestamp: number): LivePicture => ({
    timestamp,
    async jpeg() {
      encoded++;
      return Buffer.from(`jpeg ${timestamp}`);
    },
  });
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  const flushed = async () => {
    line.free();
    lane.advance();
    await settled();
  };

  it("sends at once where the line is free", async () => {
    lane.offer("door", picture(1));
    await settled();
    assert.deepEqual(line.sent, ["door@1"]);
  });

  it("keeps only the newest picture for a busy line, and encodes no other", async () => {
    lane.offer("door", picture(0));
    await settled();
    for (let timestamp = 1; timestamp <= 100; timestamp++) lane.offer("door", picture(timestamp));
    await settled();
    assert.deepEqual([line.sent, encoded], [["door@0"], 1]);
    await flushed();
    await flushed();
    assert.deepEqual([line.sent, encoded], [["door@0", "door@100"], 2]);
  });

  it("gives every camera its turn, however fast the others are", async () => {
    for (const camera of ["a", "b", "c"]) lane.offer(camera, picture(0));
    await settled();
    for (let timestamp = 1; timestamp <= 5; timestamp++) {
      for (const camera of ["a", "b", "c"]) lane.offer(camera, picture(timestamp));
      await flushed();
    }
    assert.deepEqual(line.sent, ["a@0", "b@1", "c@2", "a@3", "b@4", "c@5"]);
  });

  it("lets the others go first where a newer picture comes while one is encoded", async () => {
    let encode: ((jpeg: Buffer) => void) | undefined;
    const jpeg = new Promise<Buffer>((resolve) => {
      encode = resolve;
    });
    lane.offer("a", { timestamp: 1, jpeg: () => jpeg });
    lane.offer("b", picture(1));
    lane.offer("a", picture(2));
    encode?.(Buffer.from("jpeg 1"));
    await settled();
    await flushed();
    await flushed();
    assert.deepEqual(line.sent, ["a@1", "b@1", "a@2"]);
  });

  it("leaves out what is forgotten, also while it is encoded", async () => {
    lane.offer("door", picture(1));
    lane.forget("door");
    await settled();
    assert.deepEqual(line.sent, []);
  });

  it("goes on after a picture that cannot be encoded", async () => {
    lane.offer("door", { timestamp: 1, jpeg: () => Promise.reject(new Error("damaged")) });
    lane.offer("yard", picture(2));
    await settled();
    assert.deepEqual(line.sent, ["yard@2"]);
    assert.match(String(failures), /damaged/);
  });

  it("sends nothing once it is closed", async () => {
    lane.offer("door", picture(1));
    lane.close();
    lane.offer("door", picture(2));
    await settled();
    await flushed();
    assert.deepEqual(line.sent, []);
  });
});

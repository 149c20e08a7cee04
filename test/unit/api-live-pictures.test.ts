import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { FleetControl } from "../../src/api/context.ts";
import { playLivePictures } from "../../src/api/live-pictures.ts";
import { CctvError } from "../../src/errors.ts";
import { Frame } from "../../src/frame/frame.ts";

const JPEG_BYTES = 200_000;

/** The part of a fleet that shows pictures, so that a test decides when there is one. */
class Watched extends EventEmitter<{ removed: [string] }> {
  readonly watchers = new Set<(frame: Frame) => void>();
  #sequence = 0;

  watch(id: string, listener: (frame: Frame) => void): () => void {
    if (id !== "door") throw new CctvError("CAMERA_UNKNOWN", `no camera "${id}" is registered`);
    this.watchers.add(listener);
    return () => void this.watchers.delete(listener);
  }

  show(jpeg = Buffer.alloc(JPEG_BYTES, 7)): void {
    const camera = { id: "door", name: "Door", location: "", site: "" };
    const init = { data: new Uint8Array(3), width: 1, height: 1, timestamp: 0, sequence: this.#sequence++, camera };
    const frame = new Frame({ ...init, jpeg });
    for (const listener of this.watchers) listener(frame);
  }
}

describe("live pictures", () => {
  let fleet: Watched;
  let server: Server;
  let stop: AbortController;
  let played: Promise<void>[];
  let response: ServerResponse;
  let stuckMs: number;

  beforeEach(async () => {
    fleet = new Watched();
    stop = new AbortController();
    played = [];
    stuckMs = 10_000;
    server = createServer((_request, answering) => {
      response = answering;
      const playing = { fleet: fleet as unknown as FleetControl, cameraId: "door", stuckMs };
      played.push(playLivePictures(playing, answering, stop.signal));
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await Promise.all(played);
    assert.equal(fleet.watchers.size, 0);
    assert.equal(fleet.listenerCount("removed"), 0);
  });

  const get = async (): Promise<IncomingMessage> => {
    const asking = request({ host: "127.0.0.1", port: (server.address() as AddressInfo).port });
    asking.on("error", () => undefined);
    asking.end();
    const [answer] = (await once(asking, "response")) as [IncomingMessage];
    answer.on("error", () => undefined);
    return answer;
  };
  const until = async (condition: () => boolean): Promise<void> => {
    const deadline = Date.now() + 3000;
    while (!condition()) {
      assert.ok(Date.now() < deadline, `not in time: ${condition}`);
      await sleep(5);
    }
  };

  it("come as parts that browsers show at once", async () => {
    const answer = await get();
    assert.equal(answer.headers["content-type"], "multipart/x-mixed-replace; boundary=frame");
    assert.equal(answer.headers["cache-control"], "no-store");
    let text = "";
    answer.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
    });
    fleet.show(Buffer.from("one"));
    await until(() => text.includes("one\r\n--frame\r\n"));
    fleet.show(Buffer.from("two"));
    await until(() => text.includes("two\r\n--frame\r\n"));
    const part = (jpeg: string) => `Content-Type: image/jpeg\r\nContent-Length: 3\r\n\r\n${jpeg}\r\n--frame\r\n`;
    assert.equal(text, `--frame\r\n${part("one")}${part("two")}`);
  });

  it("wait for a slow client one at a time, and go on with the newest", async () => {
    const answer = await get();
    answer.pause();
    for (let index = 0; index < 300; index++) {
      fleet.show();
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(response.writableLength < 2 * JPEG_BYTES + 1000, `${response.writableLength} bytes wait`);
    let received = 0;
    answer.on("data", (chunk: Buffer) => {
      received += chunk.length;
    });
    answer.resume();
    await until(() => !response.writableNeedDrain);
    const before = received;
    fleet.show();
    await until(() => received > before);
    assert.ok(received < 100 * JPEG_BYTES, `${received} bytes of 300 pictures`);
  });

  it("end for a client that takes nothing any more", async () => {
    stuckMs = 200;
    const answer = await get();
    answer.pause();
    const showing = setInterval(() => fleet.show(), 1);
    await played[0];
    clearInterval(showing);
    assert.ok(response.destroyed);
  });

  it("cost nothing when the client has left", async () => {
    const answer = await get();
    await until(() => fleet.watchers.size === 1);
    answer.destroy();
    await played[0];
    assert.equal(fleet.watchers.size, 0);
  });

  it("end when the camera is removed, and not when another is", async () => {
    const answer = await get();
    answer.resume();
    fleet.emit("removed", "yard");
    await sleep(20);
    assert.equal(fleet.watchers.size, 1);
    fleet.emit("removed", "door");
    await once(answer, "end");
    await played[0];
  });

  it("end when they are told to, also for a client that is slow", async () => {
    const quick = await get();
    const slow = await get();
    quick.resume();
    slow.pause();
    for (let index = 0; index < 60; index++) {
      fleet.show();
      await new Promise((resolve) => setImmediate(resolve));
    }
    stop.abort();
    await Promise.all(played);
  });

  it("of an unknown camera send nothing", async () => {
    const answering = new EventEmitter() as unknown as ServerResponse;
    const playing = { fleet: fleet as unknown as FleetControl, cameraId: "yard" };
    await assert.rejects(playLivePictures(playing, answering, stop.signal), { code: "CAMERA_UNKNOWN" });
  });
});

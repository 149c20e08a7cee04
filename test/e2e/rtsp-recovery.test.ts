import assert from "node:assert/strict";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { CameraStream, type StreamState } from "../../src/stream/camera-stream.ts";
import { ffmpegChildren, ffmpegs } from "../servers/ffmpeg.ts";
import { RtspServer } from "../servers/rtsp.ts";

const DOWN_MS = 30_000;
const BACK_WITHIN_MS = 10_000;

describe("an RTSP camera that is off for half a minute", function () {
  this.timeout(DOWN_MS + BACK_WITHIN_MS + 20_000);

  before(function () {
    if (!RtspServer.available || ffmpegs.length === 0) this.skip();
  });

  it("is seen again within ten seconds of its return, however long the wait would have been", async () => {
    const first = await RtspServer.start();
    let second: RtspServer | undefined;
    const stream = new CameraStream({
      camera: { id: "door", name: "Door", location: "front", site: "shop" },
      address: first.url(),
      fps: 5,
      longSide: 320,
      random: () => 1,
    });
    const states: StreamState[] = [];
    stream.on("state", (state) => states.push(state));
    try {
      stream.start();
      await once(stream, "frame");
      await first.kill();
      await sleep(DOWN_MS);
      const { state, reason } = stream.state;
      assert.ok(state === "waiting" || state === "connecting", state);
      assert.equal(reason?.code, "CAMERA_REFUSED");

      second = await RtspServer.start({ port: first.port });
      const returned = Date.now();
      await once(stream, "frame");
      const took = Date.now() - returned;
      assert.ok(took < BACK_WITHIN_MS, `took ${took} ms`);
      assert.equal(stream.state.state, "live");
      assert.equal(stream.health().reconnects, 1);
      assert.ok(
        states.some((each) => each.reason?.code === "STREAM_LOST"),
        "it was told that the stream broke off",
      );
    } finally {
      await stream.close();
      await first.kill();
      await second?.kill();
    }
    assert.deepEqual(ffmpegChildren() ?? [], []);
  });
});

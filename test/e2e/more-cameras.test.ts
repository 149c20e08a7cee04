import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { ffmpegs } from "../servers/ffmpeg.ts";
import { HlsServer } from "../servers/hls.ts";
import { FfmpegRtmpServer } from "../servers/rtmp.ts";
import { edited, example, NodeRed } from "./node-red.ts";

const SECRET = /s3cr3t/;
const toConsole = { console: true, complete: "true", targetType: "full" };

describe("example: HLS, RTMP and webcam cameras", function () {
  this.timeout(90_000);
  let hls: HlsServer;
  let rtmp: FfmpegRtmpServer;
  let nodeRed: NodeRed;

  before(async function () {
    if (ffmpegs.length === 0) return this.skip();
    hls = await HlsServer.start({ token: "token=s3cr3t" });
    await hls.segment({ playlist: "live/index.m3u8", parts: "parts" });
    rtmp = await FfmpegRtmpServer.start();
    const flow = edited(example("HLS, RTMP and webcam cameras"), {
      hls: { d: false, url: hls.url("live/index.m3u8") },
      rtmp: { d: false, url: `rtmp://127.0.0.1:${rtmp.port}/live/door` },
      webcam: { d: false, device: "/dev/video987", maxAttempts: 1 },
      "cameras-state": toConsole,
      "cameras-errors": toConsole,
    });
    const credentials = { hls: { query: "token=s3cr3t" }, rtmp: { query: "?user=u&password=s3cr3t" } };
    nodeRed = await NodeRed.start({ flow, credentials });
  });
  after(async () => {
    await nodeRed?.stop();
    await hls?.stop();
    await rtmp?.stop();
  });

  for (const camera of ["yard", "entrance"]) {
    it(`brings the camera ${camera} to life`, async () => {
      await nodeRed.logged(new RegExp(`topic: '${camera}'(?:(?!_msgid)[\\s\\S])*state: 'live'`), 30_000);
    });
  }

  it("tells that there is no such device, and which there are", async () => {
    const [text] = await nodeRed.logged(/there is no capture device \/dev\/video987; this machine has .*/, 10_000);
    assert.match(text, /has (?:none|\/dev\/)/);
    assert.match(nodeRed.log, /CAMERA_DEVICE_MISSING/);
  });

  it("shows the tokens nowhere, and is quiet after an empty deploy", async function () {
    assert.doesNotMatch(nodeRed.log, SECRET);
    if (!existsSync("/proc")) this.skip();
    const children = nodeRed.children();
    assert.ok(children.length >= 2);
    for (const pid of children) assert.doesNotMatch(readFileSync(`/proc/${pid}/cmdline`, "utf8"), SECRET);
    await nodeRed.deploy([]);
    await nodeRed.logged(/Stopped flows[\s\S]*Started flows/, 10_000);
    assert.deepEqual(nodeRed.children(), []);
  });
});

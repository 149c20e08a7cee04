import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { HttpCamera } from "../servers/http-camera.ts";
import { NodeRed, packageName, root } from "./node-red.ts";

/** A package of somebody else: two protocols, one of which cannot work, in plain JavaScript without our types. */
const PLUGIN = `
module.exports = (RED) => {
  RED.plugins.registerPlugin("testcam", {
    type: "node-red-cctv-protocol",
    protocol: {
      name: "testcam",
      schemes: ["testcam"],
      fields: ["username", "password"],
      async resolve({ address }) {
        const url = address.replace("testcam:", "http:");
        if (url.endsWith("/locked")) throw Object.assign(new Error("the test camera is locked; wait"), { code: "CAMERA_LOCKED" });
        if (url.endsWith("/nothing")) return {};
        return {
          kind: "jpeg",
          display: address,
          live: true,
          loop: false,
          async *jpegs(fps, signal) {
            for (;;) {
              yield Buffer.from(await (await fetch(url, { signal })).arrayBuffer());
              await new Promise((resolve) => setTimeout(resolve, 1000 / fps));
            }
          },
        };
      },
    },
  });
  RED.plugins.registerPlugin("halfcam", {
    type: "node-red-cctv-protocol",
    protocol: { name: "halfcam", schemes: ["HALF:"], fields: [] },
  });
};
`;

/** A user directory with this package and the other one. */
function userDir(): string {
  const dir = mkdtempSync(join(tmpdir(), "aislewatch-e2e-"));
  const link = join(dir, "node_modules", packageName);
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(root, link, "dir");
  const other = join(dir, "node_modules", "node-red-contrib-testcam");
  mkdirSync(other);
  const about = { name: "node-red-contrib-testcam", version: "1.0.0", keywords: ["node-red"] };
  writeFileSync(
    join(other, "package.json"),
    JSON.stringify({ ...about, "node-red": { plugins: { testcam: "plugin.js" } } }),
  );
  writeFileSync(join(other, "plugin.js"), PLUGIN);
  const dependencies = { [packageName]: "*", "node-red-contrib-testcam": "*" };
  writeFileSync(join(dir, "package.json"), JSON.stringify({ dependencies }));
  return dir;
}

describe("a camera protocol of another package", function () {
  this.timeout(90_000);
  let camera: HttpCamera | undefined;
  let nodeRed: NodeRed | undefined;

  before(async () => {
    const background = { r: 200, g: 30, b: 30 };
    const jpeg = await sharp({ create: { width: 64, height: 48, channels: 3, background } })
      .jpeg()
      .toBuffer();
    camera = await HttpCamera.start({
      answer: (_request, response) => response.writeHead(200, { "content-type": "image/jpeg" }).end(jpeg),
    });
    const { port } = camera;
    // Node-RED takes a node without a place for a config node.
    const at = (id: string, type: string) => ({ id, type, z: "tab", x: 0, y: 0 });
    const auto = (id: string, address: string) => ({ ...at(id, "camera-auto"), name: id, address });
    nodeRed = await NodeRed.start({
      userDir: userDir(),
      flow: [
        { id: "tab", type: "tab", label: "plugin" },
        { ...auto("good", `testcam://127.0.0.1:${port}/a`), wires: [["size"], ["state"]] },
        { ...auto("locked", `testcam://127.0.0.1:${port}/locked`), wires: [[], []] },
        { ...auto("nothing", `testcam://127.0.0.1:${port}/nothing`), wires: [[], []] },
        {
          ...at("size", "function"),
          outputs: 1,
          wires: [[]],
          func: 'node.warn("SIZE " + msg.payload.width + "x" + msg.payload.height + " " + msg.topic);',
        },
        { ...at("state", "debug"), active: true, console: true, complete: "payload", wires: [] },
      ],
    });
  });
  after(async () => {
    await nodeRed?.stop();
    await camera?.stop();
  });

  it("shows its pictures in camera-auto", async () => {
    await nodeRed?.logged(/SIZE \d+x\d+ good/, 15_000);
    await nodeRed?.logged(/state: 'live'/, 15_000);
    assert.ok(camera && camera.requests > 0);
  });

  it("tells its errors with their code, and its mistakes as its own", async () => {
    await nodeRed?.logged(/\[camera-auto:locked\].*the test camera is locked; wait/, 15_000);
    await nodeRed?.logged(/\[camera-auto:nothing\].*"testcam" of node-red-contrib-testcam gave nothing/, 15_000);
  });

  it("is left out with a clear warning where it cannot work", async () => {
    await nodeRed?.logged(/"halfcam" of node-red-contrib-testcam is left out: "HALF:" in protocol\.schemes/, 5_000);
  });
});

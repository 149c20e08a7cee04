import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Database from "libsql";
import { CameraStore } from "../../src/store/camera-store.ts";

const KEY = new Uint8Array(32).fill(7);
const KILLS = 10;
/** Registers, changes and, every third time, removes cameras; tells each change once it is acknowledged. */
const WRITER = `
import { writeSync } from "node:fs";
import { CameraStore } from ${JSON.stringify(new URL("../../src/store/camera-store.js", import.meta.url).href)};
const [path, round] = process.argv.slice(1);
const store = await CameraStore.open({ database: { kind: "sqlite", path }, key: new Uint8Array(32).fill(7) });
for (let count = 0; ; count++) {
  const id = \`camera-\${round}-\${count}\`;
  await store.add({ id, address: "rtsp://10.0.0.1/", username: "admin", password: "secret of " + id });
  writeSync(1, id + " added\\n");
  await store.update(id, { name: "changed " + id });
  writeSync(1, id + " changed\\n");
  if (count % 3 === 2) {
    await store.remove(id);
    writeSync(1, id + " removed\\n");
  }
}`;

describe("camera store under kill -9", () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "store-kill-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** What was acknowledged before the writer was killed. */
  async function killWhileWriting(path: string, round: number): Promise<string[]> {
    const writer = spawn(process.execPath, ["--input-type=module", "-e", WRITER, path, String(round)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let told = "";
    writer.stdout.on("data", (chunk: Buffer) => {
      told += chunk;
    });
    const ended = once(writer, "close");
    await once(writer.stdout, "data");
    await sleep(20 + 17 * round);
    writer.kill("SIGKILL");
    await ended;
    return told.trimEnd().split("\n");
  }

  it("stays sound and keeps every acknowledged write", async () => {
    const path = join(folder, "cameras.sqlite");
    const last = new Map<string, string>();
    const unsure = new Set<string>();
    for (let round = 0; round < KILLS; round++) {
      const lines = await killWhileWriting(path, round);
      for (const line of lines) {
        const [id = "", change = ""] = line.split(" ");
        last.set(id, change);
      }
      // The change after the last that was told may be there or not.
      unsure.add(lines.at(-1)?.split(" ")[0] ?? "");
      const database = new Database(path);
      assert.deepEqual(database.pragma("integrity_check"), [{ integrity_check: "ok" }]);
      database.close();
    }

    const store = await CameraStore.open({ database: { kind: "sqlite", path }, key: KEY });
    const there = new Map((await store.list()).map((camera) => [camera.id, camera]));
    assert.ok(last.size >= 2 * KILLS, `only ${last.size} cameras were written`);
    for (const [id, change] of last) {
      if (unsure.has(id)) continue;
      assert.equal(there.has(id), change !== "removed", `${id} ${change}`);
      if (change === "changed") assert.equal(there.get(id)?.name, `changed ${id}`);
    }
    for (const id of unsure) assert.ok(there.has(id) || last.get(id) !== "added", `${id} ${last.get(id)}`);
    for (const id of there.keys()) assert.equal((await store.config(id)).password, `secret of ${id}`);
    await store.close();
  }).timeout(30_000);
});

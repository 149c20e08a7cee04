// Measures this package against its parts and against a peer; README.md says what and how.
import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { findFfmpeg } from "../dist/src/stream/ffmpeg-binary.js";
import { installPeer } from "./contenders/good-i-deer.mjs";
import { readOptions } from "./options.mjs";
import { report } from "./report.mjs";
import { runMemory, runRound } from "./rounds.mjs";

if (process.platform !== "linux") throw new Error("the bench reads /proc; run it on Linux");

const { seconds, rounds: count, minutes } = readOptions(process.argv.slice(2));
const progress = (line) => console.error(`${new Date().toISOString().slice(11, 19)} ${line}`);

const interruption = new AbortController();
const { signal } = interruption;
for (const name of ["SIGINT", "SIGTERM"]) process.once(name, () => interruption.abort());

const folder = mkdtempSync(join(tmpdir(), "aislewatch-bench-"));
try {
  const load = loadavg();
  const ffmpeg = await findFfmpeg();
  progress("installing the peer");
  const peer = await installPeer(folder, signal).then(
    () => ({ folder }),
    (error) => ({ notMeasured: error.message }),
  );
  const setting = { ffmpeg: ffmpeg.path, peer, seconds, signal, progress };
  const rounds = [];
  for (let number = 1; number <= count; number++) {
    signal.throwIfAborted();
    progress(`round ${number} of ${count}`);
    rounds.push(await runRound(setting));
  }
  const memory = minutes > 0 ? await runMemory(setting, minutes) : undefined;
  console.log(report({ rounds, memory, seconds, ffmpeg: ffmpeg.version.text, load }));
} catch (error) {
  if (!signal.aborted) throw error;
  progress("interrupted");
  process.exitCode = 130;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

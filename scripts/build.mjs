// dist/ mirrors nodes/ and src/. Node-RED looks for .html, icons/ and locales/ beside each node's .js.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const tsc = "node_modules/typescript/bin/tsc";

rmSync("dist", { recursive: true, force: true });
execFileSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], { stdio: "inherit" });
cpSync("nodes", "dist/nodes", { recursive: true, filter: (path) => !path.endsWith(".ts") });
cpSync("icons", "dist/nodes/icons", { recursive: true });

if (!existsSync("models/movenet-multipose.onnx")) {
  execFileSync(process.execPath, ["scripts/convert-movenet.mjs"], { stdio: "inherit" });
}

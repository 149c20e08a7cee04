// dist/ mirrors nodes/ and src/. Node-RED looks for .html, icons/ and locales/ beside each node's .js.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const tsc = "node_modules/typescript/bin/tsc";

rmSync("dist", { recursive: true, force: true });
rmSync("resources", { recursive: true, force: true });
for (const project of ["tsconfig.build.json", "editor/tsconfig.json"]) {
  execFileSync(process.execPath, [tsc, "-p", project], { stdio: "inherit" });
}
cpSync("icons", "dist/nodes/icons", { recursive: true });

// Rows that several dialogs share, and sections of several help pages, are written once, in the folder shared/ beside them.
function expandAll(from, to) {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from).filter((file) => file.endsWith(".html"))) {
    const html = readFileSync(join(from, name), "utf8").replace(/ *<!-- include ([\w-]+\.html) -->\n/g, (_, part) =>
      readFileSync(join(from, "shared", part), "utf8"),
    );
    writeFileSync(join(to, name), html);
  }
}
expandAll("nodes", "dist/nodes");

// So are the words: each node's catalogue is its own file over that language's shared.json.
for (const language of readdirSync("nodes/locales")) {
  const from = join("nodes/locales", language);
  const to = join("dist/nodes/locales", language);
  expandAll(from, to);
  const shared = JSON.parse(readFileSync(join(from, "shared.json"), "utf8"));
  for (const name of readdirSync(from).filter((file) => file.endsWith(".json") && file !== "shared.json")) {
    const own = JSON.parse(readFileSync(join(from, name), "utf8"));
    writeFileSync(join(to, name), JSON.stringify({ ...shared, ...own }));
  }
}

if (!existsSync("models/movenet-multipose.onnx")) {
  execFileSync(process.execPath, ["scripts/convert-movenet.mjs"], { stdio: "inherit" });
}

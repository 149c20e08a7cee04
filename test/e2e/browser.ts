import { accessSync, constants } from "node:fs";
import { type Browser, chromium } from "playwright-core";
import { noteServer } from "../servers/inventory.ts";

/** The browser of this machine, or nothing: tests that need one are then pending. */
const path =
  process.env.CHROMIUM ??
  ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(isExecutable);

noteServer("a browser: Chromium", path !== undefined);

export async function launchBrowser(): Promise<Browser | undefined> {
  if (!path) return undefined;
  return chromium.launch({
    executablePath: path,
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

import { accessSync, constants } from "node:fs";
import { type Browser, chromium } from "playwright-core";

/** The browser of this machine, or nothing: tests that need one are then pending. */
const path =
  process.env.CHROMIUM ??
  ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(isExecutable);

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

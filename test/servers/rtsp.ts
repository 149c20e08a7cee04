import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { noteServer } from "./inventory.ts";

export interface RtspServerSettings {
  /** A free port by default. */
  readonly port?: number;
  readonly auth?: "none" | "basic" | "digest";
  readonly username?: string;
  readonly password?: string;
  readonly transports?: "both" | "tcp" | "udp";
  /** Seconds until /stall goes quiet. */
  readonly stallAfter?: number;
  /** Path of an MP4 of H.264 that /clip plays; no spaces. */
  readonly clip?: string;
  /** Key and certificate in PEM, one after the other: makes it RTSPS. */
  readonly tls?: string;
}

const SCRIPT = fileURLToPath(new URL("../../../test/servers/rtsp-server.py", import.meta.url));
/** Debian's own python has python3-gi; another one that comes first on the PATH has not. */
const PYTHONS = ["/usr/bin/python3", "python3"];

const python = PYTHONS.find((path) => spawnSync(path, [SCRIPT, "--check"], { stdio: "ignore" }).status === 0);

/** A real RTSP server, GStreamer's, on loopback. */
export class RtspServer {
  /** Whether this machine has what the server needs: python3-gi, gst-rtsp-server and x264. */
  static readonly available = noteServer("RTSP: GStreamer's server", python !== undefined);

  readonly port: number;
  /** The most clients that were connected at once and did not play yet. */
  mostConnecting = 0;
  readonly #process: ChildProcess;
  readonly #scheme: "rtsp" | "rtsps";

  private constructor(process: ChildProcess, port: number, scheme: "rtsp" | "rtsps") {
    this.#process = process;
    this.port = port;
    this.#scheme = scheme;
  }

  static async start(settings: RtspServerSettings = {}): Promise<RtspServer> {
    if (python === undefined) throw new Error("no python with GStreamer's RTSP server here");
    const child = spawn(python, [SCRIPT], { stdio: ["pipe", "pipe", "inherit"] });
    child.stdin.write(`${JSON.stringify(settings)}\n`);
    const ended = once(child, "exit").then(([code]) => {
      throw new Error(`the RTSP server ended with status ${code}`);
    });
    ended.catch(() => undefined);
    const lines = createInterface(child.stdout);
    const [line] = await Promise.race([once(lines, "line"), ended]);
    const server = new RtspServer(child, JSON.parse(line).port, settings.tls ? "rtsps" : "rtsp");
    lines.on("line", (text) => {
      server.mostConnecting = JSON.parse(text).mostConnecting;
    });
    return server;
  }

  url(mount = "/live"): string {
    return `${this.#scheme}://127.0.0.1:${this.port}${mount}`;
  }

  /** Ends it without a goodbye to its clients, as a power cut would. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await exited;
  }
}

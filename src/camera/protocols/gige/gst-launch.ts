import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { endChild, killWithUs } from "../../child-process.ts";
import { explainNoGStreamer, isEnd } from "./gstreamer-failure.ts";

/** It waits for a picture up to two seconds before it gives a camera back; for one that is gone, ten. */
const CLOSE_GRACE_MS = 3_000;
const KEPT_LINES = 200;
const LONGEST_LINE = 4_096;

/** One gst-launch-1.0. What it writes to standard output is the reader's; it ends when it has met an error. */
export class GstLaunch {
  /** What it says on standard error, in English. */
  readonly lines: string[] = [];
  /** Settles when it is gone. Rejects with a CctvError where the program is missing. */
  readonly ended: Promise<void>;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  #partialLine = "";
  #closed: Promise<void> | undefined;

  constructor(program: string, parameters: readonly string[]) {
    this.#child = spawn(program, parameters, {
      stdio: ["ignore", "pipe", "pipe"],
      // Aravis then tells which cameras it finds.
      env: { ...process.env, LC_ALL: "C", ARV_DEBUG: "interface:3", GST_DEBUG_NO_COLOR: "1" },
      windowsHide: true,
    });
    killWithUs(this.#child);
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => this.#read(text));
    this.ended = new Promise((resolve, reject) => {
      this.#child.on("error", (cause) => {
        if (this.#child.pid === undefined) reject(explainNoGStreamer(cause));
      });
      this.#child.once("close", () => resolve());
    });
    // Whoever reads standard output may never look.
    this.ended.catch(() => {});
  }

  get output(): Readable {
    return this.#child.stdout;
  }

  /** Ends it and waits until it is gone. It lets go of the camera if it can do so soon. */
  close(): Promise<void> {
    this.#closed ??= endChild(this.#child, () => this.#child.kill("SIGINT"), CLOSE_GRACE_MS);
    return this.#closed;
  }

  #read(text: string): void {
    const lines = (this.#partialLine + text).split("\n");
    this.#partialLine = (lines.pop() ?? "").slice(-LONGEST_LINE);
    for (const line of lines) this.#keep(line.trim());
  }

  #keep(line: string): void {
    this.lines.push(line);
    if (this.lines.length > KEPT_LINES) this.lines.shift();
    // From then on it ends by itself; a signal would keep it from giving the camera back.
    if (isEnd(line)) this.#closed ??= endChild(this.#child, () => {}, CLOSE_GRACE_MS);
  }
}

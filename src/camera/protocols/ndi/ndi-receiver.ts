import { type ChildProcess, fork } from "node:child_process";
import { extname } from "node:path";
import { CctvError } from "../../../errors.ts";
import { endChild, killWithUs } from "../../child-process.ts";
import type { RawPicture } from "../protocol.ts";
import type { FromNdiProcess, NdiOrder, ToNdiProcess } from "./messages.ts";

const CLOSE_GRACE_MS = 2_000;
const KEPT_TEXT = 500;

interface Expectation {
  resolve(picture: RawPicture | undefined): void;
  reject(error: CctvError): void;
}

/**
 * Receives one NDI source in a process of its own, until the signal aborts. The process holds no picture
 * back: it sends one for each that is asked for, the newest at that time.
 * @throws CctvError with a code and a sentence for the user.
 */
export async function* receiveNdi(
  order: NdiOrder,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): AsyncGenerator<RawPicture, void> {
  if (signal.aborted) return;
  const receiver = new NdiReceiverProcess(order, environment);
  const stop = () => void receiver.close();
  signal.addEventListener("abort", stop, { once: true });
  try {
    for (let picture = await receiver.next(); picture; picture = await receiver.next()) yield picture;
  } finally {
    signal.removeEventListener("abort", stop);
    await receiver.close();
  }
}

class NdiReceiverProcess {
  readonly #child: ChildProcess;
  #expecting: Expectation | undefined;
  #failure: CctvError | undefined;
  #closed: Promise<void> | undefined;
  #lastWords = "";

  constructor(order: NdiOrder, env: NodeJS.ProcessEnv) {
    // TypeScript rewrites endings in imports, not here: the script's is that of this file.
    const script = new URL(`./ndi-process${extname(import.meta.url)}`, import.meta.url);
    this.#child = fork(script, [], {
      env,
      execArgv: [],
      serialization: "advanced",
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    killWithUs(this.#child);
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#lastWords = (this.#lastWords + text).slice(-KEPT_TEXT);
    });
    this.#child.on("message", (message: FromNdiProcess) => this.#receive(message));
    this.#child.on("error", (cause) => this.#end(`it could not be started: ${cause.message}`));
    this.#child.once("close", (exitCode, exitSignal) => this.#end(exitSignal ?? `exit code ${exitCode}`));
    this.#tell({ type: "open", order });
  }

  /** Resolves with undefined when it was closed. Call it again only when it has answered. */
  next(): Promise<RawPicture | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== undefined) return resolve(undefined);
      if (this.#failure) return reject(this.#failure);
      this.#expecting = { resolve, reject };
      this.#tell({ type: "next" });
    });
  }

  /** Ends the process and waits until it is gone. */
  close(): Promise<void> {
    this.#closed ??= endChild(this.#child, () => this.#tell({ type: "close" }), CLOSE_GRACE_MS);
    this.#settle((expecting) => expecting.resolve(undefined));
    return this.#closed;
  }

  #receive(message: FromNdiProcess): void {
    if (message.type === "failed") this.#fail(new CctvError(message.code, message.message));
    else this.#settle((expecting) => expecting.resolve(message));
  }

  #end(reason: string): void {
    const words = this.#lastWords.trim().split("\n").at(-1) ?? "";
    const why = words ? `${reason}: ${words}` : reason;
    this.#fail(
      new CctvError("STREAM_LOST", `the process that receives NDI ended unexpectedly (${why}); it is started again`),
    );
  }

  #fail(failure: CctvError): void {
    this.#failure ??= failure;
    this.#settle((expecting) => expecting.reject(this.#failure ?? failure));
  }

  #settle(step: (expecting: Expectation) => void): void {
    const expecting = this.#expecting;
    this.#expecting = undefined;
    if (expecting) step(expecting);
  }

  /** A process that is gone says so by itself. */
  #tell(message: ToNdiProcess): void {
    if (this.#child.connected) this.#child.send(message, () => {});
  }
}

import type { Socket } from "node:net";
import type { CctvError } from "../../errors.ts";
import { noConnection, silence } from "./http-failure.ts";

/** The end of one request: its time is up, or somebody no longer wants it. */
export class Deadline {
  readonly #timeoutMs: number;
  readonly #signals: readonly AbortSignal[];
  readonly #listeners = new Set<() => void>();
  readonly #onAbort = () => this.#end();
  #timer: NodeJS.Timeout | undefined;
  #timeIsUp = false;
  #connected = false;

  constructor(timeoutMs: number, signals: readonly AbortSignal[]) {
    this.#timeoutMs = timeoutMs;
    this.#signals = signals;
    for (const signal of signals) signal.addEventListener("abort", this.#onAbort, { once: true });
    this.#timer = setTimeout(() => {
      this.#timeIsUp = true;
      this.#end();
    }, timeoutMs);
  }

  get isOver(): boolean {
    return this.#timeIsUp || this.#signals.some(({ aborted }) => aborted);
  }

  /** Calls back once when it is over; not at all after `release`. */
  onEnd(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Learns from the socket whether the camera took the connection. */
  watch(socket: Socket): void {
    if (!socket.connecting) this.#connected = true;
    else socket.once("connect", () => (this.#connected = true));
  }

  /** Why it is over: the reason of the signal, or an error about the camera's silence. */
  explain(where: string): CctvError | Error {
    const aborted = this.#signals.find(({ aborted }) => aborted);
    if (aborted) return aborted.reason;
    return this.#connected ? silence(where, this.#timeoutMs) : noConnection(where, this.#timeoutMs);
  }

  /** From now on only the signals count. */
  stopClock(): void {
    clearTimeout(this.#timer);
  }

  release(): void {
    this.stopClock();
    for (const signal of this.#signals) signal.removeEventListener("abort", this.#onAbort);
    this.#listeners.clear();
  }

  #end(): void {
    const listeners = [...this.#listeners];
    this.release();
    for (const listener of listeners) listener();
  }
}

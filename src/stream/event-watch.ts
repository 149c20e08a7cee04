import { EventEmitter } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { CameraDevice, CameraEvent } from "../camera/device.ts";
import { type LoginGuard, loginGuard, loginKey } from "../camera/login-guard.ts";
import type { CameraConfig } from "../camera/protocols/protocol.ts";
import { asCctvError, type CctvError } from "../errors.ts";
import { countFailures, decideReconnect } from "./reconnect-policy.ts";
import { isRefusal } from "./refusal.ts";

export interface EventWatchOptions {
  readonly config: CameraConfig;
  /** Makes the device anew for each connection: one that was refused stays refused. */
  readonly open: () => CameraDevice;
  readonly logins?: LoginGuard;
  /** Epoch milliseconds. */
  readonly now?: () => number;
  /** 0 to 1. */
  readonly random?: () => number;
}

interface WatchEvents {
  event: [event: CameraEvent];
  /** Why events are missing for now. */
  lost: [reason: CctvError];
}

/** Hears what a camera notices for as long as it is wanted, over failures of the camera and the network. */
export class EventWatch extends EventEmitter<WatchEvents> {
  readonly #options: EventWatchOptions;
  readonly #logins: LoginGuard;
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #login: string | undefined;
  readonly #closing = new AbortController();
  #running: Promise<void> | undefined;
  #failures = 0;

  constructor(options: EventWatchOptions) {
    super();
    this.#options = options;
    this.#logins = options.logins ?? loginGuard;
    this.#now = options.now ?? Date.now;
    this.#random = options.random ?? Math.random;
    this.#login = loginKey(options.config.address, options.config);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const startedAt = this.#now();
      const failure = await this.#listen().then(
        () => undefined,
        (error: unknown) => asCctvError(error, "STREAM_LOST"),
      );
      if (signal.aborted) return;
      this.#failures = countFailures(this.#failures, failure ? this.#now() - startedAt : 0);
      if (failure) this.emit("lost", failure);
      const afterMs = this.#pause(failure);
      if (afterMs === undefined) return;
      await sleep(afterMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Milliseconds until the next try; undefined where trying again would not help. */
  #pause(failure: CctvError | undefined): number | undefined {
    if (failure?.code === "CAMERA_UNSUPPORTED") return undefined;
    const until = failure && isRefusal(failure) ? this.#logins.pausedUntil(this.#login) : undefined;
    const decision = decideReconnect({
      code: failure?.code ?? "STREAM_LOST",
      failures: this.#failures,
      live: true,
      random: this.#random(),
      loginPauseMs: until === undefined ? undefined : until - this.#now(),
    });
    return decision.kind === "retry" ? decision.afterMs : undefined;
  }

  async #listen(): Promise<void> {
    const { signal } = this.#closing;
    const login = await this.#logins.enter(this.#login, signal);
    const device = this.#options.open();
    try {
      // Answers to a question tell whether the login is good: a quiet camera may send no event for hours.
      await device.describe(signal);
      login.accepted();
      for await (const event of device.events(signal)) this.emit("event", event);
    } catch (error) {
      if (isRefusal(error)) login.refused(error);
      throw error;
    } finally {
      login.leave();
      await device.close();
    }
  }
}

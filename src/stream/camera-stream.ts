import { EventEmitter } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { CameraConfig, Endpoint, PictureInput } from "../camera/protocols/protocol.ts";
import { type ProtocolRegistry, protocols } from "../camera/protocols/registry.ts";
import { asCctvError, CctvError, type ErrorCode } from "../errors.ts";
import { type CameraInfo, Frame } from "../frame/frame.ts";
import { type Logger, silent } from "../logger.ts";
import type { Analysis } from "./ffmpeg-arguments.ts";
import { FrameRate } from "./frame-rate.ts";
import { openPictureSource } from "./open-picture-source.ts";
import type { CapturedPicture } from "./picture-source.ts";
import { reach } from "./reachability.ts";
import { countFailures, decideReconnect } from "./reconnect-policy.ts";
import { Watchdog } from "./watchdog.ts";

/**
 * - `connecting`: an attempt is under way, no picture yet
 * - `live`: pictures come
 * - `waiting`: the last attempt failed, the next is due at `retryAt` at the latest
 * - `ended`: a file is over
 * - `failed`: given up; `reason` says what to mend
 * - `closed`: before `start()` and after `close()`
 */
export type StreamStatus = "connecting" | "live" | "waiting" | "ended" | "failed" | "closed";

export interface StreamReason {
  readonly code: ErrorCode;
  /** A sentence for people; holds no password. */
  readonly message: string;
}

export interface StreamState {
  readonly state: StreamStatus;
  /** Epoch milliseconds. */
  readonly since: number;
  /** Why pictures are missing: kept while connecting again, absent when all is well. */
  readonly reason?: StreamReason;
  /** Attempts since the stream was last well, from 1. */
  readonly attempt: number;
  /** Epoch milliseconds; only while waiting. */
  readonly retryAt?: number;
}

export interface StreamHealth {
  readonly state: StreamStatus;
  readonly since: number;
  readonly reason?: StreamReason;
  /** Analysed frames a second, over the last seconds. */
  readonly framesPerSecond: number;
  /** When the last frame came; epoch milliseconds. */
  readonly lastFrameAt?: number;
  /** How often the stream came back after it had been lost. */
  readonly reconnects: number;
  /** Size of the last frame, pixels. */
  readonly width?: number;
  readonly height?: number;
}

export interface CameraStreamOptions extends Omit<CameraConfig, "longSide">, Analysis {
  readonly camera: CameraInfo;
  /** Which ffmpeg to use; searched for where it is absent. */
  readonly ffmpegPath?: string | undefined;
  /** A stream without a frame for so long is taken down and opened again, milliseconds; 10 s by default. */
  readonly stallMs?: number | undefined;
  /** Give up after so many failures in a row; never by default. */
  readonly maxAttempts?: number | undefined;
  readonly logger?: Logger;
  readonly registry?: ProtocolRegistry;
  /** Epoch milliseconds. */
  readonly now?: () => number;
  /** 0 to 1. */
  readonly random?: () => number;
}

interface StreamEvents {
  frame: [frame: Frame];
  state: [state: StreamState];
}

const STALL_MS = 10_000;
/** What connecting may take beyond the stall limit: a slow login, then the wait for the camera's next key frame. */
const FIRST_FRAME_GRACE_MS = 10_000;
/** How often a waiting stream looks whether the camera is back. */
const LOOK_INTERVAL_MS = 3_000;
/** A file that cannot be rewound is opened anew for each round, but no more often than this. */
const SHORTEST_ROUND_MS = 1_000;

/**
 * One camera's pictures for as long as it is wanted, over failures of the camera, the network and the decoder.
 *
 * Emits `frame` for each picture, the newest and only once, and `state` on each change. Frames that nobody
 * takes are gone. Owns its picture source; `close()` leaves no process and no connection behind.
 */
export class CameraStream extends EventEmitter<StreamEvents> {
  readonly #options: CameraStreamOptions;
  readonly #logger: Logger;
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #closing = new AbortController();
  readonly #rate: FrameRate;
  #running: Promise<void> | undefined;
  #closed: Promise<void> | undefined;
  #state: StreamState;
  #failures = 0;
  #sequence = 0;
  #reconnects = 0;
  #liveSince: number | undefined;
  #lastFrame: { readonly at: number; readonly width: number; readonly height: number } | undefined;

  constructor(options: CameraStreamOptions) {
    super();
    this.#options = options;
    this.#logger = options.logger ?? silent;
    this.#now = options.now ?? Date.now;
    this.#random = options.random ?? Math.random;
    this.#rate = new FrameRate(this.#now);
    this.#state = { state: "closed", since: this.#now(), attempt: 0 };
  }

  /** Begins; what goes wrong is told as a state, not thrown. A second call does nothing. */
  start(): void {
    if (this.#closed !== undefined) return;
    this.#running ??= this.#run();
  }

  /** Ends the stream and waits until its picture source is gone. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  get state(): StreamState {
    return this.#state;
  }

  health(): StreamHealth {
    const { state, since, reason } = this.#state;
    return {
      state,
      since,
      ...(reason && { reason }),
      framesPerSecond: this.#rate.perSecond(),
      reconnects: this.#reconnects,
      ...(this.#lastFrame && {
        lastFrameAt: this.#lastFrame.at,
        width: this.#lastFrame.width,
        height: this.#lastFrame.height,
      }),
    };
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
    this.#change({ state: "closed", attempt: 0 });
  }

  async #run(): Promise<void> {
    let again = true;
    while (again && !this.#closing.signal.aborted) {
      again = await this.#attempt();
    }
  }

  /** One connection from beginning to end, with the wait after it; false when there is to be no other. */
  async #attempt(): Promise<boolean> {
    const startedAt = this.#now();
    let input: PictureInput | undefined;
    let reached = false;
    if (this.#state.state !== "live") this.#connecting();
    try {
      input = await this.#resolve();
      if (input.endpoint) await reach(input.endpoint, this.#closing.signal);
      reached = true;
      await this.#play(input);
    } catch (error) {
      if (this.#closing.signal.aborted) return false;
      return this.#afterFailure(asCctvError(error, "DECODER_FAILED"), input, reached);
    }
    if (this.#closing.signal.aborted) return false;
    if (input.loop) return this.#beforeNextRound(startedAt);
    this.#rate.reset();
    this.#change({ state: "ended", attempt: this.#state.attempt });
    return false;
  }

  async #resolve(): Promise<PictureInput> {
    const protocol = (this.#options.registry ?? protocols).forAddress(this.#options.address);
    return protocol.resolve(this.#options, this.#closing.signal);
  }

  /** Gives frames until the input is over; throws what broke it off. */
  async #play(input: PictureInput): Promise<void> {
    const stallMs = this.#stallLimit();
    let stalled: CctvError | undefined;
    let live = false;
    this.#liveSince = undefined;
    const source = await openPictureSource({
      input,
      analysis: this.#options,
      ffmpegPath: this.#options.ffmpegPath,
      now: this.#now,
      onPicture: (picture) => {
        if (!live) watch.reset(stallMs);
        live = true;
        watch.touch();
        this.#show(picture);
      },
    });
    const watch = new Watchdog(stallMs + FIRST_FRAME_GRACE_MS, () => {
      stalled = explainStall(input, live);
      void source.close();
    });
    const stop = () => void source.close();
    this.#closing.signal.addEventListener("abort", stop, { once: true });
    if (this.#closing.signal.aborted) stop();
    try {
      const ended = await source.ended;
      const failure = stalled ?? ended;
      for (const line of source.lines) this.#logger.debug(line);
      if (failure) throw failure;
    } finally {
      watch.stop();
      this.#closing.signal.removeEventListener("abort", stop);
    }
  }

  /** At a low rate frames are far apart without anything being wrong. */
  #stallLimit(): number {
    return Math.max(this.#options.stallMs ?? STALL_MS, 3000 / this.#options.fps);
  }

  #show(picture: CapturedPicture): void {
    if (this.#closing.signal.aborted) return;
    const at = this.#now();
    this.#lastFrame = { at, width: picture.width, height: picture.height };
    this.#rate.count();
    if (this.#liveSince === undefined) {
      this.#liveSince = at;
      if (this.#state.reason && this.#sequence > 0) this.#reconnects++;
      this.#change({ state: "live", attempt: this.#state.attempt });
    }
    const { camera } = this.#options;
    const frame = new Frame({ ...picture, sequence: this.#sequence++, camera });
    this.#tell(() => this.emit("frame", frame));
  }

  async #afterFailure(failure: CctvError, input: PictureInput | undefined, reached: boolean): Promise<boolean> {
    const liveMs = this.#liveSince === undefined ? 0 : this.#now() - this.#liveSince;
    this.#liveSince = undefined;
    this.#rate.reset();
    this.#failures = countFailures(this.#failures, liveMs);
    const reason = { code: failure.code, message: failure.message };
    const decision = decideReconnect({
      code: failure.code,
      failures: this.#failures,
      live: input?.live ?? true,
      maxAttempts: this.#options.maxAttempts,
      random: this.#random(),
    });
    if (decision.kind === "give-up") {
      this.#change({ state: "failed", attempt: this.#failures, reason });
      return false;
    }
    const retryAt = Math.round(this.#now() + decision.afterMs);
    this.#change({ state: "waiting", attempt: this.#failures, reason, retryAt });
    const endpoint = decision.watchForReturn ? input?.endpoint : undefined;
    await this.#wait(retryAt, endpoint, reached);
    return true;
  }

  /** Waits until it is time, or until the endpoint, once seen closed, opens. */
  async #wait(until: number, endpoint: Endpoint | undefined, reached: boolean): Promise<void> {
    const { signal } = this.#closing;
    let seenClosed = !reached;
    while (!signal.aborted) {
      const left = until - this.#now();
      if (left <= 0) return;
      await pause(endpoint ? Math.min(left, LOOK_INTERVAL_MS) : left, signal);
      if (!endpoint || signal.aborted) continue;
      const there = await reach(endpoint, signal).then(
        () => true,
        () => false,
      );
      if (there && seenClosed) {
        this.#failures = 0;
        return;
      }
      seenClosed ||= !there;
    }
  }

  async #beforeNextRound(startedAt: number): Promise<boolean> {
    await pause(SHORTEST_ROUND_MS - (this.#now() - startedAt), this.#closing.signal);
    return true;
  }

  #connecting(): void {
    const { reason } = this.#state;
    this.#change({ state: "connecting", attempt: this.#failures + 1, ...(reason && { reason }) });
  }

  #change(next: Omit<StreamState, "since">): void {
    const { state, attempt, reason } = this.#state;
    if (next.state === state && next.attempt === attempt && next.reason?.code === reason?.code) return;
    this.#state = Object.freeze({ ...next, since: this.#now() });
    this.#tell(() => this.emit("state", this.#state));
  }

  /** A listener that throws must not take the stream down. */
  #tell(emit: () => void): void {
    try {
      emit();
    } catch (error) {
      this.#logger.warn(`a listener of the camera stream failed: ${asCctvError(error, "DECODER_FAILED").message}`);
    }
  }
}

function explainStall({ display, live }: PictureInput, hadFrames: boolean): CctvError {
  const message = hadFrames
    ? `${display} sends no more pictures; it is opened again`
    : `${display} is open but sends no picture; ${live ? "check the camera's video settings" : "choose another file"}`;
  return new CctvError("CAMERA_STALLED", message);
}

/** Resolves after the time, or when the signal aborts. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await sleep(ms, undefined, { signal }).catch(() => undefined);
}

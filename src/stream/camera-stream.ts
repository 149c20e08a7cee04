import { EventEmitter } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { type LoginGuard, loginGuard, loginKey } from "../camera/login-guard.ts";
import type { CameraConfig, Endpoint, PictureInput, ProtocolFinder } from "../camera/protocols/protocol.ts";
import { protocols } from "../camera/protocols/registry.ts";
import { asCctvError, CctvError, type ErrorCode } from "../errors.ts";
import { type CameraInfo, Frame } from "../frame/frame.ts";
import { type Logger, silent } from "../logger.ts";
import { untilAborted } from "../until-aborted.ts";
import type { AddressFinder } from "./address-finder.ts";
import { BitRate } from "./bit-rate.ts";
import { type ConnectGate, connectGate } from "./connect-gate.ts";
import type { Analysis } from "./ffmpeg-arguments.ts";
import { FrameRate } from "./frame-rate.ts";
import { openPictureSource } from "./open-picture-source.ts";
import type { CapturedPicture, PictureSource, SourceFacts } from "./picture-source.ts";
import { reach } from "./reachability.ts";
import { countFailures, decideReconnect } from "./reconnect-policy.ts";
import { isRefusal } from "./refusal.ts";
import { Watchdog } from "./watchdog.ts";
import { Whereabouts } from "./whereabouts.ts";

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
  /** Bits of video a second, over the last seconds; absent where nobody counts them. */
  readonly bitsPerSecond?: number;
  /** Pictures or packets that could not be decoded, since the start. */
  readonly decodeErrors: number;
  /** When the last frame came; epoch milliseconds. */
  readonly lastFrameAt?: number;
  /** How long ago that is, milliseconds. */
  readonly lastFrameAgeMs?: number;
  /** How often the stream came back after it had been lost. */
  readonly reconnects: number;
  /** Size of the last frame, pixels. */
  readonly width?: number;
  readonly height?: number;
  /** What the camera sends: codec, size in pixels and frames a second, each where it is known. */
  readonly video?: Pick<SourceFacts, "codec" | "width" | "height" | "fps">;
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
  readonly registry?: ProtocolFinder;
  /** Shared by all streams that may log in at the same hosts. */
  readonly logins?: LoginGuard;
  /** Shared by all streams, so that not all connect at once. */
  readonly gate?: ConnectGate;
  /** Asked where the camera is when its address answers no more; without one the stream stays at its address. */
  readonly finder?: AddressFinder | undefined;
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
/** A camera that takes longer no longer keeps others from connecting. */
const LONGEST_IN_GATE_MS = 10_000;
/** How often a waiting stream looks whether the camera is back. */
const LOOK_INTERVAL_MS = 3_000;
/** Short, since many cameras that are off share the gate with those that are not. */
const LOOK_TIMEOUT_MS = 1_000;
/** A finder that takes longer has found nothing. */
const LONGEST_SEARCH_MS = 15_000;
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
  readonly #bitRate: BitRate;
  readonly #logins: LoginGuard;
  readonly #gate: ConnectGate;
  readonly #login: string | undefined;
  readonly #whereabouts: Whereabouts;
  #source: PictureSource | undefined;
  #decodeErrors = 0;
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
    this.#bitRate = new BitRate(this.#now);
    this.#logins = options.logins ?? loginGuard;
    this.#gate = options.gate ?? connectGate;
    this.#login = loginKey(options.address, options);
    this.#whereabouts = new Whereabouts(options.address);
    this.#state = { state: "closed", since: this.#now(), attempt: 0 };
  }

  /** Begins; what goes wrong is told as a state, not thrown. A second call does nothing. */
  start(): void {
    if (this.#closed !== undefined || this.#running !== undefined) return;
    // Whoever starts it may have mended the login.
    this.#logins.forgive(this.#login);
    this.#running = this.#run();
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
    const facts = this.#source?.facts();
    const bitsPerSecond = this.#bitRate.perSecond();
    return {
      state,
      since,
      ...(reason && { reason }),
      framesPerSecond: this.#rate.perSecond(),
      ...(bitsPerSecond !== undefined && { bitsPerSecond }),
      decodeErrors: this.#decodeErrors + (facts?.damaged ?? 0),
      reconnects: this.#reconnects,
      ...(facts && { video: videoOf(facts) }),
      ...(this.#lastFrame && {
        lastFrameAt: this.#lastFrame.at,
        lastFrameAgeMs: this.#now() - this.#lastFrame.at,
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
    const opening: Opening = { reached: false, settled: () => undefined };
    if (this.#state.state !== "live") this.#connecting();
    try {
      await this.#open(opening);
    } catch (error) {
      if (this.#closing.signal.aborted) return false;
      return this.#afterFailure(asCctvError(error, "DECODER_FAILED"), opening);
    }
    if (this.#closing.signal.aborted) return false;
    if (opening.input?.loop) return this.#beforeNextRound(startedAt);
    this.#rate.reset();
    this.#change({ state: "ended", attempt: this.#state.attempt });
    return false;
  }

  /** Waits for its turn at the login and at the gate, then plays to the end; throws what broke it off. */
  async #open(opening: Opening): Promise<void> {
    const { signal } = this.#closing;
    const login = await this.#logins.enter(this.#login, signal);
    try {
      const leaveGate = await this.#gate.enter(signal);
      const leave = () => {
        leaveGate();
        login.leave();
      };
      const inGate = setTimeout(leave, LONGEST_IN_GATE_MS);
      opening.settled = () => {
        clearTimeout(inGate);
        login.accepted();
        leave();
      };
      try {
        opening.input = await this.#resolve((reason) => {
          leave();
          this.#connecting({ code: reason.code, message: reason.message });
        });
        if (opening.input.endpoint && opening.input.kind !== "rtsp") await reach(opening.input.endpoint, signal);
        opening.reached = true;
        await this.#play(opening.input, opening.settled);
      } finally {
        clearTimeout(inGate);
        leaveGate();
      }
    } catch (error) {
      if (isRefusal(error)) login.refused(error);
      throw error;
    } finally {
      login.leave();
    }
  }

  async #resolve(onWaiting: (reason: CctvError) => void): Promise<PictureInput> {
    const { address } = this.#whereabouts;
    const protocol = (this.#options.registry ?? protocols).forAddress(address);
    return protocol.resolve({ ...this.#options, address }, this.#closing.signal, onWaiting);
  }

  /** Gives frames until the input is over; throws what broke it off. */
  async #play(input: PictureInput, onFirstPicture: () => void): Promise<void> {
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
        if (!live) {
          watch.reset(stallMs);
          onFirstPicture();
        }
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
    this.#source = source;
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
      this.#source = undefined;
      this.#decodeErrors += source.facts().damaged;
      this.#bitRate.reset();
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
    const bytes = this.#source?.facts().bytes;
    if (bytes !== undefined) this.#bitRate.sample(bytes);
    if (this.#liveSince === undefined) {
      this.#liveSince = at;
      if (this.#state.reason && this.#sequence > 0) this.#reconnects++;
      this.#change({ state: "live", attempt: this.#state.attempt });
      this.#whereabouts.live();
      void this.#remember();
    }
    const { camera } = this.#options;
    const frame = new Frame({ ...picture, sequence: this.#sequence++, camera });
    this.#tell(() => this.emit("frame", frame));
  }

  async #afterFailure(failure: CctvError, { input, reached }: Opening): Promise<boolean> {
    const liveMs = this.#liveSince === undefined ? 0 : this.#now() - this.#liveSince;
    if (this.#liveSince !== undefined) this.#logins.doubt(this.#login);
    this.#liveSince = undefined;
    this.#rate.reset();
    this.#failures = countFailures(this.#failures, liveMs);
    const reason = { code: failure.code, message: failure.message };
    const pausedUntil = isRefusal(failure) ? this.#logins.pausedUntil(this.#login) : undefined;
    const decision = decideReconnect({
      code: failure.code,
      failures: this.#failures,
      live: input?.live ?? true,
      maxAttempts: this.#options.maxAttempts,
      random: this.#random(),
      loginPauseMs: pausedUntil === undefined ? undefined : pausedUntil - this.#now(),
    });
    if (decision.kind === "give-up") {
      this.#change({ state: "failed", attempt: this.#failures, reason });
      return false;
    }
    const retryAt = Math.round(this.#now() + decision.afterMs);
    this.#change({ state: "waiting", attempt: this.#failures, reason, retryAt });
    if (this.#whereabouts.failed(failure.code) && (await this.#hasMoved())) return true;
    const endpoint = decision.watchForReturn ? input?.endpoint : undefined;
    await this.#wait(retryAt, endpoint, reached);
    return true;
  }

  async #remember(): Promise<void> {
    const { home } = this.#whereabouts;
    if (home === undefined) return;
    try {
      await this.#options.finder?.remember(home);
    } catch (error) {
      this.#logger.debug(`where the camera is was not remembered: ${String(error)}`);
    }
  }

  /** Has the camera looked for; true when it is somewhere else, where the next attempt goes. */
  async #hasMoved(): Promise<boolean> {
    const { finder } = this.#options;
    const { home } = this.#whereabouts;
    if (!finder || home === undefined) return false;
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(LONGEST_SEARCH_MS)]);
    try {
      const host = await untilAborted(finder.find(home, signal), signal);
      const found = host === undefined ? "nowhere" : this.#whereabouts.found(host);
      if (found === "at-a-new-place") {
        this.#logger.warn(
          `the camera that was at ${home} is at ${host} now and is opened there; enter its new address, or have the router always give it the same one`,
        );
      }
      return found !== "nowhere";
    } catch (error) {
      this.#logger.debug(`the camera that was at ${home} was not looked for: ${String(error)}`);
      return false;
    }
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
      const there = await this.#look(endpoint);
      if (there && seenClosed) {
        this.#failures = 0;
        return;
      }
      seenClosed ||= !there;
    }
  }

  /** Whether the port is open; one more that connects, and so through the gate. */
  async #look(endpoint: Endpoint): Promise<boolean> {
    const { signal } = this.#closing;
    let leave = () => {};
    try {
      leave = await this.#gate.enter(signal);
      await reach(endpoint, signal, LOOK_TIMEOUT_MS);
      return true;
    } catch {
      return false;
    } finally {
      leave();
    }
  }

  async #beforeNextRound(startedAt: number): Promise<boolean> {
    await pause(SHORTEST_ROUND_MS - (this.#now() - startedAt), this.#closing.signal);
    return true;
  }

  #connecting(reason = this.#state.reason): void {
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

/** How far an attempt has come. */
interface Opening {
  input?: PictureInput;
  /** The camera's port was open. */
  reached: boolean;
  /** To be called with the first picture: whoever waits for this one may go on. */
  settled: () => void;
}

function videoOf({ codec, width, height, fps }: SourceFacts): NonNullable<StreamHealth["video"]> {
  return {
    ...(codec !== undefined && { codec }),
    ...(width !== undefined && { width }),
    ...(height !== undefined && { height }),
    ...(fps !== undefined && { fps }),
  };
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

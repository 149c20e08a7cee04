import { type LoginGuard, loginGuard, loginKey } from "../camera/login-guard.ts";
import type { CameraConfig, ProtocolFinder } from "../camera/protocols/protocol.ts";
import { asCctvError, CctvError } from "../errors.ts";
import type { Frame } from "../frame/frame.ts";
import type { Logger } from "../logger.ts";
import type { CameraRecord } from "../store/camera-record.ts";
import type { AddressFinder } from "../stream/address-finder.ts";
import { CameraStream, type StreamHealth, type StreamReason, type StreamState } from "../stream/camera-stream.ts";
import type { ConnectGate } from "../stream/connect-gate.ts";

/** Gets each frame of a camera, by reference and never queued: one that is busy leaves it. */
export type Watcher = (frame: Frame) => void;

/** How the streams of a fleet are opened. */
export interface FleetStreams {
  /** Analysed frames a second. */
  readonly fps: number;
  /** Pixels of a frame's longer side. */
  readonly longSide: number;
  readonly ffmpegPath?: string | undefined;
  readonly registry?: ProtocolFinder | undefined;
  readonly logins?: LoginGuard | undefined;
  readonly gate?: ConnectGate | undefined;
  /** Where a camera may be that is no longer at its address. */
  readonly finder?: AddressFinder | undefined;
  /** How long a stream stays open for those who come back to watch, milliseconds; 5 s by default. */
  readonly lingerMs?: number | undefined;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** 0 to 1. */
  readonly random: () => number;
  readonly logger: Logger;
}

/** What a camera of a fleet needs of it. */
export interface FleetCameraHost {
  readonly streams: FleetStreams;
  /** With its password. */
  config(id: string): Promise<CameraConfig>;
  /** Of a camera whose frames are wanted for detection. */
  onFrame(frame: Frame): void;
  onChange(camera: FleetCamera): void;
}

const MOST_WATCHERS = 100;
const LINGER_MS = 5_000;
const SNAPSHOT_LIMIT_MS = 9_000;
/** After a stream could not even be set up, as while the database is away. */
const RETRY_MS = 10_000;
/** A picture that is older is not taken for what the camera sees now. */
const FRESH_MS = 2_000;
const GOING_WRONG: ReadonlySet<StreamState["state"]> = new Set(["waiting", "failed"]);

/**
 * One camera of a fleet: its record, and its stream for as long as it is wanted, by detection or by somebody who
 * watches. Owns the stream.
 */
export class FleetCamera {
  /** Since the fleet was opened. */
  alerts = 0;
  readonly #host: FleetCameraHost;
  readonly #logins: LoginGuard;
  readonly #watchers = new Set<{ readonly tell: Watcher }>();
  #record: CameraRecord;
  #stream: CameraStream | undefined;
  #lastFrame: Frame | undefined;
  #failure: StreamReason | undefined;
  #changedAt: number;
  #settling: Promise<void> = Promise.resolve();
  #nextSettling: Promise<void> | undefined;
  #isOutdated = false;
  #startDelayMs = 0;
  #startTimer: NodeJS.Timeout | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  #lingerTimer: NodeJS.Timeout | undefined;
  #isLingering = false;
  #picture: Picture | undefined;
  #closed = false;

  constructor(record: CameraRecord, host: FleetCameraHost) {
    this.#record = record;
    this.#host = host;
    this.#logins = host.streams.logins ?? loginGuard;
    this.#changedAt = host.streams.now();
  }

  get record(): CameraRecord {
    return this.#record;
  }

  get isRunning(): boolean {
    return this.#stream !== undefined;
  }

  health(): StreamHealth {
    if (this.#stream) return this.#stream.health();
    const nothing = { since: this.#changedAt, framesPerSecond: 0, decodeErrors: 0, reconnects: 0 };
    return this.#failure ? { state: "failed", reason: this.#failure, ...nothing } : { state: "closed", ...nothing };
  }

  /** @param isOutdated the stream has to be opened anew for the change to show */
  change(record: CameraRecord, isOutdated: boolean): void {
    this.#record = record;
    this.#isOutdated ||= isOutdated;
  }

  /**
   * Opens or closes the stream, as it is wanted by now. What goes wrong is told by `health`, not thrown.
   * @param startDelayMs before it connects
   */
  settle(startDelayMs = 0): Promise<void> {
    this.#startDelayMs = startDelayMs;
    this.#nextSettling ??= this.#settling.then(() => {
      this.#nextSettling = undefined;
      this.#settling = this.#settle();
      return this.#settling;
    });
    return this.#nextSettling;
  }

  /**
   * @returns ends it; only its first call counts.
   * @throws CctvError RATE_LIMITED
   */
  watch(tell: Watcher): () => void {
    if (this.#watchers.size >= MOST_WATCHERS) {
      throw new CctvError(
        "RATE_LIMITED",
        `${MOST_WATCHERS} are watching this camera already; close some, or put a video server in between`,
      );
    }
    const watcher = { tell };
    this.#watchers.add(watcher);
    this.#stay();
    if (!this.#stream) void this.settle();
    return () => {
      if (this.#watchers.delete(watcher) && this.#watchers.size === 0) this.#linger();
    };
  }

  /**
   * What the camera sees now, as a JPEG. Whoever asks while another waits gets the same picture.
   * @throws CctvError why there is none, within nine seconds.
   */
  async snapshot(): Promise<Buffer> {
    if (!this.#record.enabled) {
      throw new CctvError("REQUEST_INVALID", "the camera is disabled and left alone; enable it for a picture");
    }
    const frame = this.#freshFrame() ?? (await this.#nextFrame());
    return frame.jpeg();
  }

  /** Ends the stream and waits until it is gone. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#watchers.clear();
    this.#stay();
    this.#picture?.refuse(new CctvError("CAMERA_UNKNOWN", "the camera was removed, or its registry closed"));
    await this.settle();
  }

  get #isWanted(): boolean {
    if (this.#closed || !this.#record.enabled) return false;
    return this.#record.detecting || this.#watchers.size > 0 || this.#isLingering;
  }

  async #settle(): Promise<void> {
    if (this.#stream && (this.#isOutdated || !this.#isWanted)) await this.#closeStream();
    clearTimeout(this.#retryTimer);
    this.#isOutdated = false;
    this.#failure = undefined;
    if (this.#stream || !this.#isWanted) return;
    try {
      const config = await this.#host.config(this.#record.id);
      // An outdated configuration is followed by another settling.
      if (!this.#isWanted || this.#isOutdated) return;
      if (!this.#record.detecting) await this.#refuseWhilePaused(config);
      this.#openStream(config);
    } catch (error) {
      const { code, message } = asCctvError(error, "STORE_FAILED");
      this.#failure = { code, message };
      this.#retryTimer = setTimeout(() => void this.settle(), RETRY_MS);
      this.#picture?.refuse(new CctvError(code, message));
      this.#changed();
    }
  }

  /** Opening a stream tries its login; those who only look must not lock an account by looking again and again. */
  async #refuseWhilePaused(config: CameraConfig): Promise<void> {
    const key = loginKey(config.address, config);
    if (this.#logins.pausedUntil(key) === undefined) return;
    const login = await this.#logins.enter(key, AbortSignal.timeout(SNAPSHOT_LIMIT_MS));
    login.leave();
  }

  #openStream(config: CameraConfig): void {
    const { fps, longSide, ffmpegPath, registry, gate, finder, now, random, logger } = this.#host.streams;
    const { id, name, location, site } = this.#record;
    const stream = new CameraStream({
      ...config,
      camera: { id, name, location, site: site || "site" },
      ...{ fps, longSide, now, random, logger, logins: this.#logins },
      ...(ffmpegPath !== undefined && { ffmpegPath }),
      ...(registry && { registry }),
      ...(gate && { gate }),
      ...(finder && { finder }),
    });
    stream.on("frame", (frame) => this.#show(frame));
    stream.on("state", (state) => this.#stateChanged(state));
    this.#stream = stream;
    if (this.#startDelayMs > 0) this.#startTimer = setTimeout(() => stream.start(), this.#startDelayMs);
    else stream.start();
    this.#startDelayMs = 0;
  }

  async #closeStream(): Promise<void> {
    clearTimeout(this.#startTimer);
    const stream = this.#stream;
    await stream?.close();
    stream?.removeAllListeners();
    this.#stream = undefined;
    this.#lastFrame = undefined;
    this.#changed();
  }

  #show(frame: Frame): void {
    this.#lastFrame = frame;
    this.#picture?.show(frame);
    for (const { tell } of this.#watchers) {
      try {
        tell(frame);
      } catch (error) {
        this.#host.streams.logger.warn(`one who watches a camera failed: ${asCctvError(error, "STREAM_LOST").message}`);
      }
    }
    if (this.#record.detecting) this.#host.onFrame(frame);
  }

  #stateChanged({ state, reason }: StreamState): void {
    if (reason && GOING_WRONG.has(state)) this.#picture?.refuse(new CctvError(reason.code, reason.message));
    // Of a stream that is being closed the end is told once it is gone.
    if (state !== "closed") this.#changed();
  }

  #changed(): void {
    if (!this.#stream) this.#changedAt = this.#host.streams.now();
    this.#host.onChange(this);
  }

  #linger(): void {
    this.#isLingering = true;
    this.#lingerTimer = setTimeout(() => {
      this.#isLingering = false;
      void this.settle();
    }, this.#host.streams.lingerMs ?? LINGER_MS);
  }

  #stay(): void {
    clearTimeout(this.#lingerTimer);
    this.#isLingering = false;
  }

  #freshFrame(): Frame | undefined {
    const { state, lastFrameAgeMs = Number.POSITIVE_INFINITY } = this.health();
    return state === "ended" || lastFrameAgeMs < FRESH_MS ? this.#lastFrame : undefined;
  }

  async #nextFrame(): Promise<Frame> {
    const { reason, state } = this.health();
    if (this.#stream && reason && GOING_WRONG.has(state)) throw new CctvError(reason.code, reason.message);
    this.#picture ??= this.#takePicture();
    return this.#picture.frame;
  }

  #takePicture(): Picture {
    const picture = new Picture();
    const leave = this.watch(() => undefined);
    const limit = setTimeout(() => {
      const seconds = SNAPSHOT_LIMIT_MS / 1000;
      picture.refuse(
        new CctvError(
          "CAMERA_STALLED",
          `the camera has shown no picture within ${seconds} s; look at its status for the reason`,
        ),
      );
    }, SNAPSHOT_LIMIT_MS);
    const end = () => {
      clearTimeout(limit);
      leave();
      this.#picture = undefined;
    };
    picture.frame.then(end, end);
    return picture;
  }
}

/** A frame that is waited for. */
class Picture {
  readonly frame: Promise<Frame>;
  show: (frame: Frame) => void = () => undefined;
  refuse: (reason: CctvError) => void = () => undefined;

  constructor() {
    this.frame = new Promise((resolve, reject) => {
      this.show = resolve;
      this.refuse = reject;
    });
  }
}

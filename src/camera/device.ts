/** What a camera or recorder says of itself. */
export interface DeviceDescription {
  /** As people write it, such as "Hikvision". */
  readonly brand?: string;
  readonly model?: string;
  readonly firmware?: string;
  readonly serial?: string;
  /** The name that somebody gave it. */
  readonly name?: string;
  /** In the order of their numbers. */
  readonly channels: readonly DeviceChannel[];
}

/** One picture source of a device: a lens, or a camera behind a recorder. */
export interface DeviceChannel {
  /** Counted from 1; what `CameraConfig.channel` takes. */
  readonly channel: number;
  readonly name?: string;
  /** False where the recorder knows that the camera is gone. */
  readonly online?: boolean;
  readonly streams: readonly ChannelStream[];
}

/** What one stream of a channel is set to. */
export interface ChannelStream {
  readonly stream: "main" | "sub";
  /** As cameras write it, such as "H.264". */
  readonly codec?: string;
  /** Pixels. */
  readonly width?: number;
  readonly height?: number;
  /** Frames a second. */
  readonly fps?: number;
}

export type CameraEventKind =
  | "motion"
  | "line-crossing"
  | "intrusion"
  | "person"
  | "vehicle"
  | "tamper"
  | "video-loss"
  | "input"
  | "sound"
  | "storage"
  | "other";

/** Something that the camera itself has noticed. */
export interface CameraEvent {
  readonly kind: CameraEventKind;
  /** The camera's own name for it, such as `tns1:RuleEngine/CellMotionDetector/Motion`, `VMD`, `VideoMotion`. */
  readonly topic: string;
  /** True when it begins, false when it ends, absent for what has no duration. */
  readonly active?: boolean;
  /** Counted from 1; absent where the camera does not tell. */
  readonly channel?: number;
  /** When it came, by this machine's clock; epoch milliseconds. */
  readonly at: number;
  /** What else the camera tells, plain JSON. */
  readonly data: Readonly<Record<string, unknown>>;
  /** The picture that some cameras send with it. */
  readonly jpeg?: Buffer;
}

/** How fast to move: each from -1 to 1, positive to the right, up and nearer. Absent ones stand still. */
export interface PtzVelocity {
  readonly pan?: number;
  readonly tilt?: number;
  readonly zoom?: number;
}

export interface PtzPreset {
  /** What `goToPreset` takes. */
  readonly id: string;
  readonly name: string;
}

/** Pan, tilt and zoom. Each call throws CctvError where the camera cannot do it. */
export interface Ptz {
  /** Moves until `stop`, or for so many milliseconds where they are given: then the camera is stopped by itself. */
  move(velocity: PtzVelocity, forMs: number | undefined, signal: AbortSignal): Promise<void>;
  stop(signal: AbortSignal): Promise<void>;
  presets(signal: AbortSignal): Promise<readonly PtzPreset[]>;
  /** @param preset an id or a name */
  goToPreset(preset: string, signal: AbortSignal): Promise<void>;
}

/**
 * What a camera can do beside giving pictures. It connects when it is first asked, logs in once, and
 * keeps its connection until `close()`.
 */
export interface CameraDevice {
  /** @throws CctvError */
  describe(signal: AbortSignal): Promise<DeviceDescription>;
  /** A JPEG of the configured channel. @throws CctvError */
  snapshot(signal: AbortSignal): Promise<Buffer>;
  /** What the camera notices, as it comes, until the signal aborts. A broken connection is thrown. @throws CctvError */
  events(signal: AbortSignal): AsyncIterable<CameraEvent>;
  /** Absent where the protocol has none; a camera that cannot move says so when it is told to. */
  readonly ptz?: Ptz;
  close(): Promise<void>;
}

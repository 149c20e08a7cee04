import type { AddressRules } from "../camera/address-rules.ts";
import type { DiscoverOptions, DiscoveryEvent } from "../discovery/scan.ts";
import type { CctvError } from "../errors.ts";
import type { Frame } from "../frame/frame.ts";
import type { CameraRecord, NewCamera } from "../store/camera-record.ts";
import type { StreamHealth } from "../stream/camera-stream.ts";
import type { Caller, RequestHeaders } from "./access/api-access.ts";
import type { RateLimits } from "./access/rate-limit.ts";
import type { Role } from "./access/roles.ts";

/** A registered camera and how its pictures come. */
export interface CameraState extends StreamHealth {
  readonly camera: CameraRecord;
  /** Since the server was started. */
  readonly alerts: number;
}

/** What the commands need of the cameras' owner. Ids that it does not know are CctvError CAMERA_UNKNOWN. */
export interface FleetControl {
  statuses(): Promise<readonly CameraState[]>;
  status(id: string): Promise<CameraState>;
  /** @throws CctvError CAMERA_EXISTS */
  add(camera: NewCamera): Promise<unknown>;
  update(id: string, changes: Partial<NewCamera>): Promise<unknown>;
  remove(id: string): Promise<unknown>;
  enable(id: string): Promise<unknown>;
  disable(id: string): Promise<unknown>;
  /** @returns the ids of those that run then. */
  start(ids?: readonly string[]): Promise<readonly string[]>;
  stop(ids?: readonly string[]): Promise<readonly string[]>;
  /** A JPEG. */
  snapshot(id: string): Promise<Buffer>;
  /** @returns ends it. */
  watch(id: string, listener: (frame: Frame) => void): () => void;
  on(event: "removed", listener: (id: string) => void): unknown;
  off(event: "removed", listener: (id: string) => void): unknown;
}

/** Who may do what; `ApiAccess` is one. */
export interface AccessControl {
  readonly required: boolean;
  /** @throws CctvError ACCESS_DENIED */
  check(from: RequestHeaders | string | undefined, needed: Role): Caller;
}

/** All that the commands work with. */
export interface ApiContext {
  readonly fleet: FleetControl;
  readonly access: AccessControl;
  readonly rules: AddressRules;
  readonly limits: RateLimits;
  /** Which origins' pages may read the answers; none but the server's own by default. */
  readonly origins?: readonly string[] | undefined;
  readonly ffmpegPath?: string | undefined;
  /** How to look for cameras, beside the subnets that a request names. */
  readonly discovery?: Omit<DiscoverOptions, "subnets"> | undefined;
  /** Is told what a scan finds while it runs. */
  readonly onDiscovery?: ((event: DiscoveryEvent) => void) | undefined;
}

/** One request, by HTTP or from a flow. */
export interface ApiRequest {
  readonly body?: unknown;
  /** From the path of the request; else `camera_id` of the body names the camera. */
  readonly cameraId?: string | undefined;
  /** Absent for a request from the flow itself, which may do everything. */
  readonly http?: { readonly method: string; readonly headers: RequestHeaders } | undefined;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** What to send back: a body, or pictures for as long as the client stays. */
export interface Answer {
  /** Of HTTP. */
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Plain JSON, or a JPEG. */
  readonly body: object | Buffer;
  /** In place of the body: ends when the client has left or the camera is gone. */
  readonly play?: (response: LiveResponse, signal: AbortSignal) => Promise<void>;
  /** What went wrong on this side, for the log; its message is in the body already. */
  readonly failure?: CctvError;
}

/** What live pictures need of `http.ServerResponse`. */
export interface LiveResponse {
  readonly writableNeedDrain: boolean;
  readonly writableEnded: boolean;
  readonly destroyed: boolean;
  writeHead(status: number, headers: Readonly<Record<string, string>>): unknown;
  write(chunk: Buffer): boolean;
  end(): unknown;
  destroy(): unknown;
  on(event: "close" | "drain" | "error", listener: () => void): unknown;
  off(event: "close" | "drain" | "error", listener: () => void): unknown;
}

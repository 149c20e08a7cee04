import type { CctvError } from "../../errors.ts";
import type { CredentialFields, Credentials } from "../credentials.ts";
import type { CameraDevice } from "../device.ts";

/** What a user configures to reach one camera. */
export interface CameraConfig extends CredentialFields {
  /** A URL, or a path for a file. */
  readonly address: string;
  /** How an RTSP camera sends its packets; `auto` tries TCP first. `http` is the tunnel through port 80 or 443. */
  readonly transport?: "auto" | "tcp" | "udp" | "http" | undefined;
  /** Which TLS certificates of the camera are good: one that this machine trusts, or any at all. */
  readonly certificate?: "trusted" | "any" | undefined;
  /** Start a file again when it ends. */
  readonly loop?: boolean | undefined;
  /** Which camera of a recorder, or which lens of a camera, counted from 1. */
  readonly channel?: number | undefined;
  /** Which of a camera's streams, where the protocol can choose: the small one by default, which is enough to analyse. */
  readonly stream?: "main" | "sub" | undefined;
  /** Pixels of the longer side that the analysis wants: what a protocol chooses by that can choose. */
  readonly longSide?: number | undefined;
}

/** The settings that a protocol reads beside the address: what a dialog has to ask for. */
export type CameraField = Exclude<keyof CameraConfig, "address" | "longSide">;

/** A TCP port at which the camera listens. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** What ffmpeg opens by itself: plain data, made by a protocol out of a configuration. */
export interface FfmpegInput {
  readonly kind?: "ffmpeg";
  /** What ffmpeg opens. May hold credentials: never log it, never put it into a message. */
  readonly url: string;
  /** The same for people, without credentials. */
  readonly display: string;
  /** ffmpeg's options for this input, in its own words. */
  readonly options: Readonly<Record<string, string>>;
  /** The protocols of ffmpeg that this input may use, and no others, whatever the stream asks for. */
  readonly protocols: readonly string[];
  /** A live input has no end and sets its own pace; others are read in real time and end. */
  readonly live: boolean;
  readonly loop: boolean;
  /**
   * ffmpeg's demuxer for what a concat script cannot open: `hls`, or that of a capture device. The url
   * of a device is its name, which is no secret and goes on the command line.
   */
  readonly demuxer?: string;
  /** Comes whole segments at a time, so that times of arrival mean nothing; it is read at the pace of its own times. */
  readonly segmented?: boolean;
  /** What follows a `?` may be a token: the display shows none of it, and ffmpeg's words are masked likewise. */
  readonly secretQueries?: boolean;
  /** Where to see cheaply, without a login, whether the camera is there; absent where there is no such place. */
  readonly endpoint?: Endpoint;
  readonly credentials?: Credentials;
}

/** A camera that sends whole JPEGs: they need no ffmpeg, and those that nobody wants are never decoded. */
export interface JpegInput {
  readonly kind: "jpeg";
  /** The address for people, without credentials. */
  readonly display: string;
  readonly live: true;
  readonly loop: false;
  readonly endpoint?: Endpoint;
  readonly credentials?: Credentials;
  /**
   * Asks the camera and gives what it sends, each JPEG in memory of its own, until the signal aborts.
   * `fps` is how many are wanted; a camera that has its own pace may give more.
   * @throws CctvError with a code and a sentence for the user.
   */
  jpegs(fps: number, signal: AbortSignal): AsyncIterable<Buffer>;
}

/** A camera whose RTSP we speak ourselves; ffmpeg gets its packets, and no login, from a relay on loopback. */
export interface RtspInput {
  readonly kind: "rtsp";
  /** The address for people, without credentials. */
  readonly display: string;
  readonly live: true;
  readonly loop: false;
  readonly host: string;
  readonly port: number;
  /** From the first `/` or `?` on, percent-encoded; empty where there is none. */
  readonly path: string;
  readonly transport: "auto" | "tcp" | "udp" | "http";
  /** RTSP over TLS where it is present. */
  readonly tls?: { readonly rejectUnauthorized: boolean };
  readonly endpoint?: Endpoint;
  readonly credentials?: Credentials;
}

/** One picture of a source that decodes by itself. */
export interface RawPicture {
  /** Packed RGB, row-major, width x height x 3 bytes; memory of its own. */
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** A source that gives decoded pictures, such as a vendor's runtime in a process of its own. */
export interface RawInput {
  readonly kind: "raw";
  /** The source for people, without credentials. */
  readonly display: string;
  readonly live: true;
  readonly loop: false;
  readonly endpoint?: Endpoint;
  readonly credentials?: Credentials;
  /**
   * Gives pictures until the signal aborts, at most `fps` a second and `longSide` pixels long, the newest first
   * where the reader is slow.
   * @throws CctvError with a code and a sentence for the user.
   */
  pictures(wanted: { readonly fps: number; readonly longSide: number }, signal: AbortSignal): AsyncIterable<RawPicture>;
}

/** All that a protocol may find to open. */
export type PictureInput = FfmpegInput | JpegInput | RawInput | RtspInput;

/** One way of getting at pictures. A new one is a folder beside this file and a line in the registry. */
export interface Protocol<Input extends PictureInput = PictureInput> {
  readonly name: string;
  /** Schemes of the addresses it takes: lower case, without the colon. */
  readonly schemes: readonly string[];
  /** What it reads of a configuration beside the address. */
  readonly fields: readonly CameraField[];
  /** Claims an address by more than its scheme, before the schemes are looked at. */
  matches?(address: string): boolean;
  /**
   * Works out what to open. May ask the camera, and stops asking when the signal aborts.
   *
   * @param onWaiting to be told where it is not this machine's turn: a camera has to come by itself, however long
   * that takes
   * @throws CctvError with a code and a sentence for the user.
   */
  resolve(config: CameraConfig, signal: AbortSignal, onWaiting?: (reason: CctvError) => void): Promise<Input>;
  /** What the camera can do beside giving pictures; absent where the protocol knows of nothing. */
  device?(config: CameraConfig): CameraDevice;
}

/** Where streams look for the protocol of an address. */
export interface ProtocolFinder {
  /** @throws CctvError ADDRESS_INVALID, ADDRESS_SCHEME_UNKNOWN */
  forAddress(address: string): Protocol;
}

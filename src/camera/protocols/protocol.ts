import type { CredentialFields, Credentials } from "../credentials.ts";

/** What a user configures to reach one camera. */
export interface CameraConfig extends CredentialFields {
  /** A URL, or a path for a file. */
  readonly address: string;
  /** How an RTSP camera sends its packets; `auto` tries TCP first. */
  readonly transport?: "auto" | "tcp" | "udp" | undefined;
  /** Which TLS certificates of the camera are good: one that this machine trusts, or any at all. */
  readonly certificate?: "trusted" | "any" | undefined;
  /** Start a file again when it ends. */
  readonly loop?: boolean | undefined;
}

/** A TCP port at which the camera listens. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** What the decoder opens: plain data, made by a protocol out of a configuration. */
export interface CameraInput {
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

/** All that a protocol may find to open. */
export type PictureInput = CameraInput | JpegInput;

/** One way of getting at pictures. A new one is a folder beside this file and a line in the registry. */
export interface Protocol<Input extends PictureInput = CameraInput> {
  readonly name: string;
  /** Schemes of the addresses it takes: lower case, without the colon. */
  readonly schemes: readonly string[];
  /** Claims an address by more than its scheme, before the schemes are looked at. */
  matches?(address: string): boolean;
  /**
   * Works out what to open. May ask the camera, and stops asking when the signal aborts.
   * @throws CctvError with a code and a sentence for the user.
   */
  resolve(config: CameraConfig, signal: AbortSignal): Promise<Input>;
}

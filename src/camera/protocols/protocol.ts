import type { CredentialFields, Credentials } from "../address.ts";

/** What a user configures to reach one camera. */
export interface CameraConfig extends CredentialFields {
  /** A URL, or a path for a file. */
  readonly address: string;
  /** How an RTSP camera sends its packets; `auto` tries TCP first. */
  readonly transport?: "auto" | "tcp" | "udp" | undefined;
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
  /** Where to see cheaply, without a login, whether the camera is there; absent where there is no such place. */
  readonly endpoint?: Endpoint;
  readonly credentials?: Credentials;
}

/** One way of getting at pictures. A new one is a folder beside this file and a line in the registry. */
export interface Protocol {
  readonly name: string;
  /** Schemes of the addresses it takes: lower case, without the colon. */
  readonly schemes: readonly string[];
  /**
   * Works out what to open. May ask the camera, and stops asking when the signal aborts.
   * @throws CctvError with a code and a sentence for the user.
   */
  resolve(config: CameraConfig, signal: AbortSignal): Promise<CameraInput>;
}

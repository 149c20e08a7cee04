import type { CctvError } from "../errors.ts";

export interface CapturedPicture {
  /** Packed RGB, row-major; memory of its own. */
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** When it arrived or, in a file or a segment, when it is due in real time; epoch milliseconds. */
  readonly timestamp: number;
  /** The same picture as the camera sent it, where that has the same size. */
  readonly jpeg?: Buffer;
}

/** What a source knows of the stream behind its pictures; each field only where it knows. */
export interface SourceFacts {
  /** Bytes of video that have come from the camera. */
  readonly bytes?: number;
  /** Pictures or packets that could not be decoded. */
  readonly damaged: number;
  /** In lower case as ffmpeg names it, such as `h264`, `hevc`, `mjpeg`. */
  readonly codec?: string;
  /** Pixels, as the camera sends them. */
  readonly width?: number;
  readonly height?: number;
  /** Pictures a second that the camera says it sends. */
  readonly fps?: number;
  /** How the camera's server calls itself, and the realm it asks a login for: they give the brand away. */
  readonly server?: string;
  readonly realm?: string;
}

/** One attempt at one input, from its opening to its end. */
export interface PictureSource {
  /** Settles when all is over: with the reason, or undefined at the end of a file and after `close()`. */
  readonly ended: Promise<CctvError | undefined>;
  /** The last complaints, without secrets. */
  readonly lines: readonly string[];
  /** Up to now. */
  facts(): SourceFacts;
  /** Ends it and waits until nothing of it is left. */
  close(): Promise<void>;
}

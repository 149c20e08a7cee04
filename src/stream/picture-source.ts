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

/** One attempt at one input, from its opening to its end. */
export interface PictureSource {
  /** Settles when all is over: with the reason, or undefined at the end of a file and after `close()`. */
  readonly ended: Promise<CctvError | undefined>;
  /** The last complaints, without secrets. */
  readonly lines: readonly string[];
  /** Ends it and waits until nothing of it is left. */
  close(): Promise<void>;
}

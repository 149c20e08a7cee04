import { CctvError } from "../errors.ts";

export interface Picture {
  /** Packed RGB, row-major; memory of its own. */
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** Milliseconds on the decoder's clock; absent where the stream has no times. */
  readonly time: number | undefined;
}

interface Announcement {
  readonly width: number;
  readonly height: number;
  readonly time: number | undefined;
}

/** A line of ffmpeg's showinfo filter (libavfilter/vf_showinfo.c); other threads may write before or after it. */
const SHOWINFO = /\bn: *(\d+) pts: *(-?\d+|NOPTS) .*?\bs:(\d+)x(\d+)\b/;

const BYTES_PER_PIXEL = 3;

/** ffmpeg's queues between its filter and its output hold far fewer pictures than this. */
const MOST_ANNOUNCED = 64;
/** Bytes that came before their announcement; the announcement is already in its pipe then. */
const MOST_BYTES_AHEAD = 8 * 1024 * 1024;

/**
 * Cuts a stream of raw pictures into pictures.
 *
 * A raw stream does not say where a picture ends, and a camera may change its size at any time, so
 * ffmpeg announces every picture on standard error. The two pipes come in any order.
 */
export class PictureAssembler {
  readonly #longSide: number;
  readonly #onPicture: (picture: Picture) => void;
  readonly #announced: Announcement[] = [];
  readonly #ahead: Uint8Array[] = [];
  #bytesAhead = 0;
  #nextNumber = 0;
  #current: { readonly data: Uint8Array; readonly announcement: Announcement; filled: number } | undefined;

  constructor({ longSide, onPicture }: { longSide: number; onPicture: (picture: Picture) => void }) {
    this.#longSide = longSide;
    this.#onPicture = onPicture;
  }

  /**
   * Takes a line of standard error; false where it announces no picture.
   * @throws CctvError DECODER_FAILED when announcements and pictures can no longer be matched.
   */
  readLine(line: string): boolean {
    const [match, number, pts, width, height] = SHOWINFO.exec(line) ?? [];
    if (match === undefined) return false;
    this.#checkNumber(Number(number));
    const announcement = {
      width: Number(width),
      height: Number(height),
      time: pts === "NOPTS" ? undefined : Number(pts),
    };
    this.#checkSize(announcement);
    if (this.#announced.length >= MOST_ANNOUNCED) throw outOfStep("announces pictures that do not come");
    this.#announced.push(announcement);
    this.#useBytesAhead();
    return true;
  }

  /** Takes bytes of standard output. They are copied: the buffer may be used again. */
  readBytes(bytes: Uint8Array): void {
    let rest = bytes;
    while (rest.length > 0) {
      const taken = this.#fill(rest);
      if (taken === 0) {
        this.#keepAhead(rest);
        return;
      }
      rest = rest.subarray(taken);
    }
  }

  #fill(bytes: Uint8Array): number {
    this.#current ??= this.#beginPicture();
    const current = this.#current;
    if (!current) return 0;
    const part = bytes.subarray(0, current.data.length - current.filled);
    current.data.set(part, current.filled);
    current.filled += part.length;
    if (current.filled === current.data.length) {
      this.#current = undefined;
      this.#onPicture({ data: current.data, ...current.announcement });
    }
    return part.length;
  }

  #beginPicture(): { data: Uint8Array; announcement: Announcement; filled: number } | undefined {
    const announcement = this.#announced.shift();
    if (!announcement) return undefined;
    // Its own memory, not of Buffer's pool, and not shared memory, which the garbage collector does not count.
    const data = Buffer.allocUnsafeSlow(announcement.width * announcement.height * BYTES_PER_PIXEL);
    return { data, announcement, filled: 0 };
  }

  #keepAhead(bytes: Uint8Array): void {
    this.#bytesAhead += bytes.length;
    if (this.#bytesAhead > MOST_BYTES_AHEAD) throw outOfStep("sends pictures that it did not announce");
    this.#ahead.push(Uint8Array.from(bytes));
  }

  #useBytesAhead(): void {
    const kept = this.#ahead.splice(0);
    this.#bytesAhead = 0;
    for (const bytes of kept) this.readBytes(bytes);
  }

  /** ffmpeg counts from 0 again when it sets up its filters anew, for instance for a new picture size. */
  #checkNumber(number: number): void {
    if (number !== 0 && number !== this.#nextNumber) throw outOfStep("skips announcements");
    this.#nextNumber = number + 1;
  }

  #checkSize({ width, height }: Announcement): void {
    const fits = (side: number) => side > 0 && side <= this.#longSide;
    if (!fits(width) || !fits(height)) throw outOfStep(`announces a picture of ${width}x${height} pixels`);
  }
}

function outOfStep(what: string): CctvError {
  return new CctvError("DECODER_FAILED", `ffmpeg ${what}; update ffmpeg, and report this if it stays`);
}

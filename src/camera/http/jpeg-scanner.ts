export type JpegScan =
  | { readonly kind: "more" }
  /** The picture is complete and so many bytes long. */
  | { readonly kind: "end"; readonly length: number }
  /** This is no JPEG any more, from there on. */
  | { readonly kind: "broken"; readonly at: number };

const MARKER = 0xff;
const START_OF_IMAGE = 0xd8;
const END_OF_IMAGE = 0xd9;
const START_OF_SCAN = 0xda;

/**
 * Finds where a JPEG ends (ITU-T T.81, annex B). Segments are skipped by their length, so that the end
 * of a thumbnail inside EXIF data is not taken for the end of the picture.
 */
export class JpegScanner {
  #position = 2;
  #inScan = false;

  /** @param bytes the picture from its first byte on, as far as it has come; each call has the same start and more. */
  scan(bytes: Buffer): JpegScan {
    for (;;) {
      const found = this.#inScan ? this.#readScan(bytes) : this.#readSegment(bytes);
      if (found) return found;
    }
  }

  /** Coded pixels: up to the next marker that is not part of them. */
  #readScan(bytes: Buffer): JpegScan | undefined {
    const at = bytes.indexOf(MARKER, this.#position);
    this.#position = at < 0 ? bytes.length : at;
    const code = at < 0 ? undefined : bytes[at + 1];
    if (code === undefined) return { kind: "more" };
    if (code === START_OF_IMAGE) return { kind: "broken", at };
    if (code === 0 || isRestart(code)) this.#position += 2;
    else if (code === MARKER) this.#position += 1;
    else this.#inScan = false;
    return undefined;
  }

  #readSegment(bytes: Buffer): JpegScan | undefined {
    const at = this.#position;
    const code = bytes[at + 1];
    if (at < bytes.length && bytes[at] !== MARKER) return { kind: "broken", at };
    if (code === undefined) return { kind: "more" };
    if (code === END_OF_IMAGE) return { kind: "end", length: at + 2 };
    if (code === START_OF_IMAGE || code === 0) return { kind: "broken", at };
    if (code === MARKER) {
      this.#position += 1;
      return undefined;
    }
    if (code === 1 || isRestart(code)) {
      this.#position += 2;
      return undefined;
    }
    if (at + 4 > bytes.length) return { kind: "more" };
    const length = bytes.readUInt16BE(at + 2);
    if (length < 2) return { kind: "broken", at };
    this.#position += 2 + length;
    this.#inScan = code === START_OF_SCAN;
    return undefined;
  }
}

/** How every JPEG begins: its first marker and the mark of the next. */
export const START_OF_JPEG = Buffer.from([MARKER, START_OF_IMAGE, MARKER]);

/** Whether a JPEG starts here. */
export function startsAsJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === MARKER && bytes[1] === START_OF_IMAGE;
}

function isRestart(code: number): boolean {
  return code >= 0xd0 && code <= 0xd7;
}

import { CctvError } from "../../../errors.ts";

/** A picture as the NDI runtime gives it. */
export interface NdiPicture {
  /** The four letters of its pixel format, such as `UYVY`. */
  readonly format: string;
  readonly width: number;
  readonly height: number;
  /** Bytes from one row to the next; rows may be padded. */
  readonly stride: number;
  /** Width to height as it is to be shown; 0 for square pixels. */
  readonly aspectRatio: number;
  /** At least stride x height bytes. */
  readonly data: Uint8Array;
}

/** Where red, green and blue lie in the four bytes of a pixel. */
const CHANNELS: Readonly<Record<string, readonly [red: number, green: number, blue: number]>> = {
  BGRA: [2, 1, 0],
  BGRX: [2, 1, 0],
  RGBA: [0, 1, 2],
  RGBX: [0, 1, 2],
};

/**
 * Bytes that one pixel takes in a row.
 * @throws CctvError CAMERA_UNSUPPORTED for a format that is not read.
 */
export function bytesPerPixel(format: string): number {
  if (format === "UYVY") return 2;
  if (CHANNELS[format]) return 4;
  throw unknownFormat(format);
}

/**
 * Packed RGB, width x height x 3 bytes, out of UYVY (4:2:2, ITU-R BT.709-6 limited range) or of four
 * bytes per pixel; alpha is left out.
 * @throws CctvError CAMERA_UNSUPPORTED for any other pixel format.
 */
export function toPackedRgb(picture: NdiPicture): Uint8Array {
  if (picture.format === "UYVY") return fromUyvy(picture);
  const channels = CHANNELS[picture.format];
  if (channels) return fromFourBytes(picture, channels);
  throw unknownFormat(picture.format);
}

/** The size to give a picture: square pixels, its longer side at most `longSide`, never enlarged. */
export function reducedSize(
  { width, height, aspectRatio }: Pick<NdiPicture, "width" | "height" | "aspectRatio">,
  longSide: number,
): { width: number; height: number } {
  const shownWidth = aspectRatio > 0 ? height * aspectRatio : width;
  const factor = Math.min(1, longSide / Math.max(shownWidth, height));
  return { width: Math.max(1, Math.round(shownWidth * factor)), height: Math.max(1, Math.round(height * factor)) };
}

function fromUyvy({ width, height, stride, data }: NdiPicture): Uint8Array {
  // A clamped array rounds and clamps by itself.
  const rgb = new Uint8ClampedArray(width * height * 3);
  let to = 0;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const pair = row * stride + (column >> 1) * 4;
      const luma = 1.164384 * ((data[pair + 1 + (column & 1) * 2] ?? 0) - 16);
      const blueness = (data[pair] ?? 0) - 128;
      const redness = (data[pair + 2] ?? 0) - 128;
      rgb[to++] = luma + 1.792741 * redness;
      rgb[to++] = luma - 0.213249 * blueness - 0.532909 * redness;
      rgb[to++] = luma + 2.112402 * blueness;
    }
  }
  return new Uint8Array(rgb.buffer);
}

function fromFourBytes(
  { width, height, stride, data }: NdiPicture,
  [red, green, blue]: readonly [number, number, number],
): Uint8Array {
  const rgb = new Uint8Array(width * height * 3);
  let to = 0;
  for (let row = 0; row < height; row++) {
    const end = row * stride + width * 4;
    for (let from = row * stride; from < end; from += 4) {
      rgb[to++] = data[from + red] ?? 0;
      rgb[to++] = data[from + green] ?? 0;
      rgb[to++] = data[from + blue] ?? 0;
    }
  }
  return rgb;
}

function unknownFormat(format: string): CctvError {
  return new CctvError(
    "CAMERA_UNSUPPORTED",
    `the NDI source sends the pixel format ${JSON.stringify(format)}, which is not read; update the sender or the NDI runtime`,
  );
}

import type { GigeAddress } from "./gige-address.ts";

/**
 * The pixels to ask a camera for, the best first: what a colour sensor gives, at a byte per pixel; colours
 * that the camera has worked out; whatever else it has, such as grey. No spaces: gst-launch-1.0 escapes them.
 */
export const PIXELS = [
  "video/x-bayer,format={bggr,gbrg,grbg,rggb}",
  "video/x-raw,format={RGB,BGR,UYVY,YUY2,I420}",
  "video/x-raw",
] as const;

/** What the camera sends, as GStreamer writes it. */
export interface SourceCaps {
  readonly isBayer: boolean;
  /** Such as `video/x-bayer, format=(string)rggb, width=(int)640, …`. */
  readonly text: string;
  readonly width: number;
  readonly height: number;
}

const ELEMENT = "camera";
const SOURCE_CAPS = new RegExp(`GstAravis:${ELEMENT}\\.GstPad:src: caps = (video/x-(?:bayer|raw)\\b.*)$`);

/**
 * The arguments of a gst-launch-1.0 that asks the camera for such pixels and prints what it sends.
 *
 * A pipeline that scales would make aravissrc set a smaller region of the sensor and a lower rate on the
 * camera itself: so one looks first what the camera sends, and then asks for exactly that.
 */
export function lookArguments(address: GigeAddress, pixels: (typeof PIXELS)[number]): string[] {
  const { width, height, fps } = address;
  const caps = [
    pixels,
    ...(width === undefined ? [] : [`width=${width}`]),
    ...(height === undefined ? [] : [`height=${height}`]),
    ...(fps === undefined ? [] : [`framerate=${fps}/1`]),
  ];
  return ["-v", ...source(address), "num-buffers=1", "!", caps.join(","), "!", "fakesink"];
}

/** Reads a line that `lookArguments` made gst-launch-1.0 print. */
export function readCaps(line: string): SourceCaps | undefined {
  const [, text = ""] = SOURCE_CAPS.exec(line.trim()) ?? [];
  const width = Number(/\bwidth=\(int\)(\d+)/.exec(text)?.[1]);
  const height = Number(/\bheight=\(int\)(\d+)/.exec(text)?.[1]);
  return width > 0 && height > 0 ? { isBayer: text.startsWith("video/x-bayer"), text, width, height } : undefined;
}

export interface Wanted {
  /** Pictures a second, at most. */
  readonly fps: number;
  /** Pixels of a picture's longer side, at most. */
  readonly longSide: number;
}

/** The arguments of a gst-launch-1.0 that writes JPEGs, one after the other, to standard output. */
export function streamArguments(address: GigeAddress, caps: SourceCaps, { fps, longSide }: Wanted): string[] {
  const factor = Math.min(1, longSide / Math.max(caps.width, caps.height));
  const [width, height] = [caps.width, caps.height].map((side) => Math.max(1, Math.round(side * factor)));
  return [
    ...["-q", ...source(address)],
    // Without a shape of the pixels the scaler would invent one.
    ...["!", `${caps.text}, pixel-aspect-ratio=(fraction)1/1`],
    // Who is slow misses pictures: none waits.
    ...["!", "queue", "leaky=downstream", "max-size-buffers=1", "max-size-bytes=0", "max-size-time=0"],
    // Twice the rate, because the first picture of each 1/fps of a second is taken later.
    ...["!", "videorate", "drop-only=true", `max-rate=${Math.max(1, Math.ceil(2 * fps))}`],
    ...(caps.isBayer ? ["!", "bayer2rgb"] : []),
    ...["!", "videoscale", "!", `video/x-raw,width=${width},height=${height}`],
    ...["!", "videoconvert", "!", "jpegenc", "!", "fdsink", "fd=1", "sync=false"],
  ];
}

function source({ camera, packetSize, packetDelay }: GigeAddress): string[] {
  return [
    ...["aravissrc", `name=${ELEMENT}`],
    ...(camera === "" ? [] : [`camera-name=${camera}`]),
    ...(packetSize === undefined ? [] : [`packet-size=${packetSize}`]),
    ...(packetDelay === undefined ? [] : [`packet-delay=${packetDelay}`]),
  ];
}

import { type PictureFormat, readH264, readH265 } from "./parameter-sets.ts";

/** The video of a session description, as far as it is told. */
export interface VideoMedia extends PictureFormat {
  /** Its `a=control`, which may be relative. */
  readonly control: string | undefined;
  /** Payload types, as they stand in the `m=` line. */
  readonly formats: string;
  /** The other `a=` and `b=` lines. */
  readonly lines: readonly string[];
  /** Lower case as ffmpeg names it, such as `h264`, `hevc`, `mjpeg`. */
  readonly codec?: string;
}

export interface SessionDescription {
  /** The session's own `a=control`. */
  readonly control: string | undefined;
  /** The first video; absent where there is none. */
  readonly video: VideoMedia | undefined;
}

const MEDIA = /^m=(\S+) \S+ \S+ (\d{1,3}(?: \d{1,3})*)\s*$/;
const CONTROL = /^a=control:\s*(\S+)/i;
/** Keys for encrypted packets, which are not asked for. */
const LEFT_OUT = /^a=(?:control|crypto|key-mgmt)\b/i;
/** Printable characters of Latin-1 only: the rest is no business of the decoder. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f]/;

const CODECS: Readonly<Record<string, string>> = {
  h265: "hevc",
  jpeg: "mjpeg",
  "mp4v-es": "mpeg4",
  "h263-1998": "h263",
  "h263-2000": "h263",
  mpv: "mpeg2video",
};
/** Payload types that need no `a=rtpmap` (RFC 3551, table 5). */
const STATIC_CODECS: Readonly<Record<string, string>> = { 26: "mjpeg", 31: "h261", 32: "mpeg2video", 34: "h263" };

/** Reads a session description (RFC 8866) as far as it concerns video; what cannot be read is left out. */
export function parseSdp(text: string): SessionDescription {
  const sections: string[][] = [[]];
  for (const line of text.split(/\r\n|\r|\n/)) {
    if (UNPRINTABLE.test(line)) continue;
    if (line.startsWith("m=")) sections.push([]);
    sections.at(-1)?.push(line);
  }
  const [session = [], ...media] = sections;
  const video = media.map(parseVideo).find((found) => found !== undefined);
  return { control: controlOf(session), video };
}

/**
 * A description of nothing but this video, for a decoder.
 * @param control the URL that the decoder sets up
 */
export function writeSdp({ formats, lines }: VideoMedia, control: string): string {
  return [
    "v=0",
    "o=- 0 0 IN IP4 127.0.0.1",
    "s=-",
    "c=IN IP4 127.0.0.1",
    "t=0 0",
    `m=video 0 RTP/AVP ${formats}`,
    ...lines,
    `a=control:${control}`,
    "",
  ].join("\r\n");
}

/** The URL of a control attribute: cameras mean by a relative one that it is appended (RFC 2326, C.1.1). */
export function resolveControl(base: string, control: string | undefined): string {
  if (control === undefined || control === "*") return base;
  if (/^rtsps?:\/\//i.test(control)) return control;
  return `${base.replace(/\/$/, "")}/${control.replace(/^\//, "")}`;
}

function parseVideo([mediaLine = "", ...rest]: string[]): VideoMedia | undefined {
  const [, kind, formats = ""] = MEDIA.exec(mediaLine) ?? [];
  if (kind !== "video") return undefined;
  const lines = rest.filter((line) => /^[ab]=/.test(line) && !LEFT_OUT.test(line));
  const [payloadType = ""] = formats.split(" ");
  const codec = codecOf(lines, payloadType);
  return {
    control: controlOf(rest),
    formats,
    lines,
    ...(codec && { codec }),
    ...parameterSetsOf(lines, codec),
    ...toldFormat(lines),
  };
}

function controlOf(lines: readonly string[]): string | undefined {
  return firstMatch(lines, CONTROL)?.[1];
}

function codecOf(lines: readonly string[], payloadType: string): string | undefined {
  const name = firstMatch(lines, new RegExp(`^a=rtpmap:\\s*${payloadType}\\s+([\\w.-]+)`, "i"))?.[1]?.toLowerCase();
  return name === undefined ? STATIC_CODECS[payloadType] : (CODECS[name] ?? name);
}

function parameterSetsOf(lines: readonly string[], codec: string | undefined): PictureFormat {
  const decode = (text = "") => Buffer.from(text, "base64");
  if (codec === "h264") {
    const sets = firstMatch(lines, /^a=fmtp:.*?\bsprop-parameter-sets\s*=\s*"?([\w+/=,]+)/i)?.[1]?.split(",") ?? [];
    return sets.map(decode).map(readH264).find(hasSize) ?? {};
  }
  if (codec === "hevc") {
    return readH265(decode(firstMatch(lines, /^a=fmtp:.*?\bsprop-sps\s*=\s*"?([\w+/=]+)/i)?.[1]));
  }
  return {};
}

/** Size and rate where the camera writes them down: RFC 6064, 3GPP's framesize, and a habit of some cameras. */
function toldFormat(lines: readonly string[]): PictureFormat {
  const [, width, height] =
    firstMatch(lines, /^a=framesize:\s*\d+\s+(\d{2,5})-(\d{2,5})/i) ??
    firstMatch(lines, /^a=x-dimensions:\s*(\d{2,5})\s*,\s*(\d{2,5})/i) ??
    [];
  const fps = Number(firstMatch(lines, /^a=(?:x-)?framerate:\s*(\d+(?:\.\d+)?)/i)?.[1]);
  return {
    ...(width && height && { width: Number(width), height: Number(height) }),
    ...(fps > 0 && { fps }),
  };
}

function hasSize({ width }: PictureFormat): boolean {
  return width !== undefined;
}

function firstMatch(lines: readonly string[], pattern: RegExp): RegExpExecArray | undefined {
  for (const line of lines) {
    const match = pattern.exec(line);
    if (match) return match;
  }
  return undefined;
}

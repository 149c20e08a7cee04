import type { FfmpegInput } from "../camera/protocols/protocol.ts";
import { CctvError } from "../errors.ts";
import { type FfmpegVersion, isAtLeast } from "./ffmpeg-binary.ts";

/** What the analysis wants of a stream; ffmpeg is asked for no more than this. */
export interface Analysis {
  /** Pictures a second, at most. */
  readonly fps: number;
  /** Pixels of a picture's longer side, at most; smaller pictures are not enlarged. */
  readonly longSide: number;
  /** Decode key frames only: a third of the work or less, at the camera's own key frame rate. */
  readonly keyframesOnly?: boolean | undefined;
}

export interface FfmpegCommand {
  readonly args: readonly string[];
  /** What to write to standard input, if anything. It holds the address and the credentials, which the process list must not show. */
  readonly script: string;
}

/**
 * Writes the command for ffmpeg 5.1 and newer: packed RGB pictures of any size on standard output,
 * and for each a line on standard error with its size and time, see picture-assembler.ts.
 *
 * The times are milliseconds: since the epoch where `takesArrivalTimes`, else from the start of the input.
 *
 * @throws CctvError SETTING_INVALID
 */
export function ffmpegCommand(version: FfmpegVersion, input: FfmpegInput, analysis: Analysis): FfmpegCommand {
  const opening = open(input);
  const args = [
    ...["-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+info"],
    ...(takesArrivalTimes(input) ? ["-use_wallclock_as_timestamps", "1", "-copyts"] : realTime(version)),
    ...(input.loop ? ["-stream_loop", "-1"] : []),
    ...(analysis.keyframesOnly ? ["-skip_frame", "nokey"] : []),
    // One thread on each side: more of them hold back whole pictures.
    ...["-threads", "1"],
    ...["-protocol_whitelist", ["pipe", ...input.protocols].join(",")],
    ...opening.args,
    ...["-an", "-sn", "-dn", "-threads", "1", "-vf", filters(analysis), "-fps_mode", "passthrough"],
    // Else ffmpeg would stretch the pictures of a camera that changes its size to the size it had first.
    "-noautoscale",
    ...["-c:v", "rawvideo", "-f", "rawvideo", "pipe:1"],
  ];
  return { args, script: opening.script };
}

/** Whether the time of a picture is that of its arrival, instead of one that the input itself tells. */
export function takesArrivalTimes({ live, segmented }: FfmpegInput): boolean {
  return live && !segmented;
}

/** The demuxer of an input and what it opens: an address by a script on standard input, a device by its name. */
function open(input: FfmpegInput): FfmpegCommand {
  const { demuxer, url } = input;
  if (demuxer === undefined) {
    // Packets pass as they are, so that a damaged one is the decoder's to skip and not the end of the input.
    const args = ["-f", "concat", "-safe", "0", "-auto_convert", "0", "-i", "pipe:0"];
    return { args, script: concatScript(input) };
  }
  const options = Object.entries(input.options).flatMap(([name, value]) => [`-${name}`, value]);
  if (demuxer === "hls") return { args: ["-f", demuxer, ...options, "-i", "pipe:0"], script: masterPlaylist(url) };
  return { args: ["-f", demuxer, ...options, "-i", url], script: "" };
}

/** From 6.1 on ffmpeg would rush through the first half second, and takes 0 for no answer. */
function realTime(version: FfmpegVersion): string[] {
  return isAtLeast(version, { major: 6, minor: 1 }) ? ["-re", "-readrate_initial_burst", "0.001"] : ["-re"];
}

/** ffmpeg's concat script, https://ffmpeg.org/ffmpeg-formats.html#concat-1, with one entry. */
function concatScript({ url, options }: FfmpegInput): string {
  const lines = Object.entries(options).map(([name, value]) => `option ${name} ${quote(value)}`);
  return ["ffconcat version 1.0", `file ${quote(url)}`, ...lines, ""].join("\n");
}

/**
 * A master playlist (RFC 8216, 4.3.4) with one variant. In a concat script ffmpeg would take a
 * discontinuity, after which the times begin anew, for a gap.
 */
function masterPlaylist(url: string): string {
  return ["#EXTM3U", "#EXT-X-STREAM-INF:BANDWIDTH=1", url, ""].join("\n");
}

/** https://ffmpeg.org/ffmpeg-utils.html#Quoting-and-escaping: all is literal between quotes but the quote itself. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** The nearest even number; of an odd one the smaller, so that nothing is enlarged. */
function nearestEven(expression: string): string {
  return `2*max(1,floor(${expression}/2+0.25))`;
}

function filters({ fps, longSide }: Analysis): string {
  if (!(Number.isFinite(fps) && fps > 0)) {
    throw new CctvError("SETTING_INVALID", `pictures a second must be a number above 0, got ${fps}`);
  }
  if (!(Number.isInteger(longSide) && longSide >= 16)) {
    throw new CctvError(
      "SETTING_INVALID",
      `the longer side must be a whole number of at least 16 pixels, got ${longSide}`,
    );
  }
  const side = longSide - (longSide % 2);
  const factor = `min(1,${side}/max(iw*sar,ih))`;
  const width = nearestEven(`iw*sar*${factor}`);
  const height = nearestEven(`ih*${factor}`);
  return [
    // The first picture of each 1/fps of a second. Unlike a least distance this averages to fps at every
    // camera rate, and it holds when the clock jumps back.
    `select='not(eq(floor(t*${fps}),floor(prev_selected_t*${fps})))'`,
    `scale=w='${width}':h='${height}':flags=fast_bilinear`,
    "format=rgb24",
    "settb=1/1000",
    // Cameras attach data to pictures that showinfo would print in full.
    "sidedata=mode=delete",
    "showinfo=checksum=0",
  ].join(",");
}

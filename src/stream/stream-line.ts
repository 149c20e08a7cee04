/** What ffmpeg says of the video that it opened; each field only where it says so. */
export interface StreamLine {
  /** In lower case as ffmpeg names it, such as `h264`. */
  readonly codec: string;
  /** Pixels. */
  readonly width?: number;
  readonly height?: number;
  /** Pictures a second. */
  readonly fps?: number;
}

const VIDEO = /\bStream #\d+:\d+.*?: Video: (\w+)/;
const SIZE = /, (\d{1,5})x(\d{1,5})\b/;
const RATE = /, (\d+(?:\.\d+)?) fps\b/;

/** Reads a line such as `Stream #0:0: Video: h264 (Main), yuv420p, 640x360 [SAR 1:1 DAR 16:9], 15 fps, …`. */
export function readStreamLine(line: string): StreamLine | undefined {
  const [, codec] = VIDEO.exec(line) ?? [];
  if (codec === undefined) return undefined;
  const [, width, height] = SIZE.exec(line) ?? [];
  const fps = Number(RATE.exec(line)?.[1]);
  return {
    codec,
    ...(width && height && { width: Number(width), height: Number(height) }),
    ...(fps > 0 && { fps }),
  };
}

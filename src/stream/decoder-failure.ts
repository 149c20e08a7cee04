import type { FfmpegInput } from "../camera/protocols/protocol.ts";
import { CctvError, type ErrorCode } from "../errors.ts";

/** How a decoder process ended, without having been told to. */
export interface DecoderExit {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last lines of its standard error, masked. */
  readonly lines: readonly string[];
  /** How many pictures it gave. */
  readonly pictures: number;
}

type Explanation = readonly [pattern: RegExp, code: ErrorCode, sentence: (match: RegExpExecArray) => string];

const LONG_WAIT = "the next try waits a minute or more, so that the camera does not lock the account";

/**
 * Says why a decoder ended; undefined where it just came to the end of a file.
 *
 * Wordings are those of FFmpeg 5.1 and 7.0. What an address may hold of secrets has been masked before.
 */
export function explainExit(exit: DecoderExit, input: FfmpegInput): CctvError | undefined {
  if (exit.pictures > 0) return explainAfterPictures(exit, input);
  const table = input.live || input.endpoint ? cameraExplanations(input) : fileExplanations(input);
  const text = exit.lines.join("\n");
  for (const [pattern, code, sentence] of table) {
    const match = pattern.exec(text);
    if (match) return new CctvError(code, sentence(match));
  }
  if (exit.exitCode === 0) return explainNoPictures(input);
  return new CctvError("DECODER_FAILED", `ffmpeg gave up on ${input.display}: ${lastWords(exit)}`);
}

/** A file may end in errors, when it was cut short; its pictures up to there are good, so that is its end. */
function explainAfterPictures(exit: DecoderExit, input: FfmpegInput): CctvError | undefined {
  if (input.live) {
    return new CctvError(
      "STREAM_LOST",
      `the stream of ${input.display} broke off; it is opened again as soon as the camera answers`,
    );
  }
  if (exit.signal === null) return undefined;
  return new CctvError("DECODER_FAILED", `ffmpeg was stopped by ${exit.signal} while it played ${input.display}`);
}

function explainNoPictures({ live, display }: FfmpegInput): CctvError {
  return live
    ? new CctvError("STREAM_LOST", `${display} ended its stream before the first picture; it is opened again`)
    : new CctvError("FILE_NOT_VIDEO", `${display} holds no picture; choose another file`);
}

function lastWords({ exitCode, signal, lines }: DecoderExit): string {
  return lines.at(-1) ?? (signal ? `it was stopped by ${signal}` : `it ended with status ${exitCode}`);
}

function cameraExplanations({ display, credentials }: FfmpegInput): Explanation[] {
  const unauthorized = credentials
    ? `${display} does not accept this user name and password; correct them, ${LONG_WAIT}`
    : `${display} asks for a user name and password; enter them`;
  return [
    [/\b401 Unauthorized/, "CAMERA_AUTH_FAILED", () => unauthorized],
    [
      /\b403 Forbidden/,
      "CAMERA_AUTH_FAILED",
      () => `${display} forbids this stream to this user; give the account the right to view it, ${LONG_WAIT}`,
    ],
    [
      /Server returned 404/,
      "CAMERA_NOT_FOUND",
      () => `the camera answers, but has no stream at ${display}; check the path and the channel`,
    ],
    [
      /Server returned ([345]\d\d [^\n]*)/,
      "CAMERA_REFUSED",
      (match) => `${display} answered "${match[1]}"; it may have too many viewers, or need a restart`,
    ],
    [
      /Connection refused/,
      "CAMERA_REFUSED",
      () => `nothing listens at ${display}; check the port, and whether the camera is running`,
    ],
    [
      /Failed to resolve hostname/,
      "CAMERA_UNREACHABLE",
      () => `the host name of ${display} is unknown; check its spelling or use the IP address`,
    ],
    [
      /No route to host|Network is unreachable|timed out/,
      "CAMERA_UNREACHABLE",
      () => `${display} cannot be reached; check the cable, the address and the network`,
    ],
    [
      /Device or resource busy|device already in use/,
      "CAMERA_REFUSED",
      () => `${display} is in use by another program; close that one`,
    ],
    [
      /Inappropriate ioctl|Not a video capture device|[Vv]ideo device not found|Could not find video device/,
      "CAMERA_DEVICE_MISSING",
      () => `there is no capture device ${display}; check its number or name, and whether it is plugged in`,
    ],
    [
      /does not contain any stream/,
      "CAMERA_NOT_FOUND",
      () => `${display} sends no video; check the path and the channel`,
    ],
    [
      /Impossible to open|Invalid data found|Input\/output error/,
      "CAMERA_REFUSED",
      () => `${display} takes the connection but gives no proper answer; check the port and the kind of the camera`,
    ],
  ];
}

function fileExplanations({ display }: FfmpegInput): Explanation[] {
  const notVideo = () => `${display} is no video that ffmpeg can read; choose another file`;
  return [
    [/No such file or directory/, "FILE_NOT_FOUND", () => `the file ${display} does not exist; check the path`],
    [
      /Permission denied/,
      "FILE_NOT_FOUND",
      () => `the file ${display} may not be opened by this process; change its permissions`,
    ],
    [/detected only with low score/, "FILE_NOT_VIDEO", notVideo],
    [
      /moov atom not found/,
      "FILE_NOT_VIDEO",
      () => `${display} has no index (moov atom): it was cut short, copy or record it again`,
    ],
    [/does not contain any stream/, "FILE_NOT_VIDEO", () => `${display} has no video track; choose another file`],
    [
      /(?:Decoder|decoder) \(codec ([^)]*)\) not found/,
      "DECODER_FAILED",
      (match) => `this ffmpeg cannot decode ${match[1]}, the format of ${display}; install a full build`,
    ],
    [/Invalid data found|Is a directory/, "FILE_NOT_VIDEO", notVideo],
  ];
}

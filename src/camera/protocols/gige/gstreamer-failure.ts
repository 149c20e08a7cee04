import { CctvError } from "../../../errors.ts";

/** The Debian package of each element that a pipeline takes. */
const PACKAGES: Readonly<Record<string, string>> = {
  aravissrc: "libaravis-0.8-0",
  bayer2rgb: "gstreamer1.0-plugins-bad",
  jpegenc: "gstreamer1.0-plugins-good",
  videoconvert: "gstreamer1.0-plugins-base",
  videorate: "gstreamer1.0-plugins-base",
  videoscale: "gstreamer1.0-plugins-base",
};

const INSTALL =
  "on Debian and Ubuntu run: apt install gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad libaravis-0.8-0; elsewhere install GStreamer 1.20 or newer with its command-line tools and Aravis 0.8 with its GStreamer plugin, so that gst-inspect-1.0 aravissrc prints a description";

const MISSING_ELEMENT = /no element "([\w-]+)"/;
const ERROR = /^(?:ERROR: from element \S+|WARNING: erroneous pipeline): (.+)$/;
const SEEN_DEVICE = /Device '([^']+)' found/;

/** Whether a line of gst-launch-1.0 says that the pipeline is over. */
export function isEnd(line: string): boolean {
  return line.startsWith("ERROR:") || line.startsWith("WARNING: erroneous pipeline");
}

/** The cameras that aravis found, out of its debug lines for `ARV_DEBUG=interface:3`. */
export function seenCameras(lines: readonly string[]): string[] {
  return [...new Set(lines.flatMap((line) => SEEN_DEVICE.exec(line)?.[1] ?? []))];
}

/** Whether the camera is there but has no pixels of the kind that was asked for. */
export function isNotNegotiated(lines: readonly string[]): boolean {
  // What the camera refuses for another reason is not negotiated either.
  const isRefused = lines.some((line) => line.includes("Could not set caps"));
  return !isRefused && lines.some((line) => line.includes("not-negotiated"));
}

export function isNotFound(lines: readonly string[]): boolean {
  return lines.some((line) => line.includes("Could not find camera"));
}

/** gst-launch-1.0 itself is not there. */
export function explainNoGStreamer(cause: Error): CctvError {
  return new CctvError(
    "CAMERA_RUNTIME_MISSING",
    `GStreamer's gst-launch-1.0, which receives GigE Vision, is not on this machine: ${INSTALL}`,
    { cause },
  );
}

/**
 * Why gst-launch-1.0 ended.
 * @param lines what it printed, in English.
 */
export function explainGStreamer(lines: readonly string[], display: string): CctvError {
  const missing = lines.map((line) => MISSING_ELEMENT.exec(line)?.[1]).find((element) => element !== undefined);
  if (missing !== undefined) {
    const where = PACKAGES[missing] ? ` (Debian: ${PACKAGES[missing]})` : "";
    return new CctvError(
      "CAMERA_RUNTIME_MISSING",
      `GStreamer has no element "${missing}"${where}, which GigE Vision takes: ${INSTALL}`,
    );
  }
  if (isNotFound(lines)) return explainNotFound(seenCameras(lines), display);
  if (lines.some((line) => /privilege|access[- ]denied/i.test(line))) {
    return new CctvError(
      "CAMERA_REFUSED",
      `${display} is in the hands of another program; such a camera serves one at a time: close the other, or wait some seconds after it has crashed`,
    );
  }
  const words = lines.map((line) => ERROR.exec(line)?.[1]).find((text) => text !== undefined);
  return new CctvError(
    "STREAM_LOST",
    words === undefined || words.startsWith("Internal data stream error")
      ? `${display} sends no more pictures; it is opened again`
      : `${display} gives no pictures (${words.replace(/[.;]$/, "")}); it is opened again`,
  );
}

/** The camera has neither Bayer nor raw pixels that can be read, or not of that size or rate. */
export function explainNoFormat(display: string): CctvError {
  return new CctvError(
    "CAMERA_UNSUPPORTED",
    `${display} has no pixel format that can be read in the size and rate asked for; take width, height and fps out of the address, and set an 8-bit Bayer, Mono8 or RGB8 format with the maker's tool`,
  );
}

function explainNotFound(seen: readonly string[], display: string): CctvError {
  const found =
    seen.length === 0
      ? "none was found; check the cable, and that the camera has an address of this machine's network"
      : `found were ${seen.map((name) => `"${name}"`).join(", ")}: enter one of these`;
  return new CctvError("CAMERA_NOT_FOUND", `no GigE Vision camera answers to ${display}; ${found}`);
}

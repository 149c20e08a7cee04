import { createInterface } from "node:readline";
import { readParts } from "../../http/multipart.ts";
import type { CameraConfig, JpegInput, Protocol } from "../protocol.ts";
import { displayOf, type GigeAddress, readGigeAddress } from "./gige-address.ts";
import { GstLaunch } from "./gst-launch.ts";
import { explainGStreamer, explainNoFormat, isNotFound, isNotNegotiated, seenCameras } from "./gstreamer-failure.ts";
import { lookArguments, PIXELS, readCaps, type SourceCaps, streamArguments, type Wanted } from "./pipeline.ts";

export interface GigeSurroundings {
  /** GStreamer's gst-launch-1.0. */
  readonly program?: string;
}

/** A camera that waits for a trigger sends no picture to end the look. */
const FIRST_PICTURE_MS = 3_000;

/**
 * GenICam cameras on GigE Vision (also on USB3 Vision, where Aravis sees them), received by GStreamer's
 * aravissrc in a process of its own, which the user installs.
 */
export function createGigeProtocol({ program = "gst-launch-1.0" }: GigeSurroundings = {}): Protocol<JpegInput> {
  return {
    name: "gige",
    schemes: ["gige"],
    fields: [],

    async resolve(config: CameraConfig): Promise<JpegInput> {
      const address = readGigeAddress(config.address);
      const longSide = config.longSide ?? Number.POSITIVE_INFINITY;
      return {
        kind: "jpeg",
        display: displayOf(address),
        live: true,
        loop: false,
        jpegs: (fps, signal) => receive(program, address, { fps, longSide }, signal),
      };
    },
  };
}

export const gigeProtocol = createGigeProtocol();

interface Sight {
  /** The address under which the camera answers. */
  readonly address: GigeAddress;
  readonly caps: SourceCaps;
}

async function* receive(
  program: string,
  address: GigeAddress,
  wanted: Wanted,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void> {
  const sight = await look(program, address, signal);
  if (!sight) return;
  const parameters = streamArguments(sight.address, sight.caps, wanted);
  const launch = new GstLaunch(program, parameters);
  const release = closeOnAbort(launch, signal);
  try {
    for await (const { body } of readParts(launch.output)) yield body;
    await launch.ended;
    if (!signal.aborted) throw explainGStreamer(launch.lines, displayOf(address));
  } finally {
    release();
    await launch.close();
  }
}

/** Finds out what the camera sends; undefined where the signal aborted meanwhile. */
async function look(program: string, address: GigeAddress, signal: AbortSignal): Promise<Sight | undefined> {
  for (const pixels of PIXELS) {
    if (signal.aborted) return undefined;
    const { caps, lines } = await readFirstCaps(program, lookArguments(address, pixels), signal);
    if (signal.aborted) return undefined;
    if (caps) return { address, caps };
    const fullName = isNotFound(lines) ? nameBySerial(address.camera, seenCameras(lines)) : undefined;
    if (fullName) return look(program, { ...address, camera: fullName }, signal);
    if (!isNotNegotiated(lines)) throw explainGStreamer(lines, displayOf(address));
  }
  throw explainNoFormat(displayOf(address));
}

async function readFirstCaps(
  program: string,
  parameters: readonly string[],
  signal: AbortSignal,
): Promise<{ caps: SourceCaps | undefined; lines: readonly string[] }> {
  const launch = new GstLaunch(program, parameters);
  const release = closeOnAbort(launch, signal);
  let caps: SourceCaps | undefined;
  let patience: NodeJS.Timeout | undefined;
  try {
    for await (const line of createInterface({ input: launch.output })) {
      caps ??= readCaps(line);
      // It ends with the first picture, and gives the camera back.
      if (caps) patience ??= setTimeout(() => void launch.close(), FIRST_PICTURE_MS);
    }
    await launch.ended;
    return { caps, lines: launch.lines };
  } finally {
    clearTimeout(patience);
    release();
    await launch.close();
  }
}

/** Aravis knows a camera as `Maker-serial`, people by the serial number alone. */
function nameBySerial(serial: string, seen: readonly string[]): string | undefined {
  const fitting = seen.filter((name) => name.endsWith(`-${serial}`));
  return fitting.length === 1 ? fitting[0] : undefined;
}

function closeOnAbort(launch: GstLaunch, signal: AbortSignal): () => void {
  const stop = () => void launch.close();
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  return () => signal.removeEventListener("abort", stop);
}

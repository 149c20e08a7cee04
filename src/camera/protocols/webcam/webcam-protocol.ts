import { constants } from "node:fs";
import { access, readdir, readFile } from "node:fs/promises";
import { CctvError } from "../../../errors.ts";
import type { CameraConfig, FfmpegInput, Protocol } from "../protocol.ts";
import { type CapturePlatform, capturePlatforms, type KnownDevice, listed, readDevice } from "./capture-device.ts";

export interface WebcamSurroundings {
  readonly platform?: string;
  /** The input of each operating system. */
  readonly platforms?: Readonly<Record<string, CapturePlatform>>;
  /** Where device files lie. */
  readonly devices?: string;
  /** Where the kernel tells the devices' names. */
  readonly names?: string;
}

/** Webcams, capture cards and analog converters, as the operating system offers them. */
export function createWebcamProtocol({
  platform = process.platform,
  platforms = capturePlatforms,
  devices = "/dev",
  names = "/sys/class/video4linux",
}: WebcamSurroundings = {}): Protocol<FfmpegInput> {
  return {
    name: "webcam",
    schemes: ["webcam"],
    fields: [],

    matches: (address) => /^(?:\d{1,3}|\/dev\/(?:video|v4l\/).*)$/.test(address.trim()),

    async resolve(config: CameraConfig): Promise<FfmpegInput> {
      const reference = readDevice(config.address);
      const toInput = platforms[platform];
      if (!toInput) {
        throw new CctvError(
          "SETTING_INVALID",
          `capture devices are supported on Linux, macOS and Windows, and this is ${platform}; use a network camera`,
        );
      }
      const known = await listDevices(devices, names);
      const { demuxer, device, options } = toInput(reference, known);
      if (demuxer === "v4l2") await checkDevice(device, known);
      return { url: device, display: device, options, protocols: [], live: true, loop: false, demuxer };
    },
  };
}

export const webcamProtocol = createWebcamProtocol();

/** The video devices of a Linux machine, by number; none elsewhere. */
async function listDevices(devices: string, names: string): Promise<KnownDevice[]> {
  const files = await readdir(devices).catch(() => []);
  const videos = files.filter((file) => /^video\d+$/.test(file));
  const sorted = videos.sort((a, b) => Number(a.slice("video".length)) - Number(b.slice("video".length)));
  return Promise.all(
    sorted.map(async (file) => {
      const name = await readFile(`${names}/${file}/name`, "utf8").catch(() => "no name");
      return { path: `${devices}/${file}`, name: name.trim() };
    }),
  );
}

async function checkDevice(path: string, known: readonly KnownDevice[]): Promise<void> {
  await access(path, constants.R_OK | constants.W_OK).catch((error: NodeJS.ErrnoException) => {
    const message =
      error.code === "EACCES" || error.code === "EPERM"
        ? `${path} may not be opened by this process; add its user to the group video and start it again`
        : `there is no capture device ${path}; ${listed(known)}`;
    throw new CctvError("CAMERA_DEVICE_MISSING", message, { cause: error });
  });
}

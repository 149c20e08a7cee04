import { CctvError } from "../../../errors.ts";

/** How the user names a device: by its number, by a path of the system, or by what it calls itself. */
export type DeviceReference =
  | { readonly kind: "number"; readonly number: number }
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "name"; readonly name: string };

/** A device in ffmpeg's words, https://ffmpeg.org/ffmpeg-devices.html. */
export interface CaptureInput {
  readonly demuxer: string;
  /** What follows `-i`. */
  readonly device: string;
  readonly options: Readonly<Record<string, string>>;
}

/** A capture device that the system knows. */
export interface KnownDevice {
  readonly path: string;
  readonly name: string;
}

/** Writes the input for one operating system; `known` are the devices that it lists, where it lists any. */
export type CapturePlatform = (reference: DeviceReference, known: readonly KnownDevice[]) => CaptureInput;

/** Reads `0`, `/dev/video0`, `webcam:0`, `webcam:/dev/video0` or `webcam:HD Webcam`. */
export function readDevice(address: string): DeviceReference {
  const text = address
    .trim()
    .replace(/^webcam:(?:\/\/)?/i, "")
    .trim();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (text === "" || /[\u0000-\u001f\u007f]/.test(text)) {
    throw new CctvError(
      "ADDRESS_INVALID",
      "the capture device has no name; enter its number, such as 0, its path, such as /dev/video0, or its name",
    );
  }
  if (/^\d{1,3}$/.test(text)) return { kind: "number", number: Number(text) };
  if (text.startsWith("/")) return { kind: "path", path: text };
  return { kind: "name", name: text };
}

/** The inputs by operating system, as `process.platform` names it. */
export const capturePlatforms: Readonly<Record<string, CapturePlatform>> = {
  linux: video4Linux,
  darwin: avFoundation,
  win32: directShow,
};

function video4Linux(reference: DeviceReference, known: readonly KnownDevice[]): CaptureInput {
  return { demuxer: "v4l2", device: video4LinuxPath(reference, known), options: {} };
}

function video4LinuxPath(reference: DeviceReference, known: readonly KnownDevice[]): string {
  if (reference.kind === "number") return `/dev/video${reference.number}`;
  if (reference.kind === "path") return reference.path;
  const wanted = reference.name.toLowerCase();
  const found =
    known.find(({ name }) => name.toLowerCase() === wanted) ??
    known.find(({ name }) => name.toLowerCase().includes(wanted));
  if (found) return found.path;
  throw new CctvError("CAMERA_DEVICE_MISSING", `no capture device is called "${reference.name}"; ${listed(known)}`);
}

function avFoundation(reference: DeviceReference): CaptureInput {
  if (reference.kind === "path") throw noPaths(reference.path, "macOS", "0 or FaceTime HD Camera");
  const video = reference.kind === "number" ? String(reference.number) : reference.name;
  // Without a rate ffmpeg asks for 29.97 pictures a second, which Apple's own cameras refuse.
  return { demuxer: "avfoundation", device: `${video}:none`, options: { framerate: "30" } };
}

function directShow(reference: DeviceReference): CaptureInput {
  if (reference.kind === "name") return { demuxer: "dshow", device: `video=${reference.name}`, options: {} };
  if (reference.kind === "path") throw noPaths(reference.path, "Windows", "Integrated Camera");
  throw new CctvError(
    "ADDRESS_INVALID",
    "Windows knows cameras by name and not by number; enter the name that its device manager shows, such as Integrated Camera",
  );
}

function noPaths(path: string, system: string, example: string): CctvError {
  return new CctvError("ADDRESS_INVALID", `${system} has no devices like ${path}; write for instance ${example}`);
}

/** What a user can choose from, as the end of a sentence. */
export function listed(known: readonly KnownDevice[]): string {
  if (known.length === 0) return "this machine has none; plug one in, or pass it on to the container";
  return `this machine has ${known.map(({ path, name }) => `${path} (${name})`).join(", ")}`;
}

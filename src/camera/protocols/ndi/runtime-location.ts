import { posix, win32 } from "node:path";
import { CctvError } from "../../../errors.ts";

interface Layout {
  /** File names of the runtime by its major version, as its installer sets `NDI_RUNTIME_DIR_V6` or `_V5`. */
  readonly files: readonly (readonly [variable: string, file: string])[];
  /** Where installers put it, beside where the system looks by itself. */
  readonly folders: (environment: NodeJS.ProcessEnv) => readonly string[];
  readonly join: (...parts: string[]) => string;
  /** What a user has to do, as the end of a sentence. */
  readonly install: string;
}

const LAYOUTS: Readonly<Record<string, Layout>> = {
  linux: {
    files: [
      ["NDI_RUNTIME_DIR_V6", "libndi.so.6"],
      ["NDI_RUNTIME_DIR_V5", "libndi.so.5"],
    ],
    folders: () => ["/usr/lib", "/usr/local/lib"],
    join: posix.join,
    install:
      "download the NDI SDK for Linux from ndi.video, unpack it, and either copy libndi.so.6 of its folder lib/ that is for this processor to /usr/local/lib, or set NDI_RUNTIME_DIR_V6 to that folder for the process of Node-RED; it also takes avahi-daemon and libavahi-client3",
  },
  darwin: {
    files: [
      ["NDI_RUNTIME_DIR_V6", "libndi.dylib"],
      ["NDI_RUNTIME_DIR_V5", "libndi.dylib"],
    ],
    folders: () => ["/usr/local/lib", "/Library/NDI SDK for Apple/lib/macOS"],
    join: posix.join,
    install:
      "install the NDI SDK for Apple or NDI Tools from ndi.video, or set NDI_RUNTIME_DIR_V6 to the folder of libndi.dylib for the process of Node-RED",
  },
  win32: {
    files: [
      ["NDI_RUNTIME_DIR_V6", "Processing.NDI.Lib.x64.dll"],
      ["NDI_RUNTIME_DIR_V5", "Processing.NDI.Lib.x64.dll"],
    ],
    folders: ({ ProgramFiles = "C:\\Program Files" }) => [
      win32.join(ProgramFiles, "NDI", "NDI 6 Runtime", "v6"),
      win32.join(ProgramFiles, "NDI", "NDI 6 Tools", "Runtime"),
      win32.join(ProgramFiles, "NDI", "NDI 5 Runtime", "v5"),
    ],
    join: win32.join,
    install: "install NDI Tools or the NDI Runtime from ndi.video, then start Node-RED again from a new window",
  },
};

/**
 * Where the NDI runtime may lie, the best place first: the folders that its installer names, then the
 * usual places; last its bare name, which the system's own loader searches for.
 */
export function runtimePlaces(platform: string, environment: NodeJS.ProcessEnv): string[] {
  const layout = LAYOUTS[platform];
  if (!layout) return [];
  const named = layout.files.flatMap(([variable, file]) => {
    const folder = environment[variable];
    return folder ? [layout.join(folder, file)] : [];
  });
  const files = [...new Set(layout.files.map(([, file]) => file))];
  const usual = layout.folders(environment).flatMap((folder) => files.map((file) => layout.join(folder, file)));
  return [...named, ...usual, ...files];
}

/** @param broken what the system said of a runtime that is there and cannot be loaded. */
export function explainMissingRuntime(platform: string, broken?: string): CctvError {
  const layout = LAYOUTS[platform];
  if (!layout) {
    return new CctvError(
      "CAMERA_RUNTIME_MISSING",
      `NDI sources can be received on Linux, macOS and Windows, and this is ${platform}; let the sender give RTSP instead`,
    );
  }
  const what = broken
    ? `the NDI runtime is here but cannot be loaded (${broken}); it has to be one for this processor`
    : "the NDI runtime, which may not be bundled, is not on this machine";
  return new CctvError("CAMERA_RUNTIME_MISSING", `${what}: ${layout.install}`);
}

import { stat } from "node:fs/promises";
import { resolve as resolvePath } from "node:path";
import { fileURLToPath } from "node:url";
import { CctvError } from "../../../errors.ts";
import type { CameraConfig, FfmpegInput, Protocol } from "../protocol.ts";

/** A video file, played in real time as if it were a camera, once or again and again. */
export const fileProtocol: Protocol<FfmpegInput> = {
  name: "file",
  schemes: ["file"],
  fields: ["loop"],

  async resolve(config: CameraConfig): Promise<FfmpegInput> {
    const path = toPath(config.address);
    await checkFile(path);
    return {
      url: `file:${path}`,
      display: path,
      options: {},
      protocols: ["file"],
      live: false,
      loop: config.loop ?? false,
    };
  },
};

function toPath(address: string): string {
  if (/[\r\n\0]/.test(address)) {
    throw new CctvError("ADDRESS_INVALID", "a file path cannot contain a line break; rename the file");
  }
  if (!/^file:/i.test(address)) return resolvePath(address);
  try {
    return fileURLToPath(address);
  } catch (error) {
    throw new CctvError(
      "ADDRESS_INVALID",
      `${address} is no valid file URL; write file:///folder/clip.mp4 or the path`,
      {
        cause: error,
      },
    );
  }
}

/** ffmpeg says of nearly everything "Invalid data"; what the file system knows is worth its own message. */
async function checkFile(path: string): Promise<void> {
  const file = await stat(path).catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === "EACCES" ? "may not be opened by this process" : "does not exist";
    throw new CctvError("FILE_NOT_FOUND", `the file ${path} ${reason}; check the path`, { cause: error });
  });
  if (file.isDirectory()) {
    throw new CctvError("FILE_NOT_VIDEO", `${path} is a folder; choose a video file in it`);
  }
  if (file.isFile() && file.size === 0) {
    throw new CctvError("FILE_EMPTY", `the file ${path} is empty; was its copy or download cut off?`);
  }
}

import { type FileHandle, open } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { CctvError } from "../errors.ts";
import { readOnnxMetadata } from "./onnx-metadata.ts";

const BUNDLED_NAME = "movenet";
const BUNDLED_FILE = fileURLToPath(new URL("../../../models/movenet-multipose.onnx", import.meta.url));

/** The absolute path of a model: the bundled one for "" and "movenet"; a relative path starts at the working directory. */
export function modelPath(model: string | undefined): string {
  if (!model || model === BUNDLED_NAME) return BUNDLED_FILE;
  return resolve(model);
}

/** What people call a model: its file name without the ending. */
export function modelName(path: string): string {
  return basename(path).replace(/\.onnx$/i, "");
}

/**
 * Checks that a file is a whole ONNX file and reads its metadata.
 * @throws CctvError MODEL_NOT_FOUND or MODEL_UNREADABLE
 */
export async function readModelMetadata(path: string): Promise<Map<string, string>> {
  const file = await openModel(path);
  try {
    const { size } = await file.stat();
    const read = async (position: number, length: number) => {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
      return buffer.subarray(0, bytesRead);
    };
    return await readOnnxMetadata(read, size);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CctvError(
      "MODEL_UNREADABLE",
      `the model ${path} cannot be read: ${reason}. Copy or export the .onnx file again`,
      { cause: error },
    );
  } finally {
    await file.close();
  }
}

async function openModel(path: string): Promise<FileHandle> {
  try {
    return await open(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") throw notFound(path, error);
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new CctvError("MODEL_UNREADABLE", `the model ${path} cannot be opened (${reason}); check its permissions`, {
      cause: error,
    });
  }
}

function notFound(path: string, cause: unknown): CctvError {
  const hint =
    path === BUNDLED_FILE
      ? "install this package again, or run `npm run build` in a clone of its repository"
      : "check the path; a relative one starts at the directory that the process was started in";
  return new CctvError("MODEL_NOT_FOUND", `there is no model at ${path}; ${hint}`, { cause });
}

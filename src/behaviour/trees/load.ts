import { open } from "node:fs/promises";
import { asCctvError, CctvError } from "../../errors.ts";
import type { BoostedTrees } from "./boosted-trees.ts";
import { readJson } from "./json.ts";
import { MAX_BYTES } from "./limits.ts";
import { modelOf } from "./model.ts";
import { invalid, tooLarge, unsupported } from "./refusals.ts";
import { readUbjson } from "./ubjson.ts";

const JSON_START = /^\s*(?:\[|\{\s*["}])/;

/** What XGBoost, Python and others save that is not a model document, by its first bytes. */
const FOREIGN: readonly (readonly [start: string, name: string])[] = [
  ["binf", "XGBoost's old binary format"],
  ["bs64", "XGBoost's old binary format"],
  ["\x80", "a Python pickle"],
  ["PK", "a zip archive"],
  ["\x1f\x8b", "compressed with gzip"],
  ["booster[", "a text dump (dump_model)"],
];

/**
 * Loads an XGBoost model that was saved as JSON or UBJSON by any version from 1.0 to 3.x.
 *
 * @throws CctvError TREES_NOT_FOUND, TREES_TOO_LARGE (beyond 32 MB), TREES_INVALID, TREES_UNSUPPORTED
 */
export async function loadTrees(path: string): Promise<BoostedTrees> {
  try {
    return parseTrees(await readBounded(path));
  } catch (error) {
    const { code, message } = asCctvError(error, "TREES_INVALID");
    throw new CctvError(code, path === "" ? message : `${path}: ${message}`, { cause: error });
  }
}

/** As `loadTrees`, from the bytes of the file. */
export function parseTrees(bytes: Uint8Array): BoostedTrees {
  if (bytes.length > MAX_BYTES) throw tooLarge(`it has ${bytes.length} bytes, at most ${MAX_BYTES} are read`);
  if (bytes.length === 0) throw invalid("it is empty");
  const start = Buffer.from(bytes.subarray(0, 64))
    .toString("latin1")
    .replace(/^\xef\xbb\xbf/, "");
  if (JSON_START.test(start)) return modelOf(readJson(bytes));
  if (start.startsWith("{")) return modelOf(readUbjson(bytes));
  const foreign = FOREIGN.find(([signature]) => start.startsWith(signature));
  if (foreign) throw unsupported(`it is ${foreign[1]}`);
  throw invalid("it is neither JSON nor UBJSON");
}

async function readBounded(path: string): Promise<Uint8Array> {
  if (path === "") throw new CctvError("TREES_NOT_FOUND", "no model file is named; give the path of one");
  const file = await open(path, "r").catch((error: unknown) => {
    throw new CctvError("TREES_NOT_FOUND", "this model file cannot be read; check the path and its permissions", {
      cause: error,
    });
  });
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new CctvError("TREES_NOT_FOUND", "this is no file; give the path of a model file");
    if (stat.size > MAX_BYTES) throw tooLarge(`it has ${stat.size} bytes, at most ${MAX_BYTES} are read`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

import { hkdfSync, randomBytes } from "node:crypto";
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { CctvError } from "../errors.ts";
import { storeFailure } from "./store-failure.ts";

const KEY_BYTES = 32;
const PURPOSE = "node-red-cctv camera passwords";
const KEY_TEXT = /^[0-9a-f]{64}$/;

/** The key of the camera passwords out of a secret that has other uses too, by HKDF with SHA-256 (RFC 5869). */
export function deriveStoreKey(secret: string): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", secret, "", PURPOSE, KEY_BYTES));
}

/**
 * The key in a file that only its owner may read.
 * @returns undefined where there is no such file.
 * @throws CctvError STORE_FAILED where it cannot be read or holds no key.
 */
export async function readKeyFile(path: string): Promise<Uint8Array | undefined> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw storeFailure(error);
  });
  if (text === undefined) return undefined;
  if (KEY_TEXT.test(text.trim())) return Buffer.from(text.trim(), "hex");
  throw new CctvError(
    "STORE_FAILED",
    `the key file ${path} is damaged; bring back a copy of it, or remove it and the camera database and register the cameras again`,
  );
}

/** As `readKeyFile`; makes the file, with a random key, where there is none. */
export async function keyFromFile(path: string): Promise<Uint8Array> {
  const there = await readKeyFile(path);
  if (there) return there;
  const key = randomBytes(KEY_BYTES);
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    // Half a key, after a power cut, would lock the passwords away.
    const unfinished = `${path}.new`;
    const file = await open(unfinished, "w", 0o600);
    try {
      await file.writeFile(`${key.toString("hex")}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(unfinished, path);
  } catch (error) {
    throw storeFailure(error);
  }
  return key;
}

import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { CctvError } from "../errors.ts";

const CIPHER = "aes-256-gcm";
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const VERSION = "v1.";

/** Encrypts and authenticates texts with AES-256-GCM (NIST SP 800-38D), each with a random nonce of its own. */
export class Seal {
  readonly #key: Uint8Array;

  /**
   * @param key 32 bytes
   * @throws CctvError SETTING_INVALID
   */
  constructor(key: Uint8Array) {
    if (key.length !== KEY_BYTES) {
      throw new CctvError(
        "SETTING_INVALID",
        `the key of the camera passwords takes ${KEY_BYTES} bytes, not ${key.length}`,
      );
    }
    this.#key = Uint8Array.from(key);
  }

  /** @param place where the text is kept; it can be unsealed for the same place only. */
  close(text: string, place: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#key, nonce).setAAD(Buffer.from(place));
    const sealed = [nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()];
    return VERSION + Buffer.concat(sealed).toString("base64url");
  }

  /** @returns undefined where the key or the place is another one, or the text was changed. */
  open(sealed: string, place: string): string | undefined {
    if (!sealed.startsWith(VERSION)) return undefined;
    const bytes = Buffer.from(sealed.slice(VERSION.length), "base64url");
    if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
    const end = bytes.length - TAG_BYTES;
    const decipher = createDecipheriv(CIPHER, this.#key, bytes.subarray(0, NONCE_BYTES))
      .setAAD(Buffer.from(place))
      .setAuthTag(bytes.subarray(end));
    try {
      return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, end)), decipher.final()]).toString("utf8");
    } catch {
      return undefined;
    }
  }
}

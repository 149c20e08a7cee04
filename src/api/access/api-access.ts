import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { CctvError } from "../../errors.ts";
import { type Logger, silent } from "../../logger.ts";
import { RefusedRequest } from "./refused-request.ts";
import { mayActAs, ROLES, type Role } from "./roles.ts";

/** A key as it is listed: without the key. */
export interface ApiKey {
  readonly id: string;
  /** For people. */
  readonly name: string;
  readonly role: Role;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

/** Whoever a request is from. */
export interface Caller {
  /** The id of the key; `anyone` where no key is asked for. */
  readonly id: string;
  readonly role: Role;
}

/** Headers as Node gives them: names in lower case. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface ApiAccessOptions {
  /** Where the keys are kept: a JSON file with their hashes, for the owner alone to read. */
  readonly path: string;
  /** False opens everything to everybody who reaches the server. */
  readonly required?: boolean | undefined;
  /** Is told the first key, once. */
  readonly logger?: Logger | undefined;
  /** Epoch milliseconds. */
  readonly now?: () => number;
}

interface StoredKey extends ApiKey {
  /** SHA-256 of the key, in hex. A key is random, so that no slower hash is needed. */
  readonly hash: string;
}

const KEY_BYTES = 32;
const ID_BYTES = 6;
const OWNER_ONLY = 0o600;
const VERSION = 1;
const LONGEST_TOKEN = 512;
const EVERYBODY: Caller = { id: "anyone", role: "admin" };

/** Knows who may do what by API keys, and keeps them in a file. */
export class ApiAccess {
  readonly required: boolean;
  readonly #path: string;
  readonly #now: () => number;
  #keys: readonly StoredKey[];
  #writing: Promise<void> = Promise.resolve();

  private constructor(options: ApiAccessOptions, keys: readonly StoredKey[]) {
    this.required = options.required ?? true;
    this.#path = options.path;
    this.#now = options.now ?? Date.now;
    this.#keys = keys;
  }

  /**
   * Reads the keys. At the first start there is none: an admin key is made and told to the log, this once.
   * @throws CctvError STORE_FAILED where the file cannot be read or written.
   */
  static async open(options: ApiAccessOptions): Promise<ApiAccess> {
    const stored = await readKeys(options.path);
    const access = new ApiAccess(options, stored ?? []);
    if (stored || !access.required) return access;
    const { key } = await access.create("first", "admin");
    (options.logger ?? silent).info(
      `the camera server's first API key, with the role admin, is ${key} (send it as "Authorization: Bearer <key>"; it is not shown again)`,
    );
    return access;
  }

  /**
   * Who a request is from, and that they may do what is asked for.
   * @param from the request's headers, or the token itself where it came by another way
   * @throws RefusedRequest ACCESS_DENIED: 401 without a good key, 403 where its role does not reach.
   */
  check(from: RequestHeaders | string | undefined, needed: Role): Caller {
    if (!this.required) return EVERYBODY;
    const token = typeof from === "string" ? from : tokenOf(from ?? {});
    const key = token === undefined ? undefined : this.#find(token);
    if (!key) throw unknownCaller(token === undefined);
    if (mayActAs(key.role, needed)) return { id: key.id, role: key.role };
    throw new RefusedRequest(
      "ACCESS_DENIED",
      403,
      `this call takes a key with the role ${needed}, and the one sent has the role ${key.role}; use another key`,
    );
  }

  /** The keys that are good, oldest first. */
  list(): ApiKey[] {
    return this.#keys.map(({ id, name, role, createdAt }) => ({ id, name, role, createdAt }));
  }

  /**
   * Makes a key. It is not kept in clear: whoever asks for it is the only one to get it.
   * @throws CctvError STORE_FAILED
   */
  async create(name: string, role: Role): Promise<ApiKey & { readonly key: string }> {
    const key = randomBytes(KEY_BYTES).toString("base64url");
    const entry = { id: randomBytes(ID_BYTES).toString("hex"), name, role, createdAt: this.#now() };
    await this.#change((keys) => [...keys, { ...entry, hash: hashOf(key).toString("hex") }]);
    return { ...entry, key };
  }

  /**
   * Takes a key back: it is good for nothing from then on.
   * @throws CctvError STORE_FAILED
   */
  async revoke(id: string): Promise<void> {
    await this.#change((keys) => keys.filter((key) => key.id !== id));
  }

  /** Compares with every key, so that the time taken tells nothing of any. */
  #find(token: string): StoredKey | undefined {
    if (token.length > LONGEST_TOKEN) return undefined;
    const presented = hashOf(token);
    let found: StoredKey | undefined;
    for (const key of this.#keys) {
      if (timingSafeEqual(presented, Buffer.from(key.hash, "hex"))) found = key;
    }
    return found;
  }

  /** One change after the other; what could not be written is not in force either. */
  #change(change: (keys: readonly StoredKey[]) => readonly StoredKey[]): Promise<void> {
    const changed = this.#writing
      .catch(() => undefined)
      .then(async () => {
        const keys = change(this.#keys);
        await writeKeys(this.#path, keys);
        this.#keys = keys;
      });
    this.#writing = changed;
    return changed;
  }
}

function tokenOf(headers: RequestHeaders): string | undefined {
  const { authorization, "x-api-key": apiKey } = headers;
  if (typeof authorization === "string") {
    const [, token] = /^Bearer +([\x21-\x7e]+) *$/i.exec(authorization) ?? [];
    if (token !== undefined) return token;
  }
  return typeof apiKey === "string" && apiKey !== "" ? apiKey : undefined;
}

function unknownCaller(isAbsent: boolean): RefusedRequest {
  return new RefusedRequest(
    "ACCESS_DENIED",
    401,
    isAbsent
      ? "this call takes an API key; send it in the header Authorization: Bearer <key>, or X-API-Key"
      : "the API key is not known; check it, or ask whoever runs the server for another",
    { "www-authenticate": 'Bearer realm="cctv"' },
  );
}

function hashOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

/** @returns undefined where there is no file yet. */
async function readKeys(path: string): Promise<StoredKey[] | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw storeFailed("read", path, error);
  }
  try {
    const { version, keys } = JSON.parse(text) as { version?: unknown; keys?: unknown };
    if (version === VERSION && Array.isArray(keys) && keys.every(isStoredKey)) return keys;
  } catch (error) {
    throw damaged(path, error);
  }
  throw damaged(path);
}

function isStoredKey(value: unknown): value is StoredKey {
  const { id, name, role, createdAt, hash } = (value ?? {}) as Partial<Record<keyof StoredKey, unknown>>;
  return (
    typeof id === "string" &&
    typeof name === "string" &&
    ROLES.some((one) => one === role) &&
    typeof createdAt === "number" &&
    typeof hash === "string" &&
    /^[0-9a-f]{64}$/.test(hash)
  );
}

/** Whole or not at all, whatever happens meanwhile. */
async function writeKeys(path: string, keys: readonly StoredKey[]): Promise<void> {
  const draft = `${path}.${randomBytes(ID_BYTES).toString("hex")}`;
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(draft, "wx", OWNER_ONLY);
    try {
      await file.writeFile(`${JSON.stringify({ version: VERSION, keys }, undefined, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    throw storeFailed("written", path, error);
  }
}

function storeFailed(done: "read" | "written", path: string, cause: unknown): CctvError {
  const { code } = cause as NodeJS.ErrnoException;
  return new CctvError(
    "STORE_FAILED",
    `the API keys cannot be ${done} at ${path} (${code ?? "unknown"}); check the folder, its permissions and the disk`,
    { cause },
  );
}

function damaged(path: string, cause?: unknown): CctvError {
  return new CctvError(
    "STORE_FAILED",
    `${path} holds no API keys that can be read; restore it from a backup, or delete it to have a new first key made`,
    { cause },
  );
}

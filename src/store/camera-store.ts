import type { Kysely, Updateable } from "kysely";
import { schemeOf } from "../camera/address.ts";
import type { CameraConfig } from "../camera/protocols/protocol.ts";
import { CctvError } from "../errors.ts";
import { type PartedAddress, partAddress } from "./camera-address.ts";
import { type CameraReach, type CameraRecord, checkCamera, type NewCamera } from "./camera-record.ts";
import { type DatabaseSettings, openDatabase } from "./database.ts";
import { placeOf, settleKey } from "./key-check.ts";
import type { CameraRow, CameraTable, Schema } from "./schema.ts";
import type { Seal } from "./seal.ts";
import { storeFailure } from "./store-failure.ts";

export interface CameraStoreOptions {
  readonly database: DatabaseSettings;
  /** Of the passwords at rest: 32 bytes. */
  readonly key: Uint8Array;
  /** What the key may have been before; passwords of theirs are encrypted anew. */
  readonly formerKeys?: readonly Uint8Array[];
  /** Epoch milliseconds. */
  readonly now?: () => number;
}

/** What is sealed of a camera. */
interface CameraSecrets {
  /** The address with its whole query. */
  readonly address: string;
  readonly password: string;
}

/**
 * The registered cameras, in SQLite or PostgreSQL. A change that was acknowledged is on the disk.
 *
 * All of its methods reject with STORE_FAILED where the database does.
 */
export class CameraStore {
  readonly #db: Kysely<Schema>;
  readonly #seal: Seal;
  readonly #now: () => number;
  #closed: Promise<void> | undefined;

  private constructor(db: Kysely<Schema>, seal: Seal, now: () => number) {
    this.#db = db;
    this.#seal = seal;
    this.#now = now;
  }

  /** @throws CctvError STORE_FAILED, also where the key is not the one of its passwords; SETTING_INVALID */
  static async open({ database, key, formerKeys = [], now = Date.now }: CameraStoreOptions): Promise<CameraStore> {
    const db = await openDatabase(database);
    try {
      return new CameraStore(db, await settleKey(db, key, formerKeys), now);
    } catch (error) {
      await db.destroy();
      throw storeFailure(error);
    }
  }

  /** In the order in which they were registered. */
  async list(): Promise<CameraRecord[]> {
    const rows = await this.#try(() =>
      this.#db.selectFrom("cctv_camera").selectAll().orderBy("created_at").orderBy("id").execute(),
    );
    return rows.map(recordOf);
  }

  async get(id: string): Promise<CameraRecord | undefined> {
    const row = await this.#row(id);
    return row && recordOf(row);
  }

  /** @throws CctvError CAMERA_EXISTS, REQUEST_INVALID, ADDRESS_INVALID */
  async add(camera: NewCamera): Promise<CameraRecord> {
    checkCamera(camera);
    const { id, name = "", location = "", site = "", protocol = "", enabled = true } = camera;
    const address = partAddress(camera.address, camera);
    const now = this.#now();
    const columns = {
      id,
      name: name || id,
      location,
      site,
      protocol: protocol || schemeOf(address.full),
      enabled: Number(enabled),
      ...this.#loginColumns(id, address),
      ...reachColumns(camera),
      created_at: now,
      updated_at: now,
    };
    const row = await this.#try(() =>
      this.#db
        .insertInto("cctv_camera")
        .values(columns)
        .onConflict((conflict) => conflict.column("id").doNothing())
        .returningAll()
        .executeTakeFirst(),
    );
    if (row) return recordOf(row);
    throw new CctvError("CAMERA_EXISTS", `there is a camera "${id}" already; choose another id, or update that one`);
  }

  /**
   * Changes the fields that are there. An empty password takes the stored one away; the address as `get` shows it
   * is no change.
   * @throws CctvError CAMERA_UNKNOWN, REQUEST_INVALID, ADDRESS_INVALID
   */
  async update(id: string, changes: Partial<NewCamera>): Promise<CameraRecord> {
    checkCamera(changes);
    if (changes.id !== undefined && changes.id !== id) {
      throw new CctvError("REQUEST_INVALID", "the id of a camera stays; remove it and register it under the other one");
    }
    const row = (await this.#row(id)) ?? unknown(id);
    const { name, location, site, protocol, enabled } = changes;
    const columns: Updateable<CameraTable> = {
      ...(name !== undefined && { name: name || id }),
      ...(location !== undefined && { location }),
      ...(site !== undefined && { site }),
      ...(enabled !== undefined && { enabled: Number(enabled) }),
      ...this.#changedLogin(row, changes),
      ...(protocol !== undefined && { protocol }),
      ...reachColumns(changes),
      updated_at: this.#now(),
    };
    const changed = await this.#try(() =>
      this.#db.updateTable("cctv_camera").set(columns).where("id", "=", id).returningAll().executeTakeFirst(),
    );
    return recordOf(changed ?? unknown(id));
  }

  /** @throws CctvError CAMERA_UNKNOWN */
  async remove(id: string): Promise<void> {
    const { numDeletedRows } = await this.#try(() =>
      this.#db.deleteFrom("cctv_camera").where("id", "=", id).executeTakeFirstOrThrow(),
    );
    if (numDeletedRows === 0n) unknown(id);
  }

  /** Notes whose frames are wanted. Ids that are not registered are passed over. */
  async setDetecting(ids: readonly string[], detecting: boolean): Promise<void> {
    if (ids.length === 0) return;
    await this.#try(() =>
      this.#db
        .updateTable("cctv_camera")
        .set({ detecting: Number(detecting) })
        .where("id", "in", [...ids])
        .execute(),
    );
  }

  /**
   * How to reach a camera, with its password: for streams only.
   * @throws CctvError CAMERA_UNKNOWN
   */
  async config(id: string): Promise<CameraConfig> {
    const row = (await this.#row(id)) ?? unknown(id);
    const { address, password } = this.#secretsOf(row);
    return { address, username: row.username, password, ...reachOf(row) };
  }

  close(): Promise<void> {
    this.#closed ??= this.#try(() => this.#db.destroy());
    return this.#closed;
  }

  async #row(id: string): Promise<CameraRow | undefined> {
    return this.#try(() => this.#db.selectFrom("cctv_camera").selectAll().where("id", "=", id).executeTakeFirst());
  }

  #loginColumns(id: string, { shown, full, username, password }: PartedAddress) {
    const secrets: CameraSecrets = { address: full, password };
    return {
      address: shown,
      username,
      has_password: Number(password !== ""),
      secrets: this.#seal.close(JSON.stringify(secrets), placeOf(id)),
    };
  }

  /** A password goes to the host that it was stored for: a new address must not carry it elsewhere. */
  #changedLogin(row: CameraRow, changes: Partial<NewCamera>): Updateable<CameraTable> {
    const { address: typed, username, password } = changes;
    if (typed === undefined && username === undefined && password === undefined) return {};
    const stored = this.#secretsOf(row);
    const isSame = typed === undefined || typed === row.address;
    const told = partAddress(isSame ? stored.address : typed, { username, password });
    const login = {
      username: username ?? (told.username || row.username),
      password: password ?? (told.password || stored.password),
    };
    const isKept = password === undefined && told.password === "" && stored.password !== "";
    if (isKept && told.host !== partAddress(stored.address).host) {
      throw new CctvError(
        "REQUEST_INVALID",
        "the address names another host than the one that the stored password was entered for; send the password again with it",
      );
    }
    return {
      ...this.#loginColumns(row.id, { ...told, ...login }),
      ...(!isSame && { protocol: schemeOf(told.full) }),
    };
  }

  #secretsOf({ id, secrets }: CameraRow): CameraSecrets {
    const text = this.#seal.open(secrets, placeOf(id));
    if (text !== undefined) return JSON.parse(text) as CameraSecrets;
    throw new CctvError(
      "STORE_FAILED",
      `the stored login of the camera "${id}" is damaged; remove the camera and register it again`,
    );
  }

  async #try<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await task();
    } catch (error) {
      throw storeFailure(error);
    }
  }
}

function unknown(id: string): never {
  throw new CctvError("CAMERA_UNKNOWN", `no camera "${id}" is registered; list the cameras to see their ids`);
}

function recordOf(row: CameraRow): CameraRecord {
  const { id, name, location, site, address, protocol, username } = row;
  return Object.freeze({
    ...{ id, name, location, site, address, protocol, username },
    hasPassword: row.has_password === 1,
    enabled: row.enabled === 1,
    detecting: row.detecting === 1,
    ...reachOf(row),
    createdAt: Number(row.created_at),
    updatedAt: Number(row.updated_at),
  });
}

const REACH = ["channel", "stream", "transport", "certificate"] as const;

function reachColumns(reach: CameraReach): Pick<Updateable<CameraTable>, (typeof REACH)[number]> {
  return Object.fromEntries(REACH.filter((name) => reach[name] !== undefined).map((name) => [name, reach[name]]));
}

function reachOf(row: Pick<CameraRow, (typeof REACH)[number]>): CameraReach {
  return Object.fromEntries(REACH.filter((name) => row[name] !== null).map((name) => [name, row[name]]));
}

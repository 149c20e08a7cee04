import { join, resolve } from "node:path";
import type { Node, NodeAPI, NodeDef } from "node-red";
import { ApiAccess } from "../src/api/access/api-access.ts";
import { readOrigins } from "../src/api/access/cors.ts";
import { AddressRules } from "../src/camera/address-rules.ts";
import { guardProtocols } from "../src/camera/guarded-protocols.ts";
import { protocols } from "../src/camera/protocols/registry.ts";
import { asCctvError, CctvError } from "../src/errors.ts";
import { Fleet, type FleetStatus } from "../src/fleet/fleet.ts";
import type { CameraStore } from "../src/store/camera-store.ts";
import type { DatabaseSettings } from "../src/store/database.ts";
import { openStoreWhenThere } from "../src/store/patient-open.ts";
import { deriveStoreKey, keyFromFile, readKeyFile } from "../src/store/store-key.ts";
import { connectGate } from "../src/stream/connect-gate.ts";
import { connectsOf, finderOf } from "./shared/cctv-settings.ts";
import { usePluginProtocols } from "./shared/plugin-protocols.ts";
import { FailureReporter, loggerOf, whenStarted } from "./shared/report.ts";
import { type CameraStatus, runningCameras } from "./shared/running-cameras.ts";
import { choiceSetting, type Field, numberSetting } from "./shared/settings.ts";

interface CameraRegistryDef extends NodeDef {
  database?: Field;
  /** Of the SQLite file; relative to Node-RED's user directory. */
  path?: string;
  fps?: Field;
  longSide?: Field;
  ffmpeg?: string;
  /** Who may use the API: `key` (by default) or `anyone`. */
  access?: Field;
  /** Origins of web pages, with commas. */
  origins?: string;
  /** Addresses and ranges, with commas, that cameras may have although they would be refused. */
  allowedAddresses?: string;
}

/** The connection string of PostgreSQL, which holds a password. */
interface Secrets {
  connection?: string;
}

/** What other nodes use of this one. */
export interface CameraRegistryNode extends Node<Secrets> {
  /** Absent while the settings are not valid. */
  fleet?: Fleet;
  /** Absent until the API keys are read. */
  access?: ApiAccess;
  allowedAddresses?: readonly string[];
  origins?: readonly string[];
  ffmpegPath?: string;
}

/** Where a registry keeps things. */
interface Place {
  readonly database: DatabaseSettings;
  /** The beginning of the paths of the key file and the API keys. */
  readonly base: string;
}

const DATABASES = ["sqlite", "postgresql"] as const;
const LONG_SIDES = ["640", "512", "384", "960", "1280"] as const;
const FOLDER = "cctv";

/** Owns the registered cameras: their database and their streams. */
export default function register(RED: NodeAPI): void {
  const databasesInUse = new Set<string>();
  connectGate.limit = connectsOf(RED);
  usePluginProtocols(RED);

  function CameraRegistry(this: CameraRegistryNode, def: CameraRegistryDef): void {
    RED.nodes.createNode(this, def);
    const logger = loggerOf(this);
    const started = whenStarted(RED);
    const failures = new FailureReporter();
    const closing = new AbortController();
    const fail = (error: unknown): void => {
      const fresh = closing.signal.aborted ? undefined : failures.failed(error, "STORE_FAILED");
      if (fresh) this.error(fresh, {});
    };

    let place: Place;
    let store: Promise<CameraStore>;
    let fleet: Fleet;
    let leaveRunning: () => void;
    try {
      place = placeOf(RED, def, this.credentials ?? {});
      this.origins = readOrigins(def.origins ?? "");
      this.allowedAddresses = listOf(def.allowedAddresses);
      const rules = new AddressRules({ allowed: this.allowedAddresses });
      if (def.ffmpeg) this.ffmpegPath = def.ffmpeg;
      const required = choiceSetting("Access", def.access, ["key", "anyone"]) === "key";
      const fps = numberSetting("Frames per second", def.fps, 5, [0.1, 30]);
      const longSide = Number(choiceSetting("Picture size", def.longSide, LONG_SIDES));
      reserve(databasesInUse, place);

      store = openStore(RED, place, { signal: closing.signal, onWait: fail });
      fleet = new Fleet({
        ...{ store, fps, longSide, ffmpegPath: this.ffmpegPath, logger },
        registry: guardProtocols(protocols, rules),
        finder: finderOf(RED),
      });
      this.fleet = fleet;
      leaveRunning = tellOf(fleet);
      ApiAccess.open({ path: `${place.base}.api-keys.json`, required, logger }).then((access) => {
        this.access = access;
      }, fail);
    } catch (error) {
      void started.then(() => this.error(asCctvError(error, "SETTING_INVALID"), {}));
      return;
    }

    // Whoever needs the store is told by the fleet why it is not there.
    store.catch(() => undefined);
    void started.then(async () => {
      if (closing.signal.aborted) return;
      await fleet.open().then(() => failures.worked(), fail);
    });
    this.on("close", (_removed: boolean, done: () => void) => {
      leaveRunning();
      closing.abort(new CctvError("STORE_FAILED", "the camera registry was closed; try again once it is deployed"));
      const closed = close(fleet, store).catch((error) => logger.warn(asCctvError(error, "STORE_FAILED").message));
      void closed.finally(() => {
        databasesInUse.delete(identityOf(place));
        done();
      });
    });
  }

  RED.nodes.registerType<CameraRegistryNode, CameraRegistryDef, object, Secrets>("camera-registry", CameraRegistry, {
    credentials: { connection: { type: "password" } },
  });
}

/** Has `camera-status` tell of the fleet's cameras. @returns ends that. */
function tellOf(fleet: Fleet): () => void {
  const leave = runningCameras.addGroup({ statuses: async () => (await fleet.statuses()).map(toCameraStatus) });
  const tell = (status: FleetStatus): void => runningCameras.changed(toCameraStatus(status));
  fleet.on("change", tell);
  return () => {
    leave();
    fleet.off("change", tell);
  };
}

/** What `camera-status` tells of a registered camera. */
function toCameraStatus({ camera, alerts: _, ...health }: FleetStatus): CameraStatus {
  const { id, name, location, site } = camera;
  return { camera: { id, name, location, site }, ...health };
}

async function openStore(
  RED: NodeAPI,
  { database, base }: Place,
  patience: Parameters<typeof openStoreWhenThere>[1],
): Promise<CameraStore> {
  return openStoreWhenThere({ database, ...(await keysOf(RED, `${base}.key`)) }, patience);
}

async function close(fleet: Fleet, store: Promise<CameraStore>): Promise<void> {
  await fleet.close();
  const opened = await store.catch(() => undefined);
  await opened?.close();
}

/** @throws CctvError SETTING_INVALID */
function placeOf(RED: NodeAPI, def: CameraRegistryDef, { connection = "" }: Secrets): Place {
  const { userDir = "." } = RED.settings;
  const folder = join(userDir, FOLDER);
  if (choiceSetting("Database", def.database, DATABASES) === "sqlite") {
    const path = def.path ? resolve(userDir, def.path) : join(folder, "cameras.sqlite");
    return { database: { kind: "sqlite", path }, base: path };
  }
  const connectionString = connection.trim();
  if (connectionString === "") {
    throw new CctvError(
      "SETTING_INVALID",
      '"Connection" is empty; it takes postgresql://user:password@host:5432/database',
    );
  }
  return { database: { kind: "postgresql", connectionString }, base: join(folder, "postgresql") };
}

function identityOf({ database }: Place): string {
  return database.kind === "sqlite" ? database.path : database.connectionString;
}

/** Two registries of one database would both open its cameras. @throws CctvError SETTING_INVALID */
function reserve(databasesInUse: Set<string>, place: Place): void {
  const identity = identityOf(place);
  if (databasesInUse.has(identity)) {
    throw new CctvError(
      "SETTING_INVALID",
      "another camera registry has this database already; use that one, or give this one a database of its own",
    );
  }
  databasesInUse.add(identity);
}

/**
 * The key of the camera passwords, and what it may have been before: from `credentialSecret` of settings.js, else
 * the secret that Node-RED has made up, else from a file. Node-RED forgets its own once there is another, and does
 * so with the first deploy: until then both are there, and the passwords can be encrypted anew.
 */
async function keysOf(RED: NodeAPI, file: string): Promise<{ key: Uint8Array; formerKeys: Uint8Array[] }> {
  const { cctv } = RED.settings as { cctv?: { formerCredentialSecret?: unknown } };
  const chosen = settingOf(RED, "credentialSecret");
  const generated = settingOf(RED, "_credentialSecret");
  // False is how Node-RED is told to keep no secret, and that it shall forget its own.
  const secret = chosen === false ? undefined : (textOf(chosen) ?? textOf(generated));
  const former = [textOf(generated), textOf(cctv?.formerCredentialSecret)]
    .filter((one) => one !== undefined)
    .map(deriveStoreKey);
  if (secret === undefined) return { key: await keyFromFile(file), formerKeys: former };
  const fromFile = await readKeyFile(file);
  return { key: deriveStoreKey(secret), formerKeys: fromFile ? [...former, fromFile] : former };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function settingOf(RED: NodeAPI, name: string): unknown {
  try {
    return (RED.settings as unknown as { get(name: string): unknown }).get(name);
  } catch {
    // Where its settings cannot be stored, Node-RED has none.
    return undefined;
  }
}

function listOf(text: string | undefined): string[] {
  return (text ?? "").split(/[\s,]+/).filter(Boolean);
}

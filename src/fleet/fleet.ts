import { EventEmitter } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { asCctvError, CctvError } from "../errors.ts";
import type { Frame } from "../frame/frame.ts";
import { silent } from "../logger.ts";
import type { CameraRecord, NewCamera } from "../store/camera-record.ts";
import type { CameraStore } from "../store/camera-store.ts";
import type { StreamHealth } from "../stream/camera-stream.ts";
import { FleetCamera, type FleetCameraHost, type FleetStreams, type Watcher } from "./fleet-camera.ts";

/** How a camera is. */
export interface FleetStatus extends StreamHealth {
  readonly camera: CameraRecord;
  /** Since the fleet was opened. */
  readonly alerts: number;
}

type OptionalStreams = "now" | "random" | "logger";

export interface FleetOptions
  extends Omit<FleetStreams, OptionalStreams>,
    Partial<Pick<FleetStreams, OptionalStreams>> {
  /** May still be opening. The fleet uses it and leaves it open. */
  readonly store: CameraStore | Promise<CameraStore>;
  /** Those that run again after a restart begin within this time, milliseconds; 5 s by default. */
  readonly startSpreadMs?: number | undefined;
}

interface FleetEvents {
  /** Of every camera that detects. */
  frame: [frame: Frame];
  /** A camera's state or record. */
  change: [status: FleetStatus];
  added: [camera: CameraRecord];
  removed: [cameraId: string];
}

const START_SPREAD_MS = 5_000;
/** How long a call waits for a database that is not there yet. */
const OPENING_LIMIT_MS = 5_000;
const MOST_CHANGES_WAITING = 1_000;

/**
 * The registered cameras and their streams: what is changed here is kept in the store, and the streams follow.
 *
 * A camera runs while it is enabled and either detects or is watched. Which ones detect outlives a restart. The
 * fleet is the only one that writes to its store. Methods reject with STORE_FAILED where the store does, and after
 * `close()`.
 */
export class Fleet extends EventEmitter<FleetEvents> {
  readonly #options: FleetOptions;
  readonly #host: FleetCameraHost;
  readonly #random: () => number;
  readonly #cameras = new Map<string, FleetCamera>();
  readonly #closing = new AbortController();
  #store: CameraStore | undefined;
  #opened: Promise<void> | undefined;
  #closed: Promise<void> | undefined;
  #changes: Promise<unknown> = Promise.resolve();
  #changesWaiting = 0;

  constructor(options: FleetOptions) {
    super();
    // One listener for each node that uses it.
    this.setMaxListeners(0);
    this.#options = options;
    const { now = Date.now, random = Math.random, logger = silent } = options;
    this.#random = random;
    this.#host = {
      streams: { ...options, now, random, logger },
      config: async (id) => (await this.#openStore()).config(id),
      onFrame: (frame) => this.#tell(() => this.emit("frame", frame)),
      onChange: (camera) => this.#tell(() => this.emit("change", statusOf(camera))),
    };
  }

  /** Reads the cameras; those that detected when the last fleet ended run again, each after a random time. */
  open(): Promise<void> {
    this.#opened ??= this.#open();
    return this.#opened;
  }

  /** Ends all streams. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /**
   * Starts detection.
   * @param ids all by default; those that are disabled stay as they are
   * @returns those of them that run now
   * @throws CctvError CAMERA_UNKNOWN, and then none is started
   */
  async start(ids?: readonly string[]): Promise<string[]> {
    const cameras = await this.#setDetecting(ids, true);
    return cameras.filter(({ isRunning }) => isRunning).map(({ record }) => record.id);
  }

  /**
   * Ends detection. Who watches a camera goes on watching.
   * @param ids all by default
   * @returns those that detect no more
   * @throws CctvError CAMERA_UNKNOWN, and then none is stopped
   */
  async stop(ids?: readonly string[]): Promise<string[]> {
    const cameras = await this.#setDetecting(ids, false);
    return cameras.map(({ record }) => record.id);
  }

  /** @throws CctvError CAMERA_EXISTS, REQUEST_INVALID, ADDRESS_INVALID */
  async add(camera: NewCamera): Promise<CameraRecord> {
    return this.#inOrder(async (store) => {
      const record = await store.add(camera);
      this.#cameras.set(record.id, new FleetCamera(record, this.#host));
      this.#tell(() => this.emit("added", record));
      return record;
    });
  }

  /** @throws CctvError CAMERA_UNKNOWN, REQUEST_INVALID, ADDRESS_INVALID */
  async update(id: string, changes: Partial<NewCamera>): Promise<CameraRecord> {
    const camera = await this.#inOrder(async (store) => {
      const changing = this.#camera(id);
      const record = await store.update(id, changes);
      changing.change(record, isForStream(changes));
      return changing;
    });
    await camera.settle();
    this.#host.onChange(camera);
    return camera.record;
  }

  /** A camera that detected when it was disabled detects again. */
  async enable(id: string): Promise<CameraRecord> {
    return this.update(id, { enabled: true });
  }

  async disable(id: string): Promise<CameraRecord> {
    return this.update(id, { enabled: false });
  }

  /** @throws CctvError CAMERA_UNKNOWN */
  async remove(id: string): Promise<void> {
    const camera = await this.#inOrder(async (store) => {
      const removing = this.#camera(id);
      await store.remove(id);
      this.#cameras.delete(id);
      return removing;
    });
    await camera.close();
    this.#tell(() => this.emit("removed", id));
  }

  /** Of all cameras, in the order in which they were registered. */
  async statuses(): Promise<FleetStatus[]> {
    await this.#openStore();
    return [...this.#cameras.values()].map(statusOf);
  }

  /** @throws CctvError CAMERA_UNKNOWN */
  async status(id: string): Promise<FleetStatus> {
    await this.#openStore();
    return statusOf(this.#camera(id));
  }

  /**
   * What a camera sees now, as a JPEG; one that does not run is opened for a moment.
   * @throws CctvError CAMERA_UNKNOWN, REQUEST_INVALID where it is disabled, or why there is no picture
   */
  async snapshot(id: string): Promise<Buffer> {
    await this.#openStore();
    return this.#camera(id).snapshot();
  }

  /**
   * Hands on each frame of a camera, whether it detects or not, until it is ended; a camera that does not run is
   * opened, unless it is disabled. The listener is called once for each frame and nothing is queued for it.
   * @returns ends it
   * @throws CctvError CAMERA_UNKNOWN, RATE_LIMITED
   */
  watch(id: string, listener: Watcher): () => void {
    return this.#camera(id).watch(listener);
  }

  countAlert(cameraId: string): void {
    const camera = this.#cameras.get(cameraId);
    if (camera) camera.alerts++;
  }

  async #open(): Promise<void> {
    const store = await this.#options.store;
    const records = await store.list();
    if (this.#closing.signal.aborted) throw closed();
    this.#store = store;
    for (const record of records) this.#cameras.set(record.id, new FleetCamera(record, this.#host));
    const spread = this.#options.startSpreadMs ?? START_SPREAD_MS;
    await Promise.all([...this.#cameras.values()].map((camera) => camera.settle(spread * this.#random())));
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    await this.#changes;
    const cameras = [...this.#cameras.values()];
    this.#cameras.clear();
    await Promise.all(cameras.map((camera) => camera.close()));
  }

  async #setDetecting(ids: readonly string[] | undefined, detecting: boolean): Promise<FleetCamera[]> {
    const cameras = await this.#inOrder(async (store) => {
      const named = ids ? [...new Set(ids)].map((id) => this.#camera(id)) : [...this.#cameras.values()];
      const changing = detecting ? named.filter(({ record }) => record.enabled) : named;
      await store.setDetecting(
        changing.map(({ record }) => record.id),
        detecting,
      );
      for (const camera of changing) camera.change({ ...camera.record, detecting }, false);
      return changing;
    });
    await Promise.all(cameras.map((camera) => camera.settle()));
    for (const camera of cameras) this.#host.onChange(camera);
    return cameras;
  }

  /** One change after the other, so that store and streams tell the same story. */
  async #inOrder<T>(change: (store: CameraStore) => Promise<T>): Promise<T> {
    const store = await this.#openStore();
    if (this.#changesWaiting >= MOST_CHANGES_WAITING) {
      throw new CctvError("RATE_LIMITED", "too many changes of cameras are waiting; send them one after the other");
    }
    this.#changesWaiting++;
    const done = this.#changes.then(() => {
      if (this.#closing.signal.aborted) throw closed();
      return change(store);
    });
    this.#changes = done.catch(() => undefined).finally(() => this.#changesWaiting--);
    return done;
  }

  /** The store, once it and the cameras are there. */
  async #openStore(): Promise<CameraStore> {
    if (this.#closing.signal.aborted) throw closed();
    if (!this.#store) await this.#opening();
    if (this.#store) return this.#store;
    throw new CctvError(
      "STORE_FAILED",
      "the camera database is not there yet; see that it runs, and look at the log for what it says",
    );
  }

  async #opening(): Promise<void> {
    const enough = new AbortController();
    const signal = AbortSignal.any([enough.signal, this.#closing.signal]);
    try {
      await Promise.race([this.open(), sleep(OPENING_LIMIT_MS, undefined, { signal }).catch(() => undefined)]);
    } finally {
      enough.abort();
    }
  }

  /** A listener that throws must not keep a camera from running. */
  #tell(emit: () => void): void {
    try {
      emit();
    } catch (error) {
      this.#host.streams.logger.warn(`a listener of the cameras failed: ${asCctvError(error, "STREAM_LOST").message}`);
    }
  }

  #camera(id: string): FleetCamera {
    const camera = this.#cameras.get(id);
    if (camera) return camera;
    throw new CctvError("CAMERA_UNKNOWN", `no camera "${id}" is registered; list the cameras to see their ids`);
  }
}

function statusOf(camera: FleetCamera): FleetStatus {
  return { camera: camera.record, alerts: camera.alerts, ...camera.health() };
}

/** Whether a stream that runs has to be opened anew for it. */
function isForStream({ id: _id, enabled: _enabled, protocol: _protocol, ...rest }: Partial<NewCamera>): boolean {
  return Object.values(rest).some((value) => value !== undefined);
}

function closed(): CctvError {
  return new CctvError("STORE_FAILED", "the camera registry was closed; try again once it is deployed");
}

import { EventEmitter } from "node:events";
import { CctvError } from "../../src/errors.ts";
import type { CameraInfo } from "../../src/frame/frame.ts";
import type { CameraStream, StreamHealth } from "../../src/stream/camera-stream.ts";

/** What `camera-status` tells of one camera. */
export interface CameraStatus extends StreamHealth {
  readonly camera: CameraInfo;
}

interface Running {
  readonly camera: CameraInfo;
  readonly stream: CameraStream;
}

interface RunningEvents {
  change: [status: CameraStatus];
}

/** Cameras that are kept together, such as those of a registry. */
export interface CameraGroup {
  /** @throws CctvError while nobody can tell. */
  statuses(): Promise<readonly CameraStatus[]>;
}

/** The cameras of all nodes that run: single ones by their ids, and groups of them. */
class RunningCameras extends EventEmitter<RunningEvents> {
  readonly #byId = new Map<string, Running>();
  readonly #groups = new Set<CameraGroup>();

  constructor() {
    super();
    // One listener for each camera-status node.
    this.setMaxListeners(0);
  }

  /**
   * @returns takes it out again.
   * @throws CctvError SETTING_INVALID where another node has the id: their people and alerts would get mixed up.
   */
  add(camera: CameraInfo, stream: CameraStream): () => void {
    if (this.#byId.has(camera.id)) {
      throw new CctvError(
        "SETTING_INVALID",
        `"Camera id" is "${camera.id}", as that of another camera; it takes an id that only this one has, so give one of them another name or id`,
      );
    }
    this.#byId.set(camera.id, { camera, stream });
    stream.on("state", () => this.emit("change", statusOf({ camera, stream })));
    return () => this.#byId.delete(camera.id);
  }

  /** The group says by `changed` what changes. @returns takes it out again. */
  addGroup(group: CameraGroup): () => void {
    this.#groups.add(group);
    return () => this.#groups.delete(group);
  }

  changed(status: CameraStatus): void {
    this.emit("change", status);
  }

  /** Of all cameras, by their ids; a group that cannot tell is left out. */
  async statuses(): Promise<CameraStatus[]> {
    const groups = await Promise.all([...this.#groups].map((group) => group.statuses().catch(() => [])));
    const all = [...[...this.#byId.values()].map(statusOf), ...groups.flat()];
    return all.sort((a, b) => (a.camera.id < b.camera.id ? -1 : 1));
  }
}

function statusOf({ camera, stream }: Running): CameraStatus {
  return { camera, ...stream.health() };
}

export const runningCameras = new RunningCameras();

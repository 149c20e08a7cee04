import { toCameraAnswer } from "../api/camera-answer.ts";
import type { CameraState } from "../api/context.ts";
import type { CameraSource, LivePicture } from "./camera-source.ts";

/** What sockets need of a fleet. */
export interface WatchableFleet {
  statuses(): Promise<readonly CameraState[]>;
  watch(cameraId: string, listener: (picture: LivePicture) => void): () => void;
  on(event: "removed", listener: (cameraId: string) => void): unknown;
  off(event: "removed", listener: (cameraId: string) => void): unknown;
}

/** The cameras of a fleet, in the words of the REST API. */
export function fleetCameras(fleet: WatchableFleet): CameraSource {
  return {
    list: async () =>
      Object.fromEntries((await fleet.statuses()).map((state) => [state.camera.id, toCameraAnswer(state)])),
    watch: (cameraId, listener) => fleet.watch(cameraId, listener),
    onRemoved: (listener) => {
      fleet.on("removed", listener);
      return () => fleet.off("removed", listener);
    },
  };
}

import type { NodeAPI } from "node-red";
import { registerCamera } from "./shared/camera-node.ts";
import type { CameraDef } from "./shared/camera-node-type.ts";

interface CameraFileDef extends CameraDef {
  path: string;
  loop?: boolean;
}

/** Plays a video file at its own speed, as if it were a camera. */
export default function register(RED: NodeAPI): void {
  registerCamera<CameraFileDef>(RED, "camera-file", {
    credentials: {},
    configure: ({ path, loop }) => ({ address: path, loop: loop ?? false }),
  });
}

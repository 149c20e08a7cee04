import type { NodeAPI } from "node-red";
import { registerCamera } from "./shared/camera-node.ts";
import type { CameraDef } from "./shared/camera-node-type.ts";

interface CameraWebcamDef extends CameraDef {
  device: string;
}

/** Takes pictures of a webcam, a capture card or an analog converter of this machine. */
export default function register(RED: NodeAPI): void {
  registerCamera<CameraWebcamDef>(RED, "camera-webcam", {
    credentials: {},
    configure: ({ device = "" }) => ({ address: `webcam:${device.trim().replace(/^webcam:/i, "")}` }),
  });
}

import type { NodeAPI } from "node-red";
import { registerCamera } from "./shared/camera-node.ts";
import type { CameraDef } from "./shared/camera-node-type.ts";

interface CameraGigeDef extends CameraDef {
  device?: string;
}

/** Receives a GenICam camera on GigE Vision through the GStreamer that the user has installed. */
export default function register(RED: NodeAPI): void {
  registerCamera<CameraGigeDef>(RED, "camera-gige", {
    credentials: {},
    configure: ({ device = "" }) => ({ address: `gige://${device.trim().replace(/^gige:(?:\/\/)?/i, "")}` }),
  });
}

import type { Node, NodeAPI } from "node-red";
import { type SourceDef, startSource } from "./shared/source-node.ts";

interface CameraWebcamDef extends SourceDef {
  device: string;
}

/** Takes pictures of a webcam, a capture card or an analog converter of this machine. */
export default function register(RED: NodeAPI): void {
  function CameraWebcam(this: Node, def: CameraWebcamDef): void {
    RED.nodes.createNode(this, def);
    startSource(RED, this, def, () => ({ address: `webcam:${(def.device ?? "").trim().replace(/^webcam:/i, "")}` }));
  }

  RED.nodes.registerType("camera-webcam", CameraWebcam);
}

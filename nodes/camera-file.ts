import type { Node, NodeAPI } from "node-red";
import { type SourceDef, startSource } from "./shared/source-node.ts";

interface CameraFileDef extends SourceDef {
  path: string;
  loop?: boolean;
}

/** Plays a video file at its own speed, as if it were a camera. */
export default function register(RED: NodeAPI): void {
  function CameraFile(this: Node, def: CameraFileDef): void {
    RED.nodes.createNode(this, def);
    startSource(RED, this, def, () => ({ address: def.path, loop: def.loop ?? false }));
  }

  RED.nodes.registerType("camera-file", CameraFile);
}

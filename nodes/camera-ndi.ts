import type { NodeAPI } from "node-red";
import { registerCamera, STREAMS } from "./shared/camera-node.ts";
import type { CameraDef } from "./shared/camera-node-type.ts";
import { choiceSetting, type Field } from "./shared/settings.ts";

interface CameraNdiDef extends CameraDef {
  source?: string;
  stream?: Field;
}

/** Receives an NDI source through the NDI runtime that the user has installed. */
export default function register(RED: NodeAPI): void {
  registerCamera<CameraNdiDef>(RED, "camera-ndi", {
    credentials: {},
    configure: ({ source = "", stream }) => ({
      address: /^\s*ndi:/i.test(source) ? source : `ndi://${encodeURIComponent(source.trim())}`,
      stream: choiceSetting("Stream", stream, STREAMS),
    }),
  });
}

import type { NodeAPI } from "node-red";
import { CctvError } from "../src/errors.ts";
import { registerCamera } from "./shared/camera-node.ts";
import type { CameraDef } from "./shared/camera-node-type.ts";
import { withQuery } from "./shared/secret-query.ts";

interface CameraRtmpDef extends CameraDef {
  url: string;
  /** Wait for the camera to push, at an address of this machine. */
  listen?: boolean;
}

/** Pulls a live stream from an RTMP server or camera, or waits for a camera that pushes one. */
export default function register(RED: NodeAPI): void {
  registerCamera<CameraRtmpDef>(RED, "camera-rtmp", {
    credentials: { query: { type: "password" } },
    configure: ({ url, listen }, { query }) => {
      const address = withQuery((url ?? "").trim(), query);
      return { address: listen ? listening(address) : address };
    },
  });
}

function listening(address: string): string {
  if (/^rtmp:/i.test(address)) return address.replace(/^rtmp:/i, "rtmp-listen:");
  throw new CctvError(
    "SETTING_INVALID",
    '"Wait for the camera to push" takes an address of this machine such as rtmp://0.0.0.0:1935/live/door, without TLS',
  );
}

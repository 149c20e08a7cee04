import type { NodeAPI } from "node-red";
import { CERTIFICATES, LOGIN, registerCamera } from "./shared/camera-node.ts";
import type { CameraDef } from "./shared/camera-node-type.ts";
import { choiceSetting, type Field } from "./shared/settings.ts";

interface CameraHttpDef extends CameraDef {
  url: string;
  certificate?: Field;
}

/** Reads a camera's MJPEG stream, or asks for its snapshot again and again. */
export default function register(RED: NodeAPI): void {
  registerCamera<CameraHttpDef>(RED, "camera-http", {
    credentials: LOGIN,
    configure: ({ url, certificate }, { username, password }) => ({
      address: url,
      certificate: choiceSetting("Certificate", certificate, CERTIFICATES),
      username,
      password,
    }),
  });
}

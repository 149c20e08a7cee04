import type { NodeAPI } from "node-red";
import { CERTIFICATES, LOGIN, registerCamera, TRANSPORTS } from "./shared/camera-node.ts";
import type { CameraDef } from "./shared/camera-node-type.ts";
import { choiceSetting, type Field } from "./shared/settings.ts";

interface CameraRtspDef extends CameraDef {
  url: string;
  subUrl?: string;
  transport?: Field;
  certificate?: Field;
}

/** Pulls a camera or recorder over RTSP; the sub-stream is analysed where there is one. */
export default function register(RED: NodeAPI): void {
  registerCamera<CameraRtspDef>(RED, "camera-rtsp", {
    credentials: LOGIN,
    configure: ({ url, subUrl, transport, certificate }, { username, password }) => ({
      address: subUrl || url,
      transport: choiceSetting("Transport", transport, TRANSPORTS),
      certificate: choiceSetting("Certificate", certificate, CERTIFICATES),
      username,
      password,
    }),
  });
}

import type { NodeAPI } from "node-red";
import { CERTIFICATES, LOGIN, registerCamera } from "./shared/camera-node.ts";
import type { CameraDef } from "./shared/camera-node-type.ts";
import { withQuery } from "./shared/secret-query.ts";
import { choiceSetting, type Field } from "./shared/settings.ts";

interface CameraHlsDef extends CameraDef {
  url: string;
  certificate?: Field;
  loop?: boolean;
}

/** Pulls an HLS stream, live or recorded. */
export default function register(RED: NodeAPI): void {
  registerCamera<CameraHlsDef>(RED, "camera-hls", {
    credentials: { ...LOGIN, query: { type: "password" } },
    configure: ({ url, certificate, loop }, { username, password, query }) => ({
      // As hls:// it is taken for a playlist whatever its ending.
      address: withQuery((url ?? "").trim().replace(/^http/i, "hls"), query),
      certificate: choiceSetting("Certificate", certificate, CERTIFICATES),
      loop: loop ?? false,
      username,
      password,
    }),
  });
}

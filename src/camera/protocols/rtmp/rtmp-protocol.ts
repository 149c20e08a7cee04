import { CctvError } from "../../../errors.ts";
import { parseNetworkAddress, toDisplay, toUrl } from "../../address.ts";
import { maskQueries } from "../../secrets.ts";
import type { CameraConfig, FfmpegInput, Protocol } from "../protocol.ts";

const DEFAULT_PORT = 1935;
const DEFAULT_TLS_PORT = 443;

/** Pulls a live stream from an RTMP server or camera, `rtmp://host/application/stream`, or over TLS as rtmps. */
export const rtmpProtocol: Protocol<FfmpegInput> = {
  name: "rtmp",
  schemes: ["rtmp", "rtmps"],
  fields: ["username", "password"],

  async resolve(config: CameraConfig): Promise<FfmpegInput> {
    const secure = /^\s*rtmps:/i.test(config.address);
    const address = parseNetworkAddress(config.address, secure ? DEFAULT_TLS_PORT : DEFAULT_PORT, config);
    const { host, port, path, credentials } = address;
    const display = maskQueries(toDisplay(address));
    if (!/^\/[^/?#]+\/[^/?#]/.test(path)) {
      throw new CctvError(
        "ADDRESS_INVALID",
        `${display} lacks the application or the name of the stream; write it as ${address.scheme}://host/live/door`,
      );
    }
    return {
      url: toUrl(address),
      display,
      options: {
        // A recording of the same name is not what a camera is.
        rtmp_live: "live",
        // Many servers announce sound that never comes; ffmpeg would wait five seconds for it.
        analyzeduration: "1000000",
      },
      protocols: secure ? ["rtmps", "tls", "tcp"] : ["rtmp", "tcp"],
      live: true,
      loop: false,
      secretQueries: true,
      endpoint: { host: host.replace(/^\[|\]$/g, ""), port },
      ...(credentials && { credentials }),
    };
  },
};

import { CctvError } from "../../../errors.ts";
import { parseNetworkAddress, toDisplay, toUrl } from "../../address.ts";
import { maskQueries } from "../../secrets.ts";
import type { CameraConfig, FfmpegInput, Protocol } from "../protocol.ts";
import { FlvRelay } from "./listen/flv-relay.ts";
import { awaitPush } from "./listen/push-listener.ts";

type OnWaiting = (reason: CctvError) => void;

const DEFAULT_PORT = 1935;
const DEFAULT_TLS_PORT = 443;
/** An application, the name of a stream in it, and perhaps a query. */
const STREAM_PATH = /^\/([^/?#][^?#]*?)\/+([^/?#]+(?:\?[^#]*)?)$/;

/**
 * Pulls a live stream from an RTMP server or camera, `rtmp://host/application/stream`, or over TLS as rtmps.
 *
 * `rtmp-listen://0.0.0.0:1935/application/key` waits at that address of this machine for a camera that pushes
 * there. Then `resolve` takes until a camera comes, and its stream is that one push.
 */
export const rtmpProtocol: Protocol<FfmpegInput> = {
  name: "rtmp",
  schemes: ["rtmp", "rtmps", "rtmp-listen"],
  fields: ["username", "password"],

  async resolve(config: CameraConfig, signal: AbortSignal, onWaiting?: OnWaiting): Promise<FfmpegInput> {
    return /^\s*rtmp-listen:/i.test(config.address) ? listen(config, signal, onWaiting) : pull(config);
  },
};

function pull(config: CameraConfig): FfmpegInput {
  const secure = /^\s*rtmps:/i.test(config.address);
  const address = parseNetworkAddress(config.address, secure ? DEFAULT_TLS_PORT : DEFAULT_PORT, config);
  const { host, port, path, credentials } = address;
  const display = maskQueries(toDisplay(address));
  if (!STREAM_PATH.test(path)) throw explainPath(address.scheme, display);
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
}

async function listen(
  { address: typed }: CameraConfig,
  signal: AbortSignal,
  onWaiting?: OnWaiting,
): Promise<FfmpegInput> {
  const { host, port, path } = parseNetworkAddress(typed, DEFAULT_PORT);
  const [, application = "", key = ""] = STREAM_PATH.exec(path) ?? [];
  const display = `rtmp://${host}:${port}/${application || "live"}/***`;
  if (key === "") throw explainPath("rtmp", display);
  const at = { host: host.replace(/^\[|\]$/g, ""), port };
  onWaiting?.(
    new CctvError("CAMERA_AWAITED", `waiting at ${display} for the camera to push; enter this address in its settings`),
  );
  const session = await awaitPush({ ...at, display, application, key }, signal);
  const { url } = await FlvRelay.start(session, signal);
  return {
    url,
    display,
    // The beginning says all; ffmpeg would look at five seconds for the frame rate.
    options: { analyzeduration: "300000", seekable: "0" },
    protocols: ["http", "tcp"],
    live: true,
    loop: false,
    secretQueries: true,
  };
}

function explainPath(scheme: string, display: string): CctvError {
  return new CctvError(
    "ADDRESS_INVALID",
    `${display} lacks the application or the name of the stream; write it as ${scheme}://host/live/door`,
  );
}

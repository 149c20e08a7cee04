import { CctvError } from "../../../errors.ts";
import { parseNetworkAddress, toDisplay, toUrl } from "../../address.ts";
import type { CameraConfig, FfmpegInput, Protocol } from "../protocol.ts";

const DEFAULT_PORT = 554;

/** ffmpeg's limit for one wait on the camera's socket, microseconds. */
const SOCKET_TIMEOUT = 8_000_000;

/** ffmpeg copies `user:password`, percent-encoded, into 128 bytes (libavformat/rtsp.c) and drops the rest. */
const LONGEST_USER_INFO = 127;

const TRANSPORT_OPTIONS = {
  auto: { rtsp_flags: "prefer_tcp" },
  tcp: { rtsp_transport: "tcp" },
  udp: { rtsp_transport: "udp" },
} as const;

/** RTSP 1.0 (RFC 2326) over TCP or UDP; most network cameras and recorders speak it. */
export const rtspProtocol: Protocol<FfmpegInput> = {
  name: "rtsp",
  schemes: ["rtsp"],
  fields: ["username", "password", "transport", "certificate"],

  async resolve(config: CameraConfig): Promise<FfmpegInput> {
    const address = parseNetworkAddress(config.address, DEFAULT_PORT, config);
    const { host, port, credentials } = address;
    const url = toUrl(address);
    if (url.indexOf("@") - "rtsp://".length > LONGEST_USER_INFO) {
      throw new CctvError(
        "SETTING_INVALID",
        "user name and password are too long for ffmpeg's RTSP client (127 characters, where each special one counts three or more); give the camera a shorter password",
      );
    }
    return {
      url,
      display: toDisplay(address),
      options: {
        ...TRANSPORT_OPTIONS[config.transport ?? "auto"],
        allowed_media_types: "video",
        timeout: String(SOCKET_TIMEOUT),
        // Shorter probing than ffmpeg's own brings the first picture seconds earlier: the SDP says the rest.
        analyzeduration: "500000",
        probesize: "65536",
      },
      protocols: ["rtsp", "rtp", "tcp", "udp"],
      live: true,
      loop: false,
      endpoint: { host: host.replace(/^\[|\]$/g, ""), port },
      ...(credentials && { credentials }),
    };
  },
};

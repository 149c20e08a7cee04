import { CctvError } from "../../../errors.ts";
import { parseNetworkAddress, toDisplay } from "../../address.ts";
import type { CameraConfig, Protocol, RtspInput } from "../protocol.ts";

/** Where RTSP listens, and where HTTP does that it is tunnelled through; both without and with TLS. */
const DEFAULT_PORTS = { rtsp: { plain: 554, tls: 322 }, http: { plain: 80, tls: 443 } } as const;

/** RTSP 1.0 (RFC 2326) over TCP, TLS, UDP or through HTTP; most network cameras and recorders speak it. */
export const rtspProtocol: Protocol<RtspInput> = {
  name: "rtsp",
  schemes: ["rtsp", "rtsps"],
  fields: ["username", "password", "transport", "certificate"],

  async resolve(config: CameraConfig): Promise<RtspInput> {
    const { transport = "auto" } = config;
    const isSecure = /^\s*rtsps:/i.test(config.address);
    const ports = DEFAULT_PORTS[transport === "http" ? "http" : "rtsp"];
    const address = parseNetworkAddress(config.address, isSecure ? ports.tls : ports.plain, config);
    const display = toDisplay(address);
    if (isSecure && transport === "udp") {
      throw new CctvError(
        "SETTING_INVALID",
        `${display} is to be encrypted, but what comes by UDP is not; choose TCP, or rtsp:// where you trust the network`,
      );
    }
    const host = address.host.replace(/^\[|\]$/g, "");
    const { port, path, credentials } = address;
    return {
      kind: "rtsp",
      display,
      live: true,
      loop: false,
      host,
      port,
      path,
      transport,
      ...(isSecure && { tls: { rejectUnauthorized: config.certificate !== "any" } }),
      endpoint: { host, port },
      ...(credentials && { credentials }),
    };
  },
};

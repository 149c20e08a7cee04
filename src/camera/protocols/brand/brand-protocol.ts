import { CctvError } from "../../../errors.ts";
import { parseNetworkAddress, schemeOf } from "../../address.ts";
import { type Brand, brandOf, brandRtspAddress, brands } from "../../brands/brands.ts";
import { parseDeviceAddress } from "../../device-address.ts";
import type { CameraConfig, PictureInput, Protocol } from "../protocol.ts";
import { rtspProtocol } from "../rtsp/rtsp-protocol.ts";

/**
 * Cameras and recorders by their brand and channel alone, such as `axis://host?channel=2&stream=main`: RTSP at the
 * path that `brands.json` knows. The port is that of RTSP. The sub-stream by default, which is enough to analyse.
 */
export const brandProtocol: Protocol<PictureInput> = {
  name: "brand",
  schemes: brands.filter(({ protocol }) => protocol === "brand").flatMap(({ id, aliases }) => [id, ...aliases]),
  fields: ["username", "password", "channel", "stream", "transport", "certificate"],

  async resolve(config: CameraConfig, signal: AbortSignal): Promise<PictureInput> {
    const text = config.address.trim();
    const brand = brandOf(schemeOf(text));
    if (!brand) {
      throw new CctvError(
        "ADDRESS_SCHEME_UNKNOWN",
        `no brand is known as "${schemeOf(text)}"; known are ${brands.map(({ id }) => id).join(", ")}`,
      );
    }
    // A name that ends in s, as axis does, says nothing of TLS.
    const address = text.replace(/^[^:]*/, "brand");
    const { credentials, channel, stream = "sub" } = parseDeviceAddress({ ...config, address });
    const { host, port } = parseNetworkAddress(address, usualPort(brand, config), config);
    const rtsp = brandRtspAddress(brand, { host, port, channel, stream });
    return rtspProtocol.resolve({ ...config, ...credentials, address: rtsp }, signal);
  },
};

/** Through HTTP the stream comes from the port of HTTP. */
function usualPort({ ports }: Brand, { transport }: CameraConfig): number {
  return transport === "http" ? (ports.http?.[0] ?? 80) : (ports.rtsp?.[0] ?? 554);
}

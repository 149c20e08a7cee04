import { CctvError } from "../../../errors.ts";
import { httpProtocol } from "../http/http-protocol.ts";
import type { CameraConfig, PictureInput, Protocol } from "../protocol.ts";
import { rtspProtocol } from "../rtsp/rtsp-protocol.ts";
import type { StreamProtocol } from "./media.ts";
import { type OnvifAddress, parseOnvifAddress } from "./onvif-address.ts";
import { OnvifDevice } from "./onvif-device.ts";
import { OnvifSession } from "./onvif-session.ts";
import { chooseProfile } from "./profile-choice.ts";
import type { HttpTarget, StreamTarget } from "./reported-address.ts";
import { SoapFault } from "./soap-fault.ts";

const STREAM_PROTOCOLS: Readonly<Record<NonNullable<CameraConfig["transport"]>, StreamProtocol>> = {
  auto: "tcp",
  tcp: "tcp",
  udp: "udp",
  http: "http",
};

/**
 * Cameras and recorders of any make that speak ONVIF: the camera says where its streams are, and the one
 * that fits the analysis is opened by RTSP. Hosts that the camera names are never visited: it is the
 * configured one that is asked for everything.
 */
export const onvifProtocol: Protocol = {
  name: "onvif",
  schemes: ["onvif", "onvifs"],
  fields: ["username", "password", "certificate", "transport", "channel", "stream"],

  async resolve(config: CameraConfig, signal: AbortSignal): Promise<PictureInput> {
    const address = parseOnvifAddress(config);
    const target = await findStream(address, config, signal);
    return openStream(address, target, config, signal);
  },

  device: (config) => new OnvifDevice(config, Date.now),
};

async function findStream(address: OnvifAddress, config: CameraConfig, signal: AbortSignal): Promise<StreamTarget> {
  const session = await OnvifSession.open(address, { rejectUnauthorized: config.certificate !== "any" }, signal);
  try {
    const { token = "" } = chooseProfile(session.profiles(), config) ?? {};
    const uri = await streamUri(session, token, STREAM_PROTOCOLS[config.transport ?? "auto"], signal);
    const target = session.addresses.stream(uri);
    if (target) return target;
    throw new CctvError(
      "CAMERA_NOT_FOUND",
      `${address.display} names no address for its stream; check the profile in the camera's settings, or use its RTSP address`,
    );
  } finally {
    await session.close();
  }
}

/** Cameras that know no other way give their usual address, which may serve the wanted one as well. */
async function streamUri(
  session: OnvifSession,
  token: string,
  protocol: StreamProtocol,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    return await session.media.streamUri(token, protocol, signal);
  } catch (error) {
    if (protocol === "tcp" || !(error instanceof SoapFault)) throw error;
    return session.media.streamUri(token, "tcp", signal);
  }
}

function openStream(
  address: OnvifAddress,
  found: StreamTarget,
  { transport, certificate }: CameraConfig,
  signal: AbortSignal,
): Promise<PictureInput> {
  const { scheme, port, path } = transport === "http" ? throughTunnel(found, address.device) : found;
  const stream: CameraConfig = {
    address: `${scheme}://${address.host}:${port}${path}`,
    transport,
    certificate,
    ...address.credentials,
  };
  const isHttp = scheme === "http" || scheme === "https";
  return isHttp ? httpProtocol.resolve(stream, signal) : rtspProtocol.resolve(stream, signal);
}

/** RTSP through the camera's web server, wherever it says that is; else where its services are. */
function throughTunnel({ scheme, port, path }: StreamTarget, device: HttpTarget): StreamTarget {
  if (scheme === "http" || scheme === "https") return { scheme: scheme === "https" ? "rtsps" : "rtsp", port, path };
  return { scheme: device.secure ? "rtsps" : "rtsp", port: device.port, path };
}

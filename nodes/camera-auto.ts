import type { NodeAPI } from "node-red";
import { readAddress } from "../src/camera/auto/read-address.ts";
import { brands } from "../src/camera/brands/brands.ts";
import { deviceAddress } from "../src/camera/device-address.ts";
import type { CameraConfig } from "../src/camera/protocols/protocol.ts";
import { CERTIFICATES, LOGIN, registerCamera, STREAMS, TRANSPORTS } from "./shared/camera-node.ts";
import type { CameraDef } from "./shared/camera-node-type.ts";
import { choiceSetting, type Field, numberSetting } from "./shared/settings.ts";

interface CameraAutoDef extends CameraDef {
  setUpBy?: Field;
  address?: string;
  brand?: Field;
  host?: string;
  channel?: Field;
  stream?: Field;
  transport?: Field;
  certificate?: Field;
}

const WAYS = ["address", "brand"] as const;
const SCHEMES: ReadonlyMap<string, string> = new Map(brands.map(({ id, scheme }) => [id, scheme]));
const BRANDS = [...SCHEMES.keys()] as [string, ...string[]];

/** Opens any camera, by whatever address there is or by its brand, host and channel. */
export default function register(RED: NodeAPI): void {
  registerCamera<CameraAutoDef>(RED, "camera-auto", {
    credentials: LOGIN,
    configure: (def, { username, password }) => ({
      ...(choiceSetting("Set up by", def.setUpBy, WAYS) === "brand" ? byBrand(def) : byAddress(def)),
      transport: choiceSetting("Transport", def.transport, TRANSPORTS),
      certificate: choiceSetting("Certificate", def.certificate, CERTIFICATES),
      username,
      password,
    }),
  });
}

function byAddress({ address = "", stream }: CameraAutoDef): CameraConfig {
  const chosen = choiceSetting("Stream", stream, STREAMS);
  // The sub-stream is what every protocol takes by itself; unsaid, it lets an address ask for another.
  return { address: readAddress(address), ...(chosen === "main" && { stream: chosen }) };
}

function byBrand({ brand, host = "", channel, stream }: CameraAutoDef): CameraConfig {
  const scheme = SCHEMES.get(choiceSetting("Brand", brand, BRANDS)) ?? "";
  return {
    address: deviceAddress(scheme, host, undefined),
    channel: numberSetting("Channel", channel, 1, [1, 9999]),
    stream: choiceSetting("Stream", stream, STREAMS),
  };
}

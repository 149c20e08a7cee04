import type { NodeAPI } from "node-red";
import { deviceAddress } from "../src/camera/device-address.ts";
import { CERTIFICATES, LOGIN, registerCamera, STREAMS, TRANSPORTS } from "./shared/camera-node.ts";
import type { CameraDef } from "./shared/camera-node-type.ts";
import { choiceSetting, type Field, numberSetting } from "./shared/settings.ts";

interface CameraHikvisionDef extends CameraDef {
  host: string;
  port?: Field;
  channel?: Field;
  stream?: Field;
  transport?: Field;
  certificate?: Field;
}

/** Opens one channel of a Hikvision camera or recorder, and takes its commands and events. */
export default function register(RED: NodeAPI): void {
  registerCamera<CameraHikvisionDef>(RED, "camera-hikvision", {
    credentials: LOGIN,
    isDevice: true,
    configure: ({ host, port, channel, stream, transport, certificate }, { username, password }) => ({
      address: deviceAddress("hik", host, port),
      channel: numberSetting("Channel", channel, 1, [1, 9999]),
      stream: choiceSetting("Stream", stream, STREAMS),
      transport: choiceSetting("Transport", transport, TRANSPORTS),
      certificate: choiceSetting("Certificate", certificate, CERTIFICATES),
      username,
      password,
    }),
  });
}

import type { NodeAPI } from "node-red";
import { CERTIFICATES, LOGIN, registerCamera, STREAMS, TRANSPORTS } from "./shared/camera-node.ts";
import type { CameraDef } from "./shared/camera-node-type.ts";
import { choiceSetting, type Field, numberSetting } from "./shared/settings.ts";

interface CameraOnvifDef extends CameraDef {
  host?: string;
  port?: Field;
  channel?: Field;
  stream?: Field;
  transport?: Field;
  certificate?: Field;
}

/** Asks an ONVIF camera or recorder for its stream; passes on what it notices, and commands to it. */
export default function register(RED: NodeAPI): void {
  registerCamera<CameraOnvifDef>(RED, "camera-onvif", {
    credentials: LOGIN,
    isDevice: true,
    configure: ({ host, port, channel, stream, transport, certificate }, { username, password }) => ({
      address: toAddress(host ?? "", port),
      channel: channel ? numberSetting("Channel", channel, 1, [1, 999]) : undefined,
      stream: choiceSetting("Stream", stream, STREAMS),
      transport: choiceSetting("Transport", transport, TRANSPORTS),
      certificate: choiceSetting("Certificate", certificate, CERTIFICATES),
      username,
      password,
    }),
  });
}

/** The host field takes a host, a whole `onvif://` address, and the `http://` one that other tools show. */
function toAddress(hostField: string, port: Field): string {
  const host = hostField.trim();
  if (/^https?:\/\//i.test(host)) return host.replace(/^http/i, "onvif");
  if (/^onvifs?:\/\//i.test(host)) return host;
  const number = port ? `:${numberSetting("Port", port, 80, [1, 65535])}` : "";
  const isBareIpv6 = /^[0-9a-f]*:[0-9a-f]*:[0-9a-f:.]*$/i.test(host);
  return `onvif://${isBareIpv6 ? `[${host}]` : host}${number}`;
}

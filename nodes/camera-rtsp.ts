import type { Node, NodeAPI } from "node-red";
import { choiceSetting, type Field } from "./shared/settings.ts";
import { type SourceDef, startSource } from "./shared/source-node.ts";

interface CameraRtspDef extends SourceDef {
  url: string;
  subUrl?: string;
  transport?: Field;
}

interface Credentials {
  username?: string;
  password?: string;
}

const TRANSPORTS = ["tcp", "udp"] as const;

/** Pulls a camera or recorder over RTSP; the sub-stream is analysed where there is one. */
export default function register(RED: NodeAPI): void {
  function CameraRtsp(this: Node<Credentials>, def: CameraRtspDef): void {
    RED.nodes.createNode(this, def);
    const { username, password } = this.credentials ?? {};
    startSource(RED, this, def, () => ({
      address: def.subUrl || def.url,
      transport: choiceSetting("Transport", def.transport, TRANSPORTS),
      username,
      password,
    }));
  }

  RED.nodes.registerType<Node<Credentials>, CameraRtspDef, object, Credentials>("camera-rtsp", CameraRtsp, {
    credentials: { username: { type: "text" }, password: { type: "password" } },
  });
}

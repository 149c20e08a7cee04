import type { Node, NodeAPI } from "node-red";
import { choiceSetting, type Field } from "./shared/settings.ts";
import { type SourceDef, startSource } from "./shared/source-node.ts";

interface CameraHttpDef extends SourceDef {
  url: string;
  certificate?: Field;
}

interface Credentials {
  username?: string;
  password?: string;
}

const CERTIFICATES = ["trusted", "any"] as const;

/** Reads a camera's MJPEG stream, or asks for its snapshot again and again. */
export default function register(RED: NodeAPI): void {
  function CameraHttp(this: Node<Credentials>, def: CameraHttpDef): void {
    RED.nodes.createNode(this, def);
    const { username, password } = this.credentials ?? {};
    startSource(RED, this, def, () => ({
      address: def.url,
      certificate: choiceSetting("Certificate", def.certificate, CERTIFICATES),
      username,
      password,
    }));
  }

  RED.nodes.registerType<Node<Credentials>, CameraHttpDef, object, Credentials>("camera-http", CameraHttp, {
    credentials: { username: { type: "text" }, password: { type: "password" } },
  });
}

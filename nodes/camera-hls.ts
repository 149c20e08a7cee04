import type { Node, NodeAPI } from "node-red";
import { withQuery } from "./shared/secret-query.ts";
import { type SourceDef, startSource } from "./shared/source-node.ts";

interface CameraHlsDef extends SourceDef {
  url: string;
  loop?: boolean;
}

interface Credentials {
  username?: string;
  password?: string;
  query?: string;
}

/** Pulls an HLS stream, live or recorded. */
export default function register(RED: NodeAPI): void {
  function CameraHls(this: Node<Credentials>, def: CameraHlsDef): void {
    RED.nodes.createNode(this, def);
    const { username, password, query } = this.credentials ?? {};
    startSource(RED, this, def, () => ({
      // As hls:// it is taken for a playlist whatever its ending.
      address: withQuery((def.url ?? "").trim().replace(/^http/i, "hls"), query),
      loop: def.loop ?? false,
      username,
      password,
    }));
  }

  RED.nodes.registerType<Node<Credentials>, CameraHlsDef, object, Credentials>("camera-hls", CameraHls, {
    credentials: { username: { type: "text" }, password: { type: "password" }, query: { type: "password" } },
  });
}

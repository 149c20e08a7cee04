import type { Node, NodeAPI } from "node-red";
import { withQuery } from "./shared/secret-query.ts";
import { type SourceDef, startSource } from "./shared/source-node.ts";

interface CameraRtmpDef extends SourceDef {
  url: string;
}

interface Credentials {
  query?: string;
}

/** Pulls a live stream from an RTMP server or camera. */
export default function register(RED: NodeAPI): void {
  function CameraRtmp(this: Node<Credentials>, def: CameraRtmpDef): void {
    RED.nodes.createNode(this, def);
    const { query } = this.credentials ?? {};
    startSource(RED, this, def, () => ({ address: withQuery((def.url ?? "").trim(), query) }));
  }

  RED.nodes.registerType<Node<Credentials>, CameraRtmpDef, object, Credentials>("camera-rtmp", CameraRtmp, {
    credentials: { query: { type: "password" } },
  });
}

import type { Node, NodeAPI } from "node-red";
import type { SocketServer } from "../../src/socket/socket-server.ts";

/**
 * Keeps the node's status at the number of clients, or at what is missing.
 * @returns ends it.
 */
export function showClients(RED: NodeAPI, node: Node, sockets: SocketServer | undefined): () => void {
  if (!sockets) {
    node.status({ fill: "red", shape: "ring", text: RED._(`${node.type}.status.failed`) });
    return () => undefined;
  }
  const show = (count: number): void =>
    node.status({
      fill: count > 0 ? "green" : "grey",
      shape: count > 0 ? "dot" : "ring",
      text: RED._(`${node.type}.status.clients`, { count }),
    });
  show(sockets.clients);
  sockets.on("clients", show);
  return () => sockets.off("clients", show);
}

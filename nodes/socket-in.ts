import type { Node, NodeAPI, NodeDef } from "node-red";
import { ANSWERED_EVENTS, type ClientEvent } from "../src/socket/socket-server.ts";
import { showClients } from "./shared/socket-clients.ts";
import type { SocketServerNode } from "./socket-server.ts";

interface SocketInDef extends NodeDef {
  /** Id of a `socket-server`. */
  server?: string;
  /** Names of events, with commas; empty: all that the server does not answer by itself. */
  events?: string;
}

/** Passes on what socket clients send. */
export default function register(RED: NodeAPI): void {
  function SocketIn(this: Node, def: SocketInDef): void {
    RED.nodes.createNode(this, def);
    const sockets = (RED.nodes.getNode(def.server ?? "") as SocketServerNode | null)?.sockets;
    const stopShowing = showClients(RED, this, sockets);
    const wanted = (def.events ?? "")
      .split(",")
      .map((name) => name.trim())
      .filter(Boolean);
    const isWanted = (topic: string): boolean =>
      wanted.length > 0 ? wanted.includes(topic) : !ANSWERED_EVENTS.includes(topic);
    const pass = (event: ClientEvent): void => {
      if (isWanted(event.topic)) this.send({ ...event });
    };
    sockets?.on("event", pass);
    this.on("close", () => {
      sockets?.off("event", pass);
      stopShowing();
    });
  }

  RED.nodes.registerType("socket-in", SocketIn);
}

import type { Node, NodeAPI, NodeDef, NodeMessage } from "node-red";
import { asCctvError, CctvError } from "../src/errors.ts";
import type { Audience } from "../src/socket/socket-server.ts";
import { showClients } from "./shared/socket-clients.ts";
import type { SocketServerNode } from "./socket-server.ts";

interface SocketOutDef extends NodeDef {
  /** Id of a `socket-server`. */
  server?: string;
  /** Name of the event; empty: `msg.topic`. */
  event?: string;
}

interface SocketOutMessage extends NodeMessage {
  /** Only to this client. */
  socketId?: unknown;
  /** Only to the clients that watch the camera of this id. */
  room?: unknown;
}

/** Sends events to socket clients. */
export default function register(RED: NodeAPI): void {
  function SocketOut(this: Node, def: SocketOutDef): void {
    RED.nodes.createNode(this, def);
    const sockets = (RED.nodes.getNode(def.server ?? "") as SocketServerNode | null)?.sockets;
    const stopShowing = showClients(RED, this, sockets);
    this.on("input", (msg: SocketOutMessage, _send, done: (error?: Error) => void) => {
      try {
        if (!sockets) throw new CctvError("SETTING_INVALID", '"Server" names no socket server that runs; choose one');
        sockets.publish(eventOf(msg, def), msg.payload, audienceOf(msg));
        done();
      } catch (error) {
        done(asCctvError(error, "MESSAGE_INVALID"));
      }
    });
    this.on("close", stopShowing);
  }

  RED.nodes.registerType("socket-out", SocketOut);
}

/** @throws CctvError MESSAGE_INVALID */
function eventOf({ topic }: SocketOutMessage, { event }: SocketOutDef): string {
  const name = event || topic;
  if (typeof name === "string" && name !== "") return name;
  throw new CctvError("MESSAGE_INVALID", "an event has a name; set msg.topic, or the event in the node's dialog");
}

/** @throws CctvError MESSAGE_INVALID rather than telling everybody what was meant for somebody */
function audienceOf({ socketId, room }: SocketOutMessage): Audience | undefined {
  if (socketId !== undefined) return { socketId: textOf("msg.socketId", socketId) };
  return room === undefined ? undefined : { cameraId: textOf("msg.room", room) };
}

function textOf(name: string, value: unknown): string {
  if (typeof value === "string" && value !== "") return value;
  throw new CctvError(
    "MESSAGE_INVALID",
    `${name} takes a text that is not empty; set it, or delete it to send to all clients`,
  );
}

import { components, listedCamera } from "./schemas/components.ts";
import { cameraId } from "./schemas/fields.ts";
import { type JsonSchema, objectOf, refTo } from "./schemas/json-schema.ts";

interface SocketEvent {
  readonly name: string;
  readonly summary: string;
  /** Absent where the event carries nothing. */
  readonly payload?: JsonSchema;
}

const API_VERSION = "1.0.0";
const aCamera = objectOf({ camera_id: cameraId }, ["camera_id"]);

/** From the server to its clients. */
const SENT: readonly SocketEvent[] = [
  {
    name: "message",
    summary: "Greets each client when it has connected",
    payload: objectOf({ data: { type: "string" } }, ["data"]),
  },
  {
    name: "cameras",
    summary: "All cameras by their ids, as an answer to get_cameras",
    payload: { type: "object", additionalProperties: listedCamera },
  },
  {
    name: "frame",
    summary: "A picture of a camera that the client watches; a slow client gets fewer",
    payload: objectOf(
      {
        camera_id: cameraId,
        data: { description: "the bytes of a JPEG, as a binary attachment" },
        timestamp: { type: "number", description: "when it was captured, epoch milliseconds" },
      },
      ["camera_id", "data", "timestamp"],
    ),
  },
  {
    name: "alert",
    summary: "A gesture for review",
    payload: {
      type: "object",
      properties: {
        camera_id: cameraId,
        confidence: { type: "number", minimum: 0, maximum: 1 },
        timestamp: { type: "string", description: "RFC 3339" },
        type: { const: "suspicious" },
      },
      required: ["camera_id", "confidence", "timestamp", "type"],
    },
  },
  {
    name: "discovery-progress",
    summary: "What a scan for cameras finds, and how far it is",
    payload: {
      type: "object",
      properties: {
        type: { enum: ["found", "updated", "progress", "finished"] },
        device: refTo("FoundDevice"),
        progress: { type: "number", minimum: 0, maximum: 1 },
        devices: { type: "array", items: refTo("FoundDevice") },
      },
      required: ["type"],
    },
  },
];

/** From a client to the server. */
const TAKEN: readonly SocketEvent[] = [
  { name: "get_cameras", summary: "Asks for all cameras" },
  { name: "watch_camera", summary: "Asks for the pictures of a camera from now on", payload: aCamera },
  { name: "unwatch_camera", summary: "Wants them no more", payload: aCamera },
];

/** The description of the socket's events by AsyncAPI 3.0. */
export function asyncApiDocument(): JsonSchema {
  const events = [...SENT, ...TAKEN];
  return {
    asyncapi: "3.0.0",
    info: {
      title: "Camera server: events",
      version: API_VERSION,
      description:
        "Events of Socket.IO 4 at its default path. The key goes into the handshake: auth.token, or the header Authorization.",
    },
    channels: {
      socket: {
        address: "/socket.io/",
        messages: Object.fromEntries(events.map(({ name }) => [name, { $ref: `#/components/messages/${name}` }])),
      },
    },
    operations: Object.fromEntries([
      ...SENT.map((event) => [event.name, toOperation(event, "send")]),
      ...TAKEN.map((event) => [event.name, toOperation(event, "receive")]),
    ]),
    components: {
      messages: Object.fromEntries(events.map((event) => [event.name, toMessage(event)])),
      schemas: components,
    },
  };
}

function toOperation({ name, summary }: SocketEvent, action: "send" | "receive"): JsonSchema {
  const channel = { $ref: "#/channels/socket" };
  return { action, channel, summary, messages: [{ $ref: `#/channels/socket/messages/${name}` }] };
}

function toMessage({ name, summary, payload }: SocketEvent): JsonSchema {
  return { name, summary, ...(payload && { payload }) };
}

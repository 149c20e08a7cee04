import { ERROR_CODES } from "../../errors.ts";
import * as fields from "./fields.ts";
import { type JsonSchema, objectOf } from "./json-schema.ts";

const text: JsonSchema = { type: "string" };
const count: JsonSchema = { type: "integer", minimum: 0 };
const port: JsonSchema = { type: "integer", minimum: 1, maximum: 65535 };
const code: JsonSchema = { enum: ERROR_CODES };
const masked: JsonSchema = { type: "string", description: "the address, without user and password" };
const framesPerSecond: JsonSchema = {
  type: "number",
  minimum: 0,
  description: "frames a second, over the last seconds",
};

/** What is the matter, where pictures are missing. */
const reason = objectOf({ code, message: text }, ["code", "message"]);

const listed = {
  name: text,
  source: masked,
  connected: { type: "boolean" },
  fps: framesPerSecond,
  alerts: count,
} satisfies Record<string, JsonSchema>;

/** What every list of cameras tells of each, at least. */
export const listedCamera: JsonSchema = { ...objectOf(listed, Object.keys(listed)), additionalProperties: true };

const camera = {
  ...listed,
  location: text,
  site: text,
  protocol: text,
  enabled: { type: "boolean" },
  detecting: { type: "boolean", description: "whether detection is wanted" },
} satisfies Record<string, JsonSchema>;

const cameraStatus = {
  camera_id: fields.cameraId,
  name: text,
  source: masked,
  connected: { type: "boolean" },
  fps: framesPerSecond,
  alerts_total: count,
  last_frame_time: { type: ["string", "null"], description: "RFC 3339, in UTC" },
  status: {
    enum: ["ACTIVE", "CONNECTING", "DISCONNECTED", "FAILED", "ENDED", "STOPPED", "DISABLED"],
    description: "STOPPED: no detection is wanted; FAILED: given up, see the reason",
  },
  location: text,
  site: text,
  protocol: text,
  username: text,
  has_password: { type: "boolean" },
  enabled: { type: "boolean" },
  detecting: { type: "boolean" },
  reconnects: count,
  decode_errors: count,
  created_at: text,
  updated_at: text,
} satisfies Record<string, JsonSchema>;

const optionalStatus = {
  reason,
  width: count,
  height: count,
  codec: text,
  bits_per_second: { type: "number", minimum: 0 },
  channel: fields.channel,
  stream: fields.stream,
  transport: fields.transport,
  certificate: fields.certificate,
} satisfies Record<string, JsonSchema>;

const found = {
  ip: text,
  protocol: { enum: ["ONVIF", "RTSP", "HTTP"] },
  port,
  url: text,
} satisfies Record<string, JsonSchema>;

const device = {
  ip: text,
  ips: { type: "array", items: text },
  protocols: { type: "array", items: text },
  ports: { type: "array", items: port },
  addresses: { type: "array", items: text, description: "what to open, in the order to try it" },
} satisfies Record<string, JsonSchema>;

const optionalDevice = {
  mac: text,
  endpoint: text,
  vendor: text,
  model: text,
  name: text,
  hardware: text,
  location: text,
  needsPassword: { type: "boolean" },
  activated: { type: "boolean" },
} satisfies Record<string, JsonSchema>;

/** What the description holds once, by name. */
export const components = {
  Camera: objectOf({ ...camera, reason }, Object.keys(camera)),
  CameraStatus: objectOf({ ...cameraStatus, ...optionalStatus }, Object.keys(cameraStatus)),
  FoundCamera: objectOf(found, Object.keys(found)),
  FoundDevice: objectOf({ ...device, ...optionalDevice }, Object.keys(device)),
  Skipped: objectOf({ camera_id: fields.cameraId, code, message: text }, ["camera_id", "code", "message"]),
  Error: objectOf({ status: { const: "error" }, message: text, code }, ["status", "message", "code"]),
} as const satisfies Record<string, JsonSchema>;

import type { JsonSchema } from "./json-schema.ts";

/** Control characters are in nobody's name, and PostgreSQL takes no NUL. */
const PRINTABLE = "^[^\\u0000-\\u001f\\u007f]*$";
const line = (maxLength: number, description: string): JsonSchema => ({
  type: "string",
  maxLength,
  pattern: PRINTABLE,
  description,
});

/** Each description says what the field takes: messages about wrong ones repeat it. */
export const cameraId: JsonSchema = {
  type: "string",
  pattern: "^[a-z0-9][a-z0-9_-]{0,63}$",
  description: "an id of small letters, digits, - and _, at most 64",
};
export const name = line(200, "a name of at most 200 characters");
export const location = line(200, "a place of at most 200 characters");
export const site = line(200, "the name of a site, of at most 200 characters");
export const url: JsonSchema = {
  ...line(2048, "the address of a camera, such as rtsp://192.168.1.64:554/stream, or its host alone"),
  minLength: 1,
};
export const protocol: JsonSchema = {
  type: "string",
  pattern: "^[A-Za-z][A-Za-z0-9+.-]{0,31}$",
  description: "the name of a protocol, such as RTSP, HTTP, HLS, RTMP, ONVIF, Hikvision or Dahua, or auto",
};
export const username: JsonSchema = {
  ...line(256, "a user name of at most 256 characters, or null for none"),
  type: ["string", "null"],
};
export const password: JsonSchema = {
  type: ["string", "null"],
  maxLength: 256,
  pattern: PRINTABLE,
  writeOnly: true,
  description: "a password of at most 256 characters, or null for none",
};
export const channel: JsonSchema = {
  type: "integer",
  minimum: 1,
  maximum: 9999,
  description: "a whole number from 1 to 9999",
};
export const stream: JsonSchema = { enum: ["main", "sub"], description: "main or sub" };
export const transport: JsonSchema = { enum: ["auto", "tcp", "udp", "http"], description: "auto, tcp, udp or http" };
export const certificate: JsonSchema = { enum: ["trusted", "any"], description: "trusted or any" };

/** What a camera is opened with. */
export const connection = { url, protocol, username, password, channel, stream, transport, certificate };

/** Which cameras detection is about. */
export const cameras: JsonSchema = {
  type: "array",
  items: cameraId,
  maxItems: 1000,
  description: "an array of at most 1000 camera ids",
};

const subnet = line(64, "a subnet such as 192.168.1.0/24");
export const subnets: JsonSchema = {
  anyOf: [subnet, { type: "array", items: subnet, maxItems: 16 }],
  description: "a subnet such as 192.168.1.0/24, or an array of at most 16 of them",
};

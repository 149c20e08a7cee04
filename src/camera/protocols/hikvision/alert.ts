import type { CameraEvent, CameraEventKind } from "../../device.ts";
import type { Part } from "../../http/multipart.ts";
import { parseXml, type XmlElement } from "../../xml.ts";

/** ISAPI's event types, in lower case, as far as they have a common name. */
const KINDS: ReadonlyMap<string, CameraEventKind> = new Map([
  ["vmd", "motion"],
  ["motiondetection", "motion"],
  ["pir", "motion"],
  ["linedetection", "line-crossing"],
  ["fielddetection", "intrusion"],
  ["regionentrance", "intrusion"],
  ["regionexiting", "intrusion"],
  ["facedetection", "person"],
  ["facesnap", "person"],
  ["humanrecognition", "person"],
  ["vehicledetection", "vehicle"],
  ["anpr", "vehicle"],
  ["shelteralarm", "tamper"],
  ["tamperdetection", "tamper"],
  ["scenechangedetection", "tamper"],
  ["defocus", "tamper"],
  ["videoloss", "video-loss"],
  ["io", "input"],
  ["audioexception", "sound"],
  ["audiodetection", "sound"],
  ["diskfull", "storage"],
  ["diskerror", "storage"],
  ["diskunformat", "storage"],
]);

export function kindOfAlert(eventType: string): CameraEventKind {
  return KINDS.get(eventType.toLowerCase()) ?? "other";
}

/**
 * Reads a part of an alert stream, XML or JSON. Undefined for what is no event: the heartbeat, which is a loss of video
 * that is not there, and what cannot be read.
 *
 * @param at epoch milliseconds
 */
export function readAlert({ body }: Part, at: number): CameraEvent | undefined {
  const data = readData(body.toString().trim());
  const topic = data && textIn(data, "eventType");
  if (!topic) return undefined;
  const kind = kindOfAlert(topic);
  const state = textIn(data, "eventState")?.toLowerCase();
  if (kind === "video-loss" && state === "inactive") return undefined;
  // Recorders number their network cameras apart in the second of these.
  const channel = channelIn(data, "dynChannelID") ?? channelIn(data, "channelID");
  return {
    kind,
    topic,
    ...((state === "active" || state === "inactive") && { active: state === "active" }),
    ...(channel !== undefined && { channel }),
    at,
    data,
  };
}

type Data = Readonly<Record<string, unknown>>;

function readData(text: string): Data | undefined {
  try {
    if (text.startsWith("{")) return unwrapped(JSON.parse(text));
    if (text.startsWith("<")) return unwrapped(toPlain(parseXml(text, "the camera")));
  } catch {
    // Half a document: the next part is whole again.
  }
  return undefined;
}

function unwrapped(value: unknown): Data | undefined {
  if (!isObject(value)) return undefined;
  const { EventNotificationAlert: inner } = value;
  return isObject(inner) ? inner : value;
}

function isObject(value: unknown): value is Data {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** As people would write it in JSON: text for a leaf, an array for what is repeated. */
function toPlain({ children, text }: XmlElement): unknown {
  if (children.length === 0) return text;
  const values = new Map<string, unknown[]>();
  for (const child of children) values.set(child.name, [...(values.get(child.name) ?? []), toPlain(child)]);
  return Object.fromEntries([...values].map(([name, all]) => [name, all.length > 1 ? all : all[0]]));
}

function textIn(data: Data, name: string): string | undefined {
  const value = data[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function channelIn(data: Data, name: string): number | undefined {
  const value = data[name];
  const channel = typeof value === "string" || typeof value === "number" ? Number(value) : 0;
  return Number.isInteger(channel) && channel > 0 ? channel : undefined;
}

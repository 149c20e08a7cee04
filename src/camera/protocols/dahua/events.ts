import type { CameraEvent, CameraEventKind } from "../../device.ts";

/** Dahua's event codes, as far as they have a common name. */
const KINDS: ReadonlyMap<string, CameraEventKind> = new Map([
  ["VideoMotion", "motion"],
  ["MDResult", "motion"],
  ["CrossLineDetection", "line-crossing"],
  ["CrossRegionDetection", "intrusion"],
  ["SmartMotionHuman", "person"],
  ["HumanTrait", "person"],
  ["FaceDetection", "person"],
  ["SmartMotionVehicle", "vehicle"],
  ["TrafficJunction", "vehicle"],
  ["VideoBlind", "tamper"],
  ["SceneChange", "tamper"],
  ["VideoUnFocus", "tamper"],
  ["VideoLoss", "video-loss"],
  ["AlarmLocal", "input"],
  ["AudioMutation", "sound"],
  ["AudioAnomaly", "sound"],
  ["StorageNotExist", "storage"],
  ["StorageFailure", "storage"],
  ["StorageLowSpace", "storage"],
]);

/** Their index counts inputs or disks, not channels. */
const WITHOUT_CHANNEL: ReadonlySet<CameraEventKind> = new Set(["input", "storage"]);
const ACTIVE: ReadonlyMap<string, boolean> = new Map([
  ["Start", true],
  ["Stop", false],
]);

const EVENT = /^Code=([^;\r\n]+);action=([^;\r\n]*)(?:;index=(-?\d{1,6}))?(?:;data=(.*))?$/s;
const NEXT_EVENT = /\r?\n(?=Code=[^;\r\n]+;action=)/;

export function kindOfCode(code: string): CameraEventKind {
  return KINDS.get(code) ?? "other";
}

/**
 * Reads a part of an event stream: `Code=VideoMotion;action=Start;index=0;data={…}`, the last of it JSON over several
 * lines. Heartbeats, and what else is no event, give none.
 *
 * @param at epoch milliseconds
 */
export function readEvents(text: string, at: number): CameraEvent[] {
  return text.split(NEXT_EVENT).flatMap((one) => readEvent(one.trim(), at));
}

function readEvent(text: string, at: number): CameraEvent[] {
  const [, topic, action = "", indexText, dataText] = EVENT.exec(text) ?? [];
  if (topic === undefined) return [];
  const kind = kindOfCode(topic);
  const active = ACTIVE.get(action);
  const index = indexText === undefined ? undefined : Number(indexText);
  const hasChannel = index !== undefined && index >= 0 && !WITHOUT_CHANNEL.has(kind);
  return [
    {
      kind,
      topic,
      ...(active !== undefined && { active }),
      ...(hasChannel && { channel: index + 1 }),
      at,
      data: { action, ...(index !== undefined && { index }), ...readData(dataText) },
    },
  ];
}

/** What is no JSON is kept as it came. */
function readData(text: string | undefined): Record<string, unknown> {
  if (text === undefined || text.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : { data: value };
  } catch {
    return { data: text.trim() };
  }
}

import type { CameraEvent } from "../../device.ts";
import { childOf, childrenOf, textOf, type XmlElement } from "../../xml.ts";
import { kindOfTopic } from "./event-topics.ts";
import type { MediaProfile } from "./profile.ts";

/** The channel, from 1, of everything by which an event may name its source. */
export type ChannelsByToken = ReadonlyMap<string, number>;

/** The names, lower case, of items that say whether something is so; of others only `true` and `false` count. */
const STATE_ITEMS = new Set([
  ...["ismotion", "isinside", "istamper", "issounddetected", "state", "logicalstate", "active", "value"],
  ...["motion", "motionactive", "alarm", "triggered", "loss", "lost", "failed"],
]);
const TRUE = /^(true|1|on|active)$/i;
const FALSE = /^(false|0|off|inactive)$/i;

/** @param channels their profiles, the first is channel 1 */
export function channelsByToken(channels: readonly (readonly MediaProfile[])[]): ChannelsByToken {
  const found = channels.flatMap((profiles, index) =>
    profiles
      .flatMap(({ token, sourceToken, sourceConfigurationToken }) => [sourceToken, sourceConfigurationToken, token])
      .filter((token) => token !== undefined)
      .map((token) => [token, index + 1] as const),
  );
  // The first that has a token keeps it.
  return new Map(found.reverse());
}

/** Reads a `NotificationMessage`; undefined where it has no topic. @param at epoch milliseconds of its arrival */
export function readNotification(
  notification: XmlElement,
  channels: ChannelsByToken,
  at: number,
): CameraEvent | undefined {
  const topic = textOf(notification, "Topic");
  if (!topic) return undefined;
  const message = childOf(notification, "Message", "Message");
  const source = itemsOf(message, "Source");
  const data = itemsOf(message, "Data");
  const operation = message?.attributes.PropertyOperation;
  const time = message?.attributes.UtcTime;
  const active = stateOf(data);
  const channel = source.map(([, value]) => channels.get(value)).find((number) => number !== undefined);
  return {
    kind: kindOfTopic(topic),
    topic,
    at,
    ...(active !== undefined && { active }),
    ...(channel !== undefined && { channel }),
    data: {
      ...Object.fromEntries([...source, ...itemsOf(message, "Key"), ...data]),
      ...(operation && { operation }),
      ...(time && { time }),
    },
  };
}

function itemsOf(message: XmlElement | undefined, part: string): (readonly [string, string])[] {
  return childrenOf(childOf(message, part), "SimpleItem").map(
    ({ attributes }) => [attributes.Name ?? "", attributes.Value ?? ""] as const,
  );
}

function stateOf(items: readonly (readonly [string, string])[]): boolean | undefined {
  const named = items.find(([name, value]) => STATE_ITEMS.has(name.toLowerCase()) && toBoolean(value) !== undefined);
  const literal = items.find(([, value]) => /^(true|false)$/i.test(value));
  return toBoolean((named ?? literal)?.[1] ?? "");
}

function toBoolean(value: string): boolean | undefined {
  if (TRUE.test(value)) return true;
  return FALSE.test(value) ? false : undefined;
}

import { CctvError } from "../errors.ts";
import type { ChannelStream, DeviceChannel } from "./device.ts";

/** As many as a sentence can hold. */
const MOST_LISTED = 16;

/**
 * The channel of a number. A device that tells none of its channels is taken to have it.
 *
 * @param where the device, for people
 * @throws CctvError CAMERA_NOT_FOUND, naming the channels that there are.
 */
export function findChannel(channels: readonly DeviceChannel[], wanted: number, where: string): DeviceChannel {
  const found = channels.find(({ channel }) => channel === wanted);
  if (found) return found;
  if (channels.length === 0) return { channel: wanted, streams: [] };
  throw new CctvError(
    "CAMERA_NOT_FOUND",
    `${where} has no channel ${wanted}; choose one of those it has: ${listed(channels)}`,
  );
}

/** The sub-stream where the device has one or does not tell, unless the main stream is wanted. */
export function chooseStream(streams: readonly ChannelStream[], wanted: "main" | "sub" = "sub"): "main" | "sub" {
  const lacksSub = streams.length > 0 && streams.every(({ stream }) => stream !== "sub");
  return wanted === "main" || lacksSub ? "main" : "sub";
}

function listed(channels: readonly DeviceChannel[]): string {
  const names = channels
    .slice(0, MOST_LISTED)
    .map(({ channel, name }) => (name === undefined ? `${channel}` : `${channel} (${name})`));
  const more = channels.length - names.length;
  return more > 0 ? `${names.join(", ")} and ${more} more` : names.join(", ");
}

import { CctvError } from "../../../errors.ts";
import { decodeLeniently } from "../../address.ts";

/** Which camera, and what to set on it; what is absent stays as the camera has it. */
export interface GigeAddress {
  /** As aravis takes it: a name such as `Basler-21234567`, an IP or a MAC address; empty for the first camera. */
  readonly camera: string;
  /** The part of the sensor to send, pixels from its offset. */
  readonly width?: number;
  readonly height?: number;
  /** Pictures a second. */
  readonly fps?: number;
  /** Bytes of a packet, and the pause between two in nanoseconds: for networks that lose packets. */
  readonly packetSize?: number;
  readonly packetDelay?: number;
}

const SETTINGS: Readonly<Record<string, readonly [field: keyof GigeAddress, least: number, most: number]>> = {
  width: ["width", 16, 32_768],
  height: ["height", 16, 32_768],
  fps: ["fps", 1, 1_000],
  "packet-size": ["packetSize", 576, 65_500],
  "packet-delay": ["packetDelay", 0, 1_000_000_000],
};

/** Device names are ASCII (GigE Vision, 4.8); quotes, backslashes and `!` mean something to GStreamer. */
const NAME = /^[\w .:;,+*@#()[\]{}/&=~-]*$/;

/**
 * Reads `gige://camera[?width=…&height=…&fps=…&packet-size=…&packet-delay=…]`, with or without percent-encoding.
 * @throws CctvError ADDRESS_INVALID
 */
export function readGigeAddress(text: string): GigeAddress {
  const rest = text.trim().replace(/^gige:(?:\/\/)?/i, "");
  const [typedName = "", query = ""] = rest.split("?", 2);
  const camera = decodeLeniently(typedName).trim().replace(/\/+$/, "");
  if (!NAME.test(camera)) {
    throw new CctvError(
      "ADDRESS_INVALID",
      "the name of the GigE Vision camera holds characters that no such name has; enter its name, serial number or IP address, such as gige://192.168.1.50",
    );
  }
  return { camera, ...readSettings(query) };
}

/** The address for people. */
export function displayOf({ camera }: GigeAddress): string {
  return `gige://${camera}`;
}

function readSettings(query: string): Partial<GigeAddress> {
  const settings: Record<string, number> = {};
  for (const [name, value] of new URLSearchParams(query)) {
    const [field, least, most] = SETTINGS[name] ?? [];
    if (field === undefined || least === undefined || most === undefined) {
      throw new CctvError(
        "ADDRESS_INVALID",
        `the address sets "${name}", which is not known; it takes ${Object.keys(SETTINGS).join(", ")}`,
      );
    }
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < least || number > most) {
      throw new CctvError("ADDRESS_INVALID", `"${name}" of the address takes a whole number from ${least} to ${most}`);
    }
    settings[field] = number;
  }
  return settings;
}

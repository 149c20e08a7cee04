import type { CameraConfig } from "../camera/protocols/protocol.ts";
import { CctvError } from "../errors.ts";

/** How a camera is reached, beside its address and login. */
export type CameraReach = Pick<CameraConfig, "channel" | "stream" | "transport" | "certificate">;

/** A registered camera as everybody may see it: it holds no password. */
export interface CameraRecord extends CameraReach {
  readonly id: string;
  readonly name: string;
  readonly location: string;
  readonly site: string;
  /** For people: without user and password, and with the secrets of its query masked. */
  readonly address: string;
  /** What it is called by; the address decides how the camera is opened. */
  readonly protocol: string;
  readonly username: string;
  readonly hasPassword: boolean;
  /** A camera that is not enabled is left alone. */
  readonly enabled: boolean;
  /** Its frames are wanted, now and after the next start. */
  readonly detecting: boolean;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** What a camera is registered with. */
export interface NewCamera extends CameraReach {
  /** 1 to 64 small letters, digits, `-` and `_`, beginning with a letter or digit. */
  readonly id: string;
  /** The id where it is absent. */
  readonly name?: string | undefined;
  readonly location?: string | undefined;
  readonly site?: string | undefined;
  /** Whatever `readAddress` can read. A login inside it is taken out of it. */
  readonly address: string;
  /** The scheme of the address where it is absent. */
  readonly protocol?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** True where it is absent. */
  readonly enabled?: boolean | undefined;
}

const ID = /^[a-z0-9][a-z0-9_-]{0,63}$/;
const TEXTS = ["name", "location", "site", "protocol", "username", "password"] as const;
const LONGEST_TEXT = 256;
const LONGEST_ADDRESS = 2048;
const MOST_CHANNELS = 9999;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNSUITABLE_CHARACTER = /[\u0000-\u001f\u007f\p{Surrogate}]/u;
const CHOICES = {
  stream: ["main", "sub"],
  transport: ["auto", "tcp", "udp", "http"],
  certificate: ["trusted", "any"],
} as const;

/**
 * Sees that the fields which are there can be kept, by whatever way they came.
 * @throws CctvError REQUEST_INVALID, naming the field; a message never repeats what a field holds.
 */
export function checkCamera(fields: Partial<NewCamera>): void {
  const { id, address, enabled, channel } = fields;
  if (id !== undefined && !(typeof id === "string" && ID.test(id))) {
    refuse("id", "1 to 64 small letters, digits, - and _, beginning with a letter or digit");
  }
  if (address !== undefined) checkText("address", address, LONGEST_ADDRESS);
  for (const name of TEXTS) {
    if (fields[name] !== undefined) checkText(name, fields[name], LONGEST_TEXT);
  }
  if (enabled !== undefined && typeof enabled !== "boolean") refuse("enabled", "true or false");
  if (channel !== undefined && !(Number.isInteger(channel) && channel >= 1 && channel <= MOST_CHANNELS)) {
    refuse("channel", `a whole number from 1 to ${MOST_CHANNELS}`);
  }
  for (const [name, choices] of Object.entries(CHOICES)) {
    const value = fields[name as keyof typeof CHOICES];
    if (value !== undefined && !(choices as readonly string[]).includes(value)) refuse(name, choices.join(" or "));
  }
}

function checkText(name: string, value: unknown, longest: number): void {
  const fits = typeof value === "string" && value.length <= longest && !UNSUITABLE_CHARACTER.test(value);
  if (!fits) {
    refuse(name, `text of at most ${longest} characters, without line breaks and the like`);
  }
}

function refuse(name: string, takes: string): never {
  throw new CctvError("REQUEST_INVALID", `"${name}" of a camera takes ${takes}`);
}

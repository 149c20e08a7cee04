/** The ways to find a camera; what an earlier one says of a camera is taken before the words of a later one. */
export const METHODS = ["sadp", "dhip", "gvcp", "mdns", "ws-discovery", "ssdp", "ports"] as const;

export type Method = (typeof METHODS)[number];

/** How pictures can be had. */
export type PictureService = "ONVIF" | "RTSP" | "HTTP" | "GigE";

export interface Service {
  readonly protocol: PictureService;
  readonly port: number;
  /** What to open; absent where a port is all that is known. */
  readonly url?: string | undefined;
}

/** What one way of looking tells about the host at one address. Everything in it is what the host says of itself. */
export interface Sighting {
  readonly method: Method;
  /** From where the answer came; never an address that the answer merely names. */
  readonly ip: string;
  /** Only a camera or a recorder answers like this. Others add what they know to a camera found otherwise. */
  readonly isCamera: boolean;
  /** Six pairs of lower-case hexadecimal digits with colons. */
  readonly mac?: string | undefined;
  /** The neighbour table of this machine names the MAC, not the host itself. */
  readonly isMacSeen?: boolean | undefined;
  /** WS-Discovery's endpoint reference. */
  readonly endpoint?: string | undefined;
  readonly vendor?: string | undefined;
  readonly model?: string | undefined;
  readonly name?: string | undefined;
  readonly hardware?: string | undefined;
  readonly location?: string | undefined;
  readonly services?: readonly Service[] | undefined;
  /** Open TCP ports. */
  readonly ports?: readonly number[] | undefined;
  readonly needsPassword?: boolean | undefined;
  /** False for a device as the factory made it, which wants its first password before it does anything. */
  readonly activated?: boolean | undefined;
}

const LONGEST_WORD = 120;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e]+/g;

/** A text of a device, fit to be shown: one line of reasonable length; undefined where nothing is left. */
export function shown(text: unknown): string | undefined {
  if (typeof text !== "string") return undefined;
  return text.replace(CONTROL_CHARACTERS, " ").trim().slice(0, LONGEST_WORD) || undefined;
}

/** A MAC however it is written; undefined for none and for those that belong to no single device. */
export function readMac(text: unknown): string | undefined {
  if (typeof text !== "string") return undefined;
  const digits = text.replace(/[:.-]/g, "").toLowerCase();
  if (!/^[0-9a-f]{12}$/.test(digits) || /^0+$/.test(digits)) return undefined;
  const isGroup = (Number.parseInt(digits.slice(0, 2), 16) & 1) === 1;
  return isGroup ? undefined : digits.replace(/..(?=.)/g, "$&:");
}

/** A TCP port, from a number or its text. */
export function readPort(value: unknown): number | undefined {
  const port = typeof value === "string" && /^\d{1,5}$/.test(value) ? Number(value) : value;
  return typeof port === "number" && Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
}

/** A camera's own web server, where its port is known. */
export function webService(ip: string, port: number | undefined): Service[] {
  return port === undefined ? [] : [{ protocol: "HTTP", port, url: `http://${ip}:${port}/` }];
}

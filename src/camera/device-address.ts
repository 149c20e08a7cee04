import { CctvError } from "../errors.ts";
import { parseNetworkAddress, schemeOf, toDisplay } from "./address.ts";
import type { Credentials } from "./credentials.ts";
import type { CameraConfig } from "./protocols/protocol.ts";

/** Where a camera or recorder has its own HTTP interface, and which of its pictures are meant. */
export interface DeviceAddress {
  /** A name, an IPv4 address, or an IPv6 address in brackets. */
  readonly host: string;
  readonly port: number;
  /** HTTPS where it is present. */
  readonly tls?: { readonly rejectUnauthorized: boolean };
  readonly credentials?: Credentials;
  /** Counted from 1. */
  readonly channel: number;
  /** Absent where nobody has chosen. */
  readonly stream?: "main" | "sub";
  /** For people: without credentials. */
  readonly display: string;
}

/** Where a channel's pictures are at a device, as it tells. */
export interface RtspPlace {
  readonly port: number;
  /** From the `/` on. */
  readonly path: string;
}

interface Parameters {
  username?: string;
  password?: string;
  channel?: string;
  stream?: string;
}

const HTTP_PORT = 80;
const HTTPS_PORT = 443;
const MOST_CHANNELS = 9999;

const PARAMETERS: ReadonlyMap<string, keyof Parameters> = new Map([
  ["user", "username"],
  ["username", "username"],
  ["pass", "password"],
  ["password", "password"],
  ["channel", "channel"],
  ["stream", "stream"],
]);

const QUERY_ALONE = /^\/?(?:\?(.*))?$/s;
const ESCAPES = /(?:%[0-9a-f]{2})+/gi;

/**
 * Reads `scheme://[user[:password]@]host[:port][?user=&pass=&channel=&stream=]`. Port 443 means HTTPS, as does a
 * scheme that ends in `s`. What the configuration has in fields of its own wins over the address.
 *
 * @throws CctvError ADDRESS_INVALID, SETTING_INVALID; no message repeats what could be a password.
 */
export function parseDeviceAddress(config: CameraConfig): DeviceAddress {
  const scheme = schemeOf(config.address.trim());
  const isSecureScheme = scheme.endsWith("s");
  const address = parseNetworkAddress(config.address, isSecureScheme ? HTTPS_PORT : HTTP_PORT, config);
  const { host, port } = address;
  const typed = readQuery(address.path, scheme);
  const username = config.username || typed.username || address.credentials?.username || "";
  const password = config.password || typed.password || address.credentials?.password || "";
  const stream = config.stream ?? streamOf(typed.stream);
  return {
    host,
    port,
    ...((isSecureScheme || port === HTTPS_PORT) && { tls: { rejectUnauthorized: config.certificate !== "any" } }),
    ...((username || password) && { credentials: { username, password } }),
    channel: channelOf(config.channel ?? typed.channel ?? 1),
    ...(stream && { stream }),
    display: toDisplay({ scheme, host, port, path: "" }),
  };
}

/** The address of a device by the fields of a dialog; an IPv6 host may come without its brackets. */
export function deviceAddress(scheme: string, host: string, port: string | number | undefined): string {
  const trimmed = host.trim();
  const written = /^[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*$/i.test(trimmed) ? `[${trimmed}]` : trimmed;
  const portText = String(port ?? "").trim();
  return `${scheme}://${written}${portText === "" ? "" : `:${portText}`}`;
}

/** The same configuration for what RTSP at the device gives. */
export function rtspConfig(
  config: CameraConfig,
  { host, port, tls, credentials }: DeviceAddress,
  place: RtspPlace,
): CameraConfig {
  // The tunnel goes through the port of HTTP, behind which these devices have their RTSP too.
  const isTunnel = config.transport === "http";
  const scheme = isTunnel && tls ? "rtsps" : "rtsp";
  return { ...config, ...credentials, address: `${scheme}://${host}:${isTunnel ? port : place.port}${place.path}` };
}

function readQuery(path: string, scheme: string): Parameters {
  const [matched, query = ""] = QUERY_ALONE.exec(path) ?? [];
  const parameters: Parameters = {};
  for (const pair of query.split("&").filter(Boolean)) {
    const equals = pair.indexOf("=");
    const name = equals < 0 ? undefined : PARAMETERS.get(pair.slice(0, equals).toLowerCase());
    // A password with a raw & in it would be cut off there, and each try with half of it counts as a wrong one.
    if (!name) throw notUnderstood(scheme);
    parameters[name] = decode(pair.slice(equals + 1));
  }
  if (matched === undefined) throw notUnderstood(scheme);
  return parameters;
}

function notUnderstood(scheme: string): CctvError {
  return new CctvError(
    "ADDRESS_INVALID",
    `after its host the ${scheme} address takes ?user=, pass=, channel= and stream= alone; put user name and password into their own fields, or write & as %26 and % as %25 in them`,
  );
}

/** A `%` that begins no escape stands for itself. */
function decode(text: string): string {
  return text.replace(ESCAPES, (run) => {
    try {
      return decodeURIComponent(run);
    } catch {
      return run;
    }
  });
}

function channelOf(value: string | number): number {
  const channel = Number(value);
  if (value !== "" && Number.isInteger(channel) && channel >= 1 && channel <= MOST_CHANNELS) return channel;
  throw new CctvError("SETTING_INVALID", "the channel is a whole number, counted from 1; correct it");
}

function streamOf(value: string | undefined): "main" | "sub" | undefined {
  if (value === undefined || value === "main" || value === "sub") return value;
  throw new CctvError("SETTING_INVALID", "the stream is either main or sub; correct it");
}

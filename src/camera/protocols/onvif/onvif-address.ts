import { CctvError } from "../../../errors.ts";
import { decodeLeniently, parseNetworkAddress, toDisplay } from "../../address.ts";
import type { Credentials } from "../../credentials.ts";
import type { CameraConfig } from "../protocol.ts";
import type { HttpTarget } from "./reported-address.ts";

/** What an `onvif://` address and the fields beside it say. */
export interface OnvifAddress {
  /** A name, an IPv4 address, or an IPv6 address in brackets. */
  readonly host: string;
  readonly device: HttpTarget;
  readonly credentials?: Credentials;
  /** Counted from 1. */
  readonly channel?: number;
  /** For people, without credentials. */
  readonly display: string;
}

const DEFAULT_PATH = "/onvif/device_service";
const DEFAULT_PORTS = { onvif: 80, onvifs: 443 } as const;
/** Parameters that are ours and not the camera's. */
const USER_PARAMETERS = ["user", "username"];
const PASSWORD_PARAMETERS = ["pass", "password"];
const OWN_PARAMETERS = new Set([...USER_PARAMETERS, ...PASSWORD_PARAMETERS, "channel"]);

/**
 * Reads `onvif://host[:port][/path][?user=&pass=&channel=]`, where `onvifs` means HTTPS. Fields win over
 * the address.
 * @throws CctvError ADDRESS_INVALID
 */
export function parseOnvifAddress(config: CameraConfig): OnvifAddress {
  const secure = /^\s*onvifs:/i.test(config.address);
  const scheme = secure ? "onvifs" : "onvif";
  const address = parseNetworkAddress(config.address, DEFAULT_PORTS[scheme], config);
  const { path, own } = splitQuery(address.path);
  const first = (names: readonly string[]) => names.map((name) => own.get(name)).find(Boolean);
  const username = address.credentials?.username || first(USER_PARAMETERS) || "";
  const password = address.credentials?.password || first(PASSWORD_PARAMETERS) || "";
  const channel = config.channel ?? toChannel(own.get("channel"));
  const { host, port } = address;
  return {
    host,
    device: { port, secure, path },
    display: toDisplay({ scheme, host, port, path: path === DEFAULT_PATH ? "" : path }),
    ...((username || password) && { credentials: { username, password } }),
    ...(channel !== undefined && { channel }),
  };
}

/** Takes our own parameters out of the query. */
function splitQuery(target: string): { path: string; own: ReadonlyMap<string, string> } {
  const [, typedPath = "", query = ""] = /^([^?#]*)\??([^#]*)/.exec(target) ?? [];
  const own = new Map<string, string>();
  const others: string[] = [];
  for (const parameter of query.split("&").filter(Boolean)) {
    const equals = parameter.indexOf("=");
    const name = parameter.slice(0, Math.max(equals, 0)).toLowerCase();
    if (OWN_PARAMETERS.has(name)) own.set(name, decodeLeniently(parameter.slice(equals + 1)));
    else others.push(parameter);
  }
  const path = typedPath === "" || typedPath === "/" ? DEFAULT_PATH : typedPath;
  return { path: others.length > 0 ? `${path}?${others.join("&")}` : path, own };
}

function toChannel(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new CctvError(
    "ADDRESS_INVALID",
    "the channel in the onvif address is no number from 1 on; write it as ?channel=2",
  );
}

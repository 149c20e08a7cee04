import { lookup as dnsLookup } from "node:dns/promises";
import { BlockList, isIPv4, isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import { CctvError } from "../errors.ts";
import { untilAborted } from "../until-aborted.ts";
import { type NetworkAddress, parseNetworkAddress, schemeOf } from "./address.ts";
import { readAddress, typedPort } from "./auto/read-address.ts";
import { brands } from "./brands/brands.ts";
import { protocols } from "./protocols/registry.ts";

export interface AddressRulesOptions {
  /** Addresses and ranges that are let through all the same, such as `127.0.0.1` or `169.254.0.0/16`. */
  readonly allowed?: readonly string[] | undefined;
  /** All IP addresses of a name; the system's resolver by default. */
  readonly lookup?: (host: string) => Promise<readonly string[]>;
  /** The addresses of this machine. */
  readonly ownAddresses?: () => readonly string[];
}

/** An address from outside that may be opened. */
export interface CheckedAddress {
  /** As the protocols read it, in one spelling, without user and password: what to keep. */
  readonly address: string;
  /**
   * The same with the IP address that was checked in place of a name: what to open, so that the name cannot come to
   * mean another host meanwhile. Over TLS the name stays, as the certificate proves who answers to it.
   */
  readonly pinned: string;
}

export interface AddressQuestion {
  readonly certificate?: "trusted" | "any" | undefined;
  readonly signal: AbortSignal;
}

/** What a stranger may have opened: all that is a camera on the network, and nothing on this machine. */
export const NETWORK_SCHEMES: ReadonlySet<string> = new Set([
  ...["auto", "rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "hls", "hlss"],
  ...["onvif", "onvifs", "hik", "hiks", "hikvision", "dahua", "dahuas"],
  ...brands.filter(({ protocol }) => protocol === "brand").flatMap(({ id, aliases }) => [id, ...aliases]),
]);

const SECURE_SCHEME = /^(?:rtsp|rtmp|http|hls|onvif|hik|dahua)s$/;
const TLS_PORT = 443;
const LOOKUP_MS = 5_000;

/** IANA's special-purpose registries (RFC 6890), and where clouds tell machines their secrets. */
const FORBIDDEN: readonly (readonly [what: string, ranges: readonly string[]])[] = [
  ["the metadata service of a cloud", ["169.254.169.254", "100.100.100.200", "168.63.129.16", "fd00:ec2::254"]],
  ["this machine itself", ["127.0.0.0/8", "::1"]],
  ["no host at all", ["0.0.0.0/8", "192.0.0.0/24", "240.0.0.0/4", "::", "2001::/32"]],
  ["a link-local address", ["169.254.0.0/16", "fe80::/10", "fec0::/10"]],
  ["a multicast group", ["224.0.0.0/4", "ff00::/8"]],
];

const forbidden = FORBIDDEN.map(([what, ranges]) => ({ what, list: toBlockList(ranges) }));

/**
 * Decides which addresses from outside are opened. Private networks are where cameras are; this machine, link-local
 * and multicast addresses and the metadata services of clouds are refused however they are written, unless allowed.
 */
export class AddressRules {
  readonly #allowed: BlockList;
  readonly #lookup: (host: string) => Promise<readonly string[]>;
  readonly #ownAddresses: () => readonly string[];

  /** @throws CctvError SETTING_INVALID for an allowed range that is none. */
  constructor(options: AddressRulesOptions = {}) {
    this.#allowed = toBlockList(options.allowed ?? []);
    this.#lookup = options.lookup ?? lookUp;
    this.#ownAddresses = options.ownAddresses ?? addressesOfThisMachine;
  }

  /**
   * Reads an address, resolves its host and checks every IP address that it has.
   *
   * @throws CctvError ADDRESS_INVALID, also where the name is not known, ADDRESS_SCHEME_UNKNOWN, ADDRESS_FORBIDDEN; the signal's reason when it
   * aborts.
   */
  async check(typed: string, { certificate, signal }: AddressQuestion): Promise<CheckedAddress> {
    const text = readAddress(typed);
    refuseLocalSource(text);
    const parsed = parseNetworkAddress(text, TLS_PORT);
    const port = typedPort(text);
    const addresses = await this.#resolve(parsed.host, signal);
    for (const ip of addresses) this.#checkIp(ip);
    const [first = ""] = addresses;
    const isProven = certificate !== "any" && (SECURE_SCHEME.test(parsed.scheme) || port === TLS_PORT);
    return {
      address: write(parsed, parsed.host, port),
      pinned: write(parsed, isProven ? parsed.host : inUrl(first), port),
    };
  }

  /** Why an IP address is refused; undefined where it is not. */
  refusal(ip: string): string | undefined {
    const meant = embeddedIpv4(ip) ?? ip;
    if (isIn(this.#allowed, meant)) return undefined;
    const found = forbidden.find(({ list }) => isIn(list, meant));
    if (found) return found.what;
    const own = this.#ownAddresses().map((address) => embeddedIpv4(address) ?? canonical(address));
    return own.includes(canonical(meant)) ? "this machine itself" : undefined;
  }

  #checkIp(ip: string): void {
    const what = this.refusal(ip);
    if (what === undefined) return;
    throw new CctvError(
      "ADDRESS_FORBIDDEN",
      `the address leads to ${what}, which is not opened for others; use the camera's own address, or have the registry allow this one`,
    );
  }

  async #resolve(host: string, signal: AbortSignal): Promise<readonly string[]> {
    signal.throwIfAborted();
    const bare = host.replace(/^\[|\]$/g, "");
    if (isIPv4(bare) || isIPv6(bare)) return [bare];
    const enough = AbortSignal.any([signal, AbortSignal.timeout(LOOKUP_MS)]);
    const addresses = await untilAborted(this.#lookup(host), enough).catch((error: unknown) => {
      signal.throwIfAborted();
      throw unknownName(error);
    });
    if (addresses.length === 0) throw unknownName();
    return addresses.map((address) => address.replace(/%.*$/, ""));
  }
}

/**
 * Refuses what is no camera on the network, such as a file or a webcam of this machine.
 * @throws CctvError ADDRESS_FORBIDDEN, ADDRESS_SCHEME_UNKNOWN
 */
export function refuseLocalSource(address: string): void {
  const scheme = schemeOf(address);
  if (NETWORK_SCHEMES.has(scheme)) return;
  const known = [...NETWORK_SCHEMES].sort().join(", ");
  if (scheme === "file" || protocols.schemes.includes(scheme)) {
    throw new CctvError(
      "ADDRESS_FORBIDDEN",
      `what is opened for others is a camera on the network, and nothing that begins with "${scheme}:"; the address begins with one of ${known}`,
    );
  }
  throw new CctvError("ADDRESS_SCHEME_UNKNOWN", `no camera protocol has this scheme; known are ${known}`);
}

function write({ scheme, path }: NetworkAddress, host: string, port: number | undefined): string {
  return `${scheme}://${host}${port === undefined ? "" : `:${port}`}${path}`;
}

function inUrl(ip: string): string {
  return isIPv6(ip) ? `[${canonical(ip)}]` : ip;
}

/** One spelling for each IP address. */
function canonical(ip: string): string {
  const bare = ip.replace(/%.*$/, "");
  return isIPv6(bare) ? new URL(`http://[${bare}]`).hostname.slice(1, -1) : bare;
}

/**
 * The IPv4 address that an IPv6 address stands for: mapped and translated (RFC 4291, 2765), NAT64 (RFC 6052), 6to4
 * (RFC 3056), or written the old way with zeros before it.
 */
function embeddedIpv4(ip: string): string | undefined {
  const bare = ip.replace(/%.*$/, "");
  if (!isIPv6(bare)) return undefined;
  const groups = groupsOf(canonical(bare));
  const [first = 0, second = 0, third = 0] = groups;
  if (first === 0x2002) return toIpv4(second, third);
  const prefix = groups
    .slice(0, 6)
    .map((group) => group.toString(16))
    .join(":");
  const isWrapped = ["0:0:0:0:0:ffff", "0:0:0:0:ffff:0", "64:ff9b:0:0:0:0", "0:0:0:0:0:0"].includes(prefix);
  const [high = 0, low = 0] = groups.slice(6);
  const isOwnMeaning = prefix === "0:0:0:0:0:0" && high === 0 && low <= 1;
  return isWrapped && !isOwnMeaning ? toIpv4(high, low) : undefined;
}

function groupsOf(ipv6: string): number[] {
  const [head = "", tail] = ipv6.split("::");
  const read = (part: string) =>
    part
      .split(":")
      .filter(Boolean)
      .map((group) => Number.parseInt(group, 16));
  const [before, after] = [read(head), read(tail ?? "")];
  const missing = tail === undefined ? 0 : 8 - before.length - after.length;
  return [...before, ...Array<number>(missing).fill(0), ...after];
}

function toIpv4(high: number, low: number): string {
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

function isIn(list: BlockList, ip: string): boolean {
  return list.check(ip, isIPv6(ip) ? "ipv6" : "ipv4");
}

/** @throws CctvError SETTING_INVALID */
function toBlockList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = "", bits] = range.trim().split("/");
    const family = isIPv6(address) ? "ipv6" : "ipv4";
    try {
      if (bits === undefined) list.addAddress(address, family);
      // Number("") would be 0, and the range everything.
      else list.addSubnet(address, /^\d+$/.test(bits) ? Number(bits) : Number.NaN, family);
    } catch (error) {
      throw new CctvError(
        "SETTING_INVALID",
        `${JSON.stringify(range.slice(0, 60))} is no address and no range to allow; write it as 192.168.1.64 or 169.254.0.0/16`,
        { cause: error },
      );
    }
  }
  return list;
}

async function lookUp(host: string): Promise<string[]> {
  const found = await dnsLookup(host, { all: true, verbatim: true });
  return found.map(({ address }) => address);
}

function addressesOfThisMachine(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address));
}

function unknownName(cause?: unknown): CctvError {
  return new CctvError(
    "ADDRESS_INVALID",
    "the host of the address is not known by its name; check its spelling, or enter its IP address",
    { cause },
  );
}

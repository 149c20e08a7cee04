import { CctvError } from "../errors.ts";

/** A range of IPv4 addresses, as `192.168.1.0/24` writes it. */
export interface Subnet {
  /** The first address, as an unsigned number. */
  readonly base: number;
  /** How many leading bits all its addresses share, 0..32. */
  readonly prefix: number;
}

/** 1,022 hosts: more at once is no local network any more. */
const WIDEST_PREFIX = 22;
const SUBNET = /^(\d{1,3}(?:\.\d{1,3}){3})(?:\/(\d{1,2}))?$/;

const subnet = (base: string, prefix: number): Subnet => ({ base: ipv4ToNumber(base) ?? 0, prefix });
/** RFC 1918, and the shared range of RFC 6598. */
const PRIVATE = [subnet("10.0.0.0", 8), subnet("172.16.0.0", 12), subnet("192.168.0.0", 16), subnet("100.64.0.0", 10)];
const LINK_LOCAL = subnet("169.254.0.0", 16);
/** No host has an address of these: this network, multicast, reserved. */
const NO_HOSTS = [subnet("0.0.0.0", 8), subnet("224.0.0.0", 3)];

/** The address as an unsigned number; undefined where the text is none in its usual four parts. */
export function ipv4ToNumber(text: string): number | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)) {
    return undefined;
  }
  return parts.reduce((number, part) => number * 256 + Number(part), 0);
}

export function ipv4ToText(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join(".");
}

/** The range around an address, of the width that its netmask or prefix gives. */
export function subnetAround(address: string, prefix: number): Subnet {
  const number = ipv4ToNumber(address) ?? 0;
  return { base: number - (number % 2 ** (32 - prefix)), prefix };
}

/** How many leading ones a netmask has. */
export function prefixOf(netmask: string): number {
  return (ipv4ToNumber(netmask) ?? 0).toString(2).replace(/0+$/, "").length;
}

/** The address that reaches all hosts of a range. */
export function broadcastOf({ base, prefix }: Subnet): string {
  return ipv4ToText(base + 2 ** (32 - prefix) - 1);
}

export function contains({ base, prefix }: Subnet, address: string): boolean {
  const number = ipv4ToNumber(address);
  return number !== undefined && number >= base && number < base + 2 ** (32 - prefix);
}

/** The addresses that a range has for hosts: all but its first and last, save in the smallest. */
export function hostsOf({ base, prefix }: Subnet): string[] {
  const size = 2 ** (32 - prefix);
  const [from, to] = prefix >= 31 ? [0, size] : [1, size - 1];
  return Array.from({ length: to - from }, (_, index) => ipv4ToText(base + from + index));
}

export function isPrivate(address: string): boolean {
  return PRIVATE.some((range) => contains(range, address));
}

export function isLinkLocal(address: string): boolean {
  return contains(LINK_LOCAL, address);
}

/**
 * Reads `192.168.1.0/24` or a single address. Addresses inside the range will do for its first.
 *
 * @param anyRange also ranges that are not private, but never such as have no hosts
 * @throws CctvError SETTING_INVALID
 */
export function parseSubnet(text: string, anyRange = false): Subnet {
  const [, address = "", bits = "32"] = SUBNET.exec(text.trim()) ?? [];
  const prefix = Number(bits);
  if (ipv4ToNumber(address) === undefined || prefix > 32) {
    throw new CctvError("SETTING_INVALID", `a subnet looks like 192.168.1.0/24, ${quote(text)} does not; correct it`);
  }
  if (prefix < WIDEST_PREFIX) {
    throw new CctvError(
      "SETTING_INVALID",
      `the subnet ${quote(text)} is too large to scan; take /${WIDEST_PREFIX} or smaller, one after the other`,
    );
  }
  const found = subnetAround(address, prefix);
  if (NO_HOSTS.some((range) => contains(range, address)) || (!anyRange && !isPrivate(address))) {
    throw new CctvError(
      "SETTING_INVALID",
      `the subnet ${quote(text)} is no private network; scan only networks of your own, such as 192.168.1.0/24`,
    );
  }
  return found;
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}

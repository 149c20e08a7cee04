import type { NetworkInterfaceInfo } from "node:os";
import { CctvError } from "../errors.ts";
import { broadcastOf, contains, isLinkLocal, isPrivate, prefixOf, type Subnet, subnetAround } from "./ipv4.ts";

/** An IPv4 address of this machine and the network that it is on. */
export interface LocalInterface {
  readonly name: string;
  readonly address: string;
  readonly subnet: Subnet;
  /** Reaches all hosts of the network. */
  readonly broadcast: string;
}

/** A machine with more is a container host, on which the first ones are as good as all. */
const MOST_INTERFACES = 16;
/** Wider networks are scanned around this machine's own address only. */
const WIDEST_LOCAL_PREFIX = 22;
const NARROWED_PREFIX = 24;

/**
 * The interfaces to look on: the wanted ones, by name or by address, else all that lead out of this machine.
 *
 * @param all what `os.networkInterfaces()` gives
 * @throws CctvError SETTING_INVALID where this machine has no such interface.
 */
export function chooseInterfaces(
  all: NodeJS.Dict<NetworkInterfaceInfo[]>,
  wanted?: readonly string[],
): LocalInterface[] {
  const entries = Object.entries(all).flatMap(([name, infos = []]) =>
    infos.filter(({ family }) => family === "IPv4").map((info) => ({ name, info })),
  );
  const missing = wanted?.find((one) => !entries.some(({ name, info }) => name === one || info.address === one));
  if (missing !== undefined) {
    const known = [...new Set(entries.map(({ name }) => name))].join(", ");
    throw new CctvError(
      "SETTING_INVALID",
      `this machine has no network interface ${JSON.stringify(missing)}; it has ${known || "none with an IPv4 address"}`,
    );
  }
  return entries
    .filter(({ name, info }) => (wanted ? wanted.includes(name) || wanted.includes(info.address) : !info.internal))
    .slice(0, MOST_INTERFACES)
    .map(({ name, info: { address, netmask } }) => {
      const subnet = subnetAround(address, prefixOf(netmask));
      return { name, address, subnet, broadcast: broadcastOf(subnet) };
    });
}

/** The networks to scan where none is named: each interface's own, as far as it is private and not too wide. */
export function ownSubnets(interfaces: readonly LocalInterface[]): Subnet[] {
  const subnets = interfaces
    .filter(({ address, subnet }) => isPrivate(address) && subnet.prefix < 31)
    .map(({ address, subnet }) =>
      subnet.prefix < WIDEST_LOCAL_PREFIX ? subnetAround(address, NARROWED_PREFIX) : subnet,
    );
  return subnets.filter(
    ({ base, prefix }, index) => subnets.findIndex((other) => other.base === base && other.prefix === prefix) === index,
  );
}

/** Whether a host may be looked at closer only because a packet came from its address, which anybody can forge. */
export function isNear(address: string, interfaces: readonly LocalInterface[]): boolean {
  return isPrivate(address) || isLinkLocal(address) || interfaces.some(({ subnet }) => contains(subnet, address));
}

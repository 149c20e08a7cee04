import { type Brand, brandAddresses } from "../camera/brands/brands.ts";
import { ipv4ToNumber, isLinkLocal } from "./ipv4.ts";
import { METHODS, type Method, type PictureService, type Service, type Sighting } from "./sighting.ts";
import { brandOfVendor, vendorOfMac } from "./vendors.ts";

/** A camera or recorder on the network, from all that was seen of it. */
export interface DiscoveredDevice {
  readonly ip: string;
  /** All its addresses, the one above first. */
  readonly ips: readonly string[];
  readonly mac?: string;
  /** WS-Discovery's endpoint reference, which stays when the address changes. */
  readonly endpoint?: string;
  readonly vendor?: string;
  readonly model?: string;
  readonly name?: string;
  readonly hardware?: string;
  readonly location?: string;
  readonly protocols: readonly PictureService[];
  /** TCP ports that are open or that it names; of GigE the UDP port. */
  readonly ports: readonly number[];
  /** What to open, in the order to try it; without user and password. */
  readonly addresses: readonly string[];
  /** Absent where nobody could tell. */
  readonly needsPassword?: boolean;
  /** False where it wants its first password before it does anything; absent where nobody could tell. */
  readonly activated?: boolean;
}

/** One way to reach a camera, in the words of the first version of the interface. */
export interface DiscoveryResult {
  readonly ip: string;
  readonly protocol: "ONVIF" | "RTSP" | "HTTP";
  readonly port: number;
  readonly url: string;
}

const PROTOCOLS: readonly PictureService[] = ["ONVIF", "RTSP", "HTTP", "GigE"];
/** The maker by its own protocol or by its servers; what people write into a name comes after the MAC. */
const VENDOR_ORDER: readonly Method[] = ["sadp", "dhip", "gvcp", "ports", "ssdp", "mdns"];
const RESULT_PROTOCOLS: Readonly<Record<string, DiscoveryResult["protocol"]>> = {
  onvif: "ONVIF",
  onvifs: "ONVIF",
  rtsp: "RTSP",
  http: "HTTP",
  https: "HTTP",
};
/** A MAC that answers for more addresses is a router's. */
const MOST_ADDRESSES_PER_MAC = 4;
/** The protocol of brands that have none of their own here. */
const BY_TEMPLATES = "brand";
const USUAL_ONVIF_PATH = "/onvif/device_service";

/** All that was seen at one address. */
interface Host {
  readonly ip: string;
  readonly sightings: readonly Sighting[];
  readonly mac: string | undefined;
  readonly endpoints: readonly string[];
}

/**
 * Puts together what was seen of the same device: at one address, under one MAC, or of one endpoint reference.
 * A MAC that this machine saw outweighs one that a device claims. Different MACs are different devices, even
 * where they name the same endpoint, as cheap cameras with a copied one do. The order of the sightings does
 * not matter.
 *
 * @returns the cameras alone, by address.
 */
export function mergeSightings(sightings: readonly Sighting[]): DiscoveredDevice[] {
  const hosts = toHosts(sightings);
  const groups = [...groupBy(hosts, identityOf(hosts)).values()];
  return groups
    .filter((group) => group.some((host) => host.sightings.some(({ isCamera }) => isCamera)))
    .map(toDevice)
    .sort((one, other) => byAddress(one.ip, other.ip));
}

/** The ways to reach a device as `{ ip, protocol, port, url }`, each port once. */
export function toResults({ addresses }: DiscoveredDevice): DiscoveryResult[] {
  const results = addresses.flatMap((url) => {
    const [, scheme = "", ip = "", port] = /^(\w+):\/\/([\d.]+):(\d+)/.exec(url) ?? [];
    const protocol = RESULT_PROTOCOLS[scheme];
    return protocol ? [{ ip, protocol, port: Number(port), url }] : [];
  });
  return [...groupBy(results, ({ ip, protocol, port }) => `${ip} ${protocol} ${port}`).values()].flatMap((same) =>
    same.slice(0, 1),
  );
}

function toHosts(sightings: readonly Sighting[]): Host[] {
  return [...groupBy(sightings, ({ ip }) => ip)].map(([ip, about]) => {
    const ordered = inOrder(about);
    const mac = ordered.find(({ isMacSeen, mac }) => isMacSeen && mac)?.mac ?? first(ordered, "mac");
    const endpoints = ordered.map(({ endpoint }) => endpoint).filter((endpoint) => endpoint !== undefined);
    return { ip, sightings: ordered, mac, endpoints };
  });
}

/** Gives hosts that are one device the same text. */
function identityOf(hosts: readonly Host[]): (host: Host) => string {
  const byMac = groupBy(hosts, ({ mac }) => mac);
  const ownMac = ({ mac }: Host): string | undefined =>
    (byMac.get(mac)?.length ?? 0) <= MOST_ADDRESSES_PER_MAC ? mac : undefined;
  const byEndpoint = new Map<string, Host[]>();
  for (const host of hosts) {
    for (const endpoint of new Set(host.endpoints)) {
      byEndpoint.set(endpoint, [...(byEndpoint.get(endpoint) ?? []), host]);
    }
  }
  const parent = new Map<string, string>();
  const rootOf = (key: string): string => {
    const above = parent.get(key);
    return above === undefined || above === key ? key : rootOf(above);
  };
  const join = (one: string, other: string): void => void parent.set(rootOf(one), rootOf(other));
  for (const host of hosts) {
    const mac = ownMac(host);
    if (mac !== undefined) join(host.ip, mac);
  }
  for (const [endpoint, sharing] of byEndpoint) {
    const macs = new Set(sharing.map(({ mac }) => mac).filter((mac) => mac !== undefined));
    if (macs.size <= 1) for (const host of sharing) join(host.ip, endpoint);
  }
  return ({ ip }) => rootOf(ip);
}

function toDevice(hosts: readonly Host[]): DiscoveredDevice {
  const sightings = inOrder(hosts.flatMap((host) => host.sightings));
  const ips = hosts.map(({ ip }) => ip).sort(byAddress);
  const [ip = ""] = ips;
  const services = sightings.flatMap((sighting) => sighting.services ?? []);
  const ports = [...services.map(({ port }) => port), ...sightings.flatMap((sighting) => sighting.ports ?? [])];
  const mac = hosts.find((host) => host.mac !== undefined)?.mac;
  const vendor = vendorOf(sightings, mac);
  const needsPassword = sightings.map((sighting) => sighting.needsPassword).filter((needs) => needs !== undefined);
  return {
    ip,
    ips,
    ...defined({
      mac,
      endpoint: first(sightings, "endpoint"),
      vendor,
      model: first(sightings, "model"),
      name: first(sightings, "name"),
      hardware: first(sightings, "hardware"),
      location: first(sightings, "location"),
    }),
    protocols: PROTOCOLS.filter((protocol) => services.some((service) => service.protocol === protocol)),
    ports: [...new Set(ports)].sort((one, other) => one - other),
    addresses: addressesOf(services, ips, vendor),
    ...defined({
      needsPassword: needsPassword.length > 0 ? needsPassword.includes(true) : undefined,
      activated: first(sightings, "activated"),
    }),
  };
}

function vendorOf(sightings: readonly Sighting[], mac: string | undefined): string | undefined {
  const said = VENDOR_ORDER.flatMap((method) => sightings.filter((sighting) => sighting.method === method));
  return first(said, "vendor") ?? (mac && vendorOfMac(mac)) ?? first(sightings, "vendor");
}

/**
 * ONVIF tells the rest by itself, so does the maker's own interface; then come RTSP, with the brand's path and
 * without, and last a web page, which may be no picture.
 */
function addressesOf(services: readonly Service[], ips: readonly string[], vendor: string | undefined): string[] {
  const ranked = services
    .flatMap((service) => toAddresses(service, brandOfVendor(vendor)))
    .map(({ address, rank }) => {
      const host = ips.findIndex((ip) => address.includes(`//${ip}:`));
      const [, secure = "", port = "0"] = /^\w+?(s?):\/\/[\d.]+:(\d+)/.exec(address) ?? [];
      return { address, rank: [rank, host, secure.length, Number(port)] };
    })
    .sort((one, other) => compare(one.rank, other.rank) || (one.address < other.address ? -1 : 1));
  return [...new Set(ranked.map(({ address }) => address))];
}

function toAddresses({ protocol, port, url }: Service, brand: Brand | undefined): { address: string; rank: number }[] {
  if (url === undefined) return [];
  const host = hostOf(url);
  switch (protocol) {
    case "ONVIF":
      return [{ address: toOnvifAddress(url), rank: 0 }];
    case "RTSP": {
      const ofBrand = brand && brandAddresses(brand, { host, port, channel: 1, stream: "main" }).rtsp;
      return [...(ofBrand ? [{ address: ofBrand, rank: 2 }] : []), { address: url, rank: 3 }];
    }
    default: {
      const isOwnProtocol = brand && brand.protocol !== BY_TEMPLATES && url.startsWith("http:");
      return [
        ...(isOwnProtocol ? [{ address: `${brand.scheme}://${host}:${port}`, rank: 1 }] : []),
        { address: url, rank: 4 },
      ];
    }
  }
}

function hostOf(url: string): string {
  return /^\w+:\/\/([\d.]+)/.exec(url)?.[1] ?? "";
}

function toOnvifAddress(url: string): string {
  const [, secure = "", host = "", path = ""] = /^http(s?):\/\/([^/]+)(.*)$/.exec(url) ?? [];
  return `onvif${secure}://${host}${path === USUAL_ONVIF_PATH ? "" : path}`;
}

/** By how far a method is trusted, then by what was said, so that no order of arrival shows. */
function inOrder(sightings: readonly Sighting[]): Sighting[] {
  return sightings
    .map((sighting) => ({ sighting, rank: METHODS.indexOf(sighting.method), text: JSON.stringify(sighting) }))
    .sort((one, other) => one.rank - other.rank || (one.text < other.text ? -1 : 1))
    .map(({ sighting }) => sighting);
}

function first<K extends keyof Sighting>(sightings: readonly Sighting[], field: K): Sighting[K] | undefined {
  return sightings.find((sighting) => sighting[field] !== undefined)?.[field];
}

/** Addresses that a router gave come before those that a device gave itself. */
function byAddress(one: string, other: string): number {
  const rank = (ip: string): number[] => [isLinkLocal(ip) ? 1 : 0, ipv4ToNumber(ip) ?? 0];
  return compare(rank(one), rank(other));
}

function compare(one: readonly number[], other: readonly number[]): number {
  const index = one.findIndex((number, place) => number !== other[place]);
  return index < 0 ? 0 : (one[index] ?? 0) - (other[index] ?? 0);
}

function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function defined<T extends object>(fields: T): Defined<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>;
}

import { CctvError } from "../../errors.ts";
import type { Credentials } from "../credentials.ts";
import table from "./brands.json" with { type: "json" };

/** A maker of cameras, and where its devices have their pictures; `brands.json` says how well we know it. */
export interface Brand {
  readonly id: string;
  /** As people write it. */
  readonly label: string;
  /** Other names on the same devices. */
  readonly alsoSoldAs: readonly string[];
  /** Other names that `brandOf` knows it by. */
  readonly aliases: readonly string[];
  /** Begins the addresses by which its devices are opened, as in `axis://192.168.1.64`. */
  readonly scheme: string;
  /** Which protocol opens them: one made for the brand, or `brand`, which fills the templates below. */
  readonly protocol: string;
  readonly confidence: "high" | "medium" | "low";
  /** Where we have it from. */
  readonly sources: readonly string[];
  /** TCP ports as they come from the factory, the usual one first. */
  readonly ports: Readonly<Partial<Record<"rtsp" | "rtsps" | "http" | "https" | "onvif", readonly number[]>>>;
  /** Templates of paths, the best first; absent where its devices speak no RTSP. */
  readonly rtsp?: Readonly<Record<"main" | "sub", readonly string[]>>;
  readonly snapshot: readonly string[];
  readonly mjpeg: readonly string[];
  /** How channels are counted, for people. */
  readonly channels: string;
  /** Regular expressions for what its servers say before any login. */
  readonly fingerprint: Readonly<Partial<Record<keyof BrandSigns, readonly string[]>>>;
  /** For people. */
  readonly notes: readonly string[];
}

/** What a device's servers say before any login. */
export interface BrandSigns {
  readonly rtspRealm?: string | undefined;
  readonly rtspServer?: string | undefined;
  readonly httpServer?: string | undefined;
  readonly httpRealm?: string | undefined;
}

/** Which picture of a device. */
export interface BrandPlace {
  /** A name, an IPv4 address, or an IPv6 address in brackets. */
  readonly host: string;
  /** Of RTSP; the brand's usual one by default. */
  readonly port?: number | undefined;
  /** Of HTTP; the brand's usual one by default. */
  readonly httpPort?: number | undefined;
  /** Counted from 1. */
  readonly channel: number;
  readonly stream: "main" | "sub";
  /** For brands that want the login in the address of a snapshot. */
  readonly credentials?: Credentials | undefined;
}

/** What may be opened, the best first. */
export interface BrandAddresses {
  /** Absent where the brand has no RTSP, or none for such a channel. */
  readonly rtsp?: string;
  readonly snapshot: readonly string[];
  readonly mjpeg: readonly string[];
}

/** By what a device is known, the surest first. */
const SIGNS = ["rtspRealm", "httpRealm", "httpServer", "rtspServer"] as const;
const PLACEHOLDER = /\{(ch|ch0|ch2|user|pass)\}/g;
const CHANNEL = /\{ch[02]?\}/;
const LOGIN = /\{(?:user|pass)\}/;

export const brands = table.brands as readonly Brand[];

const patterns = brands.map((brand) => ({
  brand,
  patterns: SIGNS.map((sign) => (brand.fingerprint[sign] ?? []).map((source) => new RegExp(source, "i"))),
}));

/** By its id or an alias, whatever the case. */
export function brandOf(name: string): Brand | undefined {
  const wanted = name.toLowerCase();
  return brands.find(({ id, aliases }) => id === wanted || aliases.includes(wanted));
}

/** Fills the brand's templates. */
export function brandAddresses(brand: Brand, place: BrandPlace): BrandAddresses {
  const { host, stream } = place;
  const port = place.port ?? brand.ports.rtsp?.[0];
  const httpPort = place.httpPort ?? brand.ports.http?.[0];
  const scheme = port !== undefined && brand.ports.rtsps?.includes(port) ? "rtsps" : "rtsp";
  const [rtsp] = fill(brand.rtsp?.[stream] ?? [], place);
  const overHttp = (templates: readonly string[]) =>
    fill(templates, place).map((path) => `http://${host}:${httpPort}${path}`);
  return {
    ...(rtsp !== undefined && { rtsp: `${scheme}://${host}:${port}${rtsp}` }),
    snapshot: overHttp(brand.snapshot),
    mjpeg: overHttp(brand.mjpeg),
  };
}

/**
 * The brand's RTSP address of a channel.
 * @throws CctvError SETTING_INVALID where the brand has none.
 */
export function brandRtspAddress(brand: Brand, place: BrandPlace): string {
  const { rtsp } = brandAddresses(brand, place);
  if (rtsp !== undefined) return rtsp;
  throw new CctvError(
    "SETTING_INVALID",
    brand.rtsp
      ? `${brand.label} cameras have an address each and no channel ${place.channel}; set the channel to 1 and enter the address of the camera that is meant`
      : `${brand.label} cameras speak no RTSP; open them as ${brand.scheme}://${place.host}`,
  );
}

/** The brand that its servers give away; undefined where nothing does. */
export function recogniseBrand(signs: BrandSigns): Brand | undefined {
  for (const [index, sign] of SIGNS.entries()) {
    const text = signs[sign];
    const found = text && patterns.find(({ patterns }) => patterns[index]?.some((pattern) => pattern.test(text)));
    if (found) return found.brand;
  }
  return undefined;
}

/** Leaves out those that are for the first channel alone, or want a login that is not there. */
function fill(templates: readonly string[], { channel, credentials }: BrandPlace): string[] {
  const values: Readonly<Record<string, string>> = {
    ch: String(channel),
    ch0: String(channel - 1),
    ch2: String(channel).padStart(2, "0"),
    user: encodeURIComponent(credentials?.username ?? ""),
    pass: encodeURIComponent(credentials?.password ?? ""),
  };
  return templates
    .filter((template) => (channel === 1 || CHANNEL.test(template)) && (credentials || !LOGIN.test(template)))
    .map((template) => template.replace(PLACEHOLDER, (_, name: string) => values[name] ?? ""));
}

import { parseNetworkAddress, schemeOf } from "../camera/address.ts";
import { type AddressRules, refuseLocalSource } from "../camera/address-rules.ts";
import { readAddress, typedPort } from "../camera/auto/read-address.ts";
import { brands } from "../camera/brands/brands.ts";
import type { Credentials } from "../camera/credentials.ts";
import { parseDeviceAddress } from "../camera/device-address.ts";
import { parseOnvifAddress } from "../camera/protocols/onvif/onvif-address.ts";
import { protocols } from "../camera/protocols/registry.ts";
import { CctvError } from "../errors.ts";
import type { NewCamera } from "../store/camera-record.ts";

/** How a request says what camera it means. */
export interface ConnectionBody {
  readonly url: string;
  readonly protocol?: string;
  readonly username?: string | null;
  readonly password?: string | null;
  readonly channel?: number;
  readonly stream?: "main" | "sub";
  readonly transport?: "auto" | "tcp" | "udp" | "http";
  readonly certificate?: "trusted" | "any";
}

/** A camera that may be opened. */
export interface ReadCamera {
  /** What to keep. */
  readonly fields: Omit<NewCamera, "id"> & { readonly protocol: string };
  /** Where to connect to: the IP address that was checked. */
  readonly pinned: string;
}

/** A protocol as a request names it. */
interface NamedProtocol {
  /** In lower case. */
  readonly names: readonly string[];
  /** Schemes of its addresses: the plain one, then the one over TLS. */
  readonly schemes: readonly [string, ...string[]];
  /** At the port of HTTP, so that its address may have been copied from a browser. */
  readonly isOverHttp?: boolean;
}

/** An address, and what was in it beside the place. */
interface AddressParts {
  readonly address: string;
  readonly credentials?: Credentials | undefined;
  readonly channel?: number | undefined;
  readonly stream?: "main" | "sub" | undefined;
}

const NAMED: readonly NamedProtocol[] = [
  { names: ["rtsp", "rtsps"], schemes: ["rtsp", "rtsps"] },
  { names: ["rtmp", "rtmps"], schemes: ["rtmp", "rtmps"] },
  { names: ["http", "https", "mjpeg"], schemes: ["http", "https"] },
  { names: ["hls", "hlss"], schemes: ["hls", "hlss"], isOverHttp: true },
  { names: ["onvif", "onvifs"], schemes: ["onvif", "onvifs"], isOverHttp: true },
  { names: ["hikvision", "hik", "isapi"], schemes: ["hik", "hiks", "hikvision"], isOverHttp: true },
  { names: ["dahua"], schemes: ["dahua", "dahuas"], isOverHttp: true },
  ...brands
    .filter(({ protocol }) => protocol === "brand")
    .map(({ id, aliases }): NamedProtocol => ({ names: [id, ...aliases], schemes: [id, ...aliases] })),
];
const WITH_SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i;
const DEVICE_PROTOCOLS = new Set(["hikvision", "dahua", "brand"]);

/**
 * Reads what a request says of a camera, and checks where it leads. Fields win over what is in the address.
 * @throws CctvError as `AddressRules.check`, and REQUEST_INVALID where protocol and address do not fit.
 */
export async function readCamera(body: ConnectionBody, rules: AddressRules, signal: AbortSignal): Promise<ReadCamera> {
  const text = withProtocol(body.url.trim(), (body.protocol ?? "auto").toLowerCase());
  refuseLocalSource(text);
  const parts = takeApart(text);
  const { address, pinned } = await rules.check(parts.address, { certificate: body.certificate, signal });
  const { transport, certificate } = body;
  const username = body.username || parts.credentials?.username;
  const password = body.password || parts.credentials?.password;
  const channel = body.channel ?? parts.channel;
  const stream = body.stream ?? parts.stream;
  const fields = {
    address,
    protocol: protocols.forAddress(address).name,
    ...(username && { username }),
    ...(password && { password }),
    ...(channel !== undefined && { channel }),
    ...(stream !== undefined && { stream }),
    ...(transport !== undefined && { transport }),
    ...(certificate !== undefined && { certificate }),
  };
  return { fields, pinned };
}

/** Has the address begin as the protocol wants it. */
function withProtocol(url: string, protocol: string): string {
  if (protocol === "auto") return readAddress(url);
  const named = NAMED.find(({ names }) => names.includes(protocol));
  if (!named) throw unknownProtocol();
  const [plain, secure = plain] = named.schemes;
  if (!WITH_SCHEME.test(url)) return `${named.schemes.includes(protocol) ? protocol : plain}://${url}`;
  const scheme = schemeOf(url);
  if (scheme === "auto" || named.schemes.includes(scheme)) return readAddress(url);
  if (!named.isOverHttp || !/^https?$/.test(scheme)) throw doesNotFit();
  return url.replace(/^[a-z]+/i, scheme === "https" ? secure : plain);
}

/** Credentials never stay in an address that is kept; what else its query says goes into fields of its own. */
function takeApart(text: string): AddressParts {
  const scheme = schemeOf(text);
  const port = typedPort(text);
  const write = (host: string, path: string) => `${scheme}://${host}${port === undefined ? "" : `:${port}`}${path}`;
  if (scheme === "onvif" || scheme === "onvifs") {
    const { host, device, credentials, channel } = parseOnvifAddress({ address: text });
    return { address: write(host, device.path), credentials, channel };
  }
  if (DEVICE_PROTOCOLS.has(protocols.forAddress(text).name)) {
    const { host, credentials, channel, stream } = parseDeviceAddress({ address: text });
    return { address: write(host, ""), credentials, channel, stream };
  }
  const { host, path, credentials } = parseNetworkAddress(text, 1);
  return { address: write(host, path), credentials };
}

function unknownProtocol(): CctvError {
  return new CctvError(
    "REQUEST_INVALID",
    '"protocol" is none that is opened for others; send RTSP, HTTP, HLS, RTMP, ONVIF, a brand, or auto',
  );
}

function doesNotFit(): CctvError {
  return new CctvError(
    "REQUEST_INVALID",
    '"protocol" and the beginning of "url" do not fit; correct one of them, or send auto as the protocol',
  );
}

import { type Banner, readBanner } from "../camera/banner.ts";
import { type BrandSigns, recogniseBrand } from "../camera/brands/brands.ts";
import { parseChallenges } from "../camera/http/digest.ts";
import type { ConnectionGate } from "./connection-gate.ts";
import type { CameraPorts } from "./port-scan.ts";
import { type Service, type Sighting, shown } from "./sighting.ts";

export interface Fingerprinting {
  readonly gate: ConnectionGate;
  readonly ports: CameraPorts;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** What one server of a host told. */
interface Told {
  readonly signs: BrandSigns;
  readonly services: readonly Service[];
  /** Only a camera answers like this, whatever its maker. */
  readonly isCamera: boolean;
  readonly needsPassword?: boolean | undefined;
}

const NOTHING: Told = { signs: {}, services: [], isCamera: false };
/** They speak RTSP and are loudspeakers. */
const NOT_CAMERAS = /^AirTunes|^AirPlay/i;
const DEVICE_SERVICE = "/onvif/device_service";
/** The one call that every ONVIF device answers without a login (ONVIF Core Specification, 5.9.2.2). */
const ASK_TIME =
  '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><GetSystemDateAndTime xmlns="http://www.onvif.org/ver10/device/wsdl"/></s:Body></s:Envelope>';
const ANSWERS_TIME = /<(?:[\w-]+:)?GetSystemDateAndTimeResponse[\s>]/;

/**
 * Asks the open ports of a host who is there, without a password and without ever trying one.
 *
 * @param open its open ports
 * @throws the signal's reason when it aborts.
 */
export async function fingerprint(ip: string, open: readonly number[], how: Fingerprinting): Promise<Sighting> {
  const { gate, ports, signal } = how;
  const isOpen = (port: number): boolean => open.includes(port);
  const asked = await Promise.allSettled([
    ...ports.rtsp.filter(isOpen).map((port) => gate.run(ip, signal, () => askRtsp(ip, port, how))),
    ...ports.http.filter(isOpen).map((port) => gate.run(ip, signal, () => askWeb(ip, port, false, how))),
    ...ports.https.filter(isOpen).map((port) => gate.run(ip, signal, () => askWeb(ip, port, true, how))),
  ]);
  signal.throwIfAborted();
  const told = asked.map((one) => (one.status === "fulfilled" ? one.value : NOTHING));
  const vendors = told.map(({ signs }) => recogniseBrand(signs)?.label).filter((vendor) => vendor !== undefined);
  const passwords = told.map(({ needsPassword }) => needsPassword).filter((needs) => needs !== undefined);
  return {
    method: "ports",
    ip,
    isCamera: vendors.length > 0 || told.some(({ isCamera }) => isCamera),
    vendor: vendors[0],
    services: told.flatMap(({ services }) => services),
    ports: open,
    needsPassword: passwords.length > 0 ? passwords.includes(true) : undefined,
  };
}

async function askRtsp(ip: string, port: number, how: Fingerprinting): Promise<Told> {
  const url = `rtsp://${ip}:${port}/`;
  const ask = (method: string): Promise<Banner | undefined> =>
    readBanner({
      ...how,
      host: ip,
      port,
      tls: false,
      text: `${method} ${url} RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: node-red-cctv\r\n${method === "DESCRIBE" ? "Accept: application/sdp\r\n" : ""}\r\n`,
    });
  const options = await ask("OPTIONS");
  if (options?.protocol !== "RTSP") return NOTHING;
  const described = await ask("DESCRIBE");
  const server = serverOf(described) ?? serverOf(options);
  if (NOT_CAMERAS.test(server ?? "")) return NOTHING;
  return {
    signs: { rtspServer: server, rtspRealm: realmOf(described) ?? realmOf(options) },
    services: [{ protocol: "RTSP", port, url }],
    isCamera: true,
    needsPassword: described?.status === 401 ? true : described?.status === 200 ? false : undefined,
  };
}

async function askWeb(ip: string, port: number, tls: boolean, how: Fingerprinting): Promise<Told> {
  const head = `Host: ${ip}:${port}\r\nUser-Agent: node-red-cctv\r\nConnection: close\r\n`;
  const ask = (text: string): Promise<Banner | undefined> => readBanner({ ...how, host: ip, port, tls, text });
  const page = await ask(`GET / HTTP/1.1\r\n${head}Accept: */*\r\n\r\n`);
  if (page?.protocol !== "HTTP") return NOTHING;
  const time = await ask(
    `POST ${DEVICE_SERVICE} HTTP/1.1\r\n${head}Content-Type: application/soap+xml; charset=utf-8\r\nContent-Length: ${ASK_TIME.length}\r\n\r\n${ASK_TIME}`,
  );
  const isOnvif = ANSWERS_TIME.test(time?.body ?? "");
  const base = `${tls ? "https" : "http"}://${ip}:${port}`;
  return {
    signs: { httpServer: serverOf(page), httpRealm: realmOf(page) },
    services: [
      ...(isOnvif ? [{ protocol: "ONVIF" as const, port, url: `${base}${DEVICE_SERVICE}` }] : []),
      { protocol: "HTTP", port, url: `${base}/` },
    ],
    isCamera: isOnvif,
    needsPassword: page.status === 401 ? true : undefined,
  };
}

function serverOf(banner: Banner | undefined): string | undefined {
  return shown(banner?.headers.get("server")?.[0]);
}

function realmOf(banner: Banner | undefined): string | undefined {
  const challenges = parseChallenges(banner?.headers.get("www-authenticate") ?? []);
  return shown(challenges.find(({ parameters }) => parameters.realm)?.parameters.realm);
}

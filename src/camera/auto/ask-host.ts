import { type Banner, readBanner } from "../banner.ts";
import { type Brand, recogniseBrand } from "../brands/brands.ts";
import { parseChallenges } from "../http/digest.ts";

/** The TCP ports to ask, by what may answer there; a port may stand under more than one. */
export interface PortsToAsk {
  readonly rtsp: readonly number[];
  readonly http: readonly number[];
  readonly https: readonly number[];
  /** Over HTTP, or over HTTPS where the port stands there too. */
  readonly onvif: readonly number[];
}

export interface RtspAnswer {
  readonly port: number;
  /** Of DESCRIBE for `/`: 200 where it plays without a path or a login. */
  readonly status: number;
  readonly server?: string | undefined;
  readonly realm?: string | undefined;
}

export interface WebAnswer {
  readonly port: number;
  readonly isSecure: boolean;
  /** Of GET for `/`. */
  readonly status: number;
  /** In lower case, without parameters; empty where it names none. */
  readonly contentType: string;
  readonly server?: string | undefined;
  readonly realm?: string | undefined;
}

export interface OnvifAnswer {
  readonly port: number;
  readonly isSecure: boolean;
}

/** What a host says of itself before any login; of several alike the one whose port was to be asked first. */
export interface HostAnswers {
  readonly rtsp?: RtspAnswer | undefined;
  readonly http?: WebAnswer | undefined;
  readonly onvif?: OnvifAnswer | undefined;
  readonly brand?: Brand | undefined;
}

export interface HostQuestion {
  /** The usual ones by default. */
  readonly ports?: PortsToAsk | undefined;
  readonly signal: AbortSignal;
  /** For one answer, milliseconds; 1.2 s by default. */
  readonly timeoutMs?: number | undefined;
  /** For all of them, milliseconds; 4 s by default. */
  readonly limitMs?: number | undefined;
}

interface PortAnswers {
  readonly rtsp?: RtspAnswer | undefined;
  readonly http?: WebAnswer | undefined;
  readonly onvif?: OnvifAnswer | undefined;
}

type Ask = (port: number, isSecure: boolean, text: string) => Promise<Banner | undefined>;

const USUAL_PORTS: PortsToAsk = {
  rtsp: [554, 8554],
  http: [80, 8080],
  https: [443],
  onvif: [80, 8080, 8000, 2020, 8899],
};
const RTSP_PORTS = new Set([554, 8554, 10554]);
const TLS_PORTS = new Set([443, 8443]);

const TIMEOUT_MS = 1_200;
const LIMIT_MS = 4_000;
/** Small cameras have room for few connections. */
const AT_ONCE = 4;

const DEVICE_SERVICE = "/onvif/device_service";
/** The one question that an ONVIF device answers without a login (ONVIF Core Specification, pre-auth access class). */
const ASK_TIME =
  '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><GetSystemDateAndTime xmlns="http://www.onvif.org/ver10/device/wsdl"/></s:Body></s:Envelope>';
/** Some want a login even so; then the refusal is ONVIF too. */
const SPEAKS_SOAP = /<(?:[\w-]+:)?Envelope[\s>]/;

/** What to ask: a port that somebody typed is the camera's, whatever else may be behind the same address. */
export function portsToAsk(typed: number | undefined): PortsToAsk {
  if (typed === undefined) return USUAL_PORTS;
  const one = [typed];
  if (RTSP_PORTS.has(typed)) return { rtsp: one, http: [], https: [], onvif: [] };
  if (TLS_PORTS.has(typed)) return { rtsp: [], http: [], https: one, onvif: one };
  return { rtsp: one, http: one, https: [], onvif: one };
}

/**
 * Asks a host what it is, at a few ports and never with a password: RTSP's OPTIONS and DESCRIBE, HTTP's GET of `/`,
 * and the time of an ONVIF device. Four connections at a time; a port that does not answer the first question gets
 * no second one of the kind.
 *
 * @param host a name, an IPv4 address, or an IPv6 address in brackets
 * @returns what was answered within the limit.
 * @throws the signal's reason when it aborts.
 */
export async function askHost(host: string, question: HostQuestion): Promise<HostAnswers> {
  const { ports = USUAL_PORTS, signal, timeoutMs = TIMEOUT_MS, limitMs = LIMIT_MS } = question;
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), limitMs);
  const either = AbortSignal.any([signal, limit.signal]);
  const connectTo = host.replace(/^\[|\]$/g, "");
  const ask: Ask = (port, tls, text) => readBanner({ host: connectTo, port, tls, text, timeoutMs, signal: either });
  const answers = new Map<number, PortAnswers>();
  const all = [...new Set([...ports.rtsp, ...ports.http, ...ports.https, ...ports.onvif])];
  const queue = all.values();
  const work = async () => {
    for (const port of queue) answers.set(port, await askPort(host, port, ports, ask));
  };
  try {
    const done = await Promise.allSettled(Array.from({ length: AT_ONCE }, work));
    signal.throwIfAborted();
    const failed = done.find((one) => one.status === "rejected" && !limit.signal.aborted);
    if (failed?.status === "rejected") throw failed.reason;
  } finally {
    clearTimeout(timer);
  }
  return summarise(all.flatMap((port) => answers.get(port) ?? []));
}

async function askPort(host: string, port: number, ports: PortsToAsk, ask: Ask): Promise<PortAnswers> {
  const isSecure = ports.https.includes(port);
  const isWeb = isSecure || ports.http.includes(port);
  const http = isWeb ? await askWeb(host, port, isSecure, ask) : undefined;
  const mayBeOnvif = ports.onvif.includes(port) && (http !== undefined || !isWeb);
  const onvif = mayBeOnvif && (await isOnvif(host, port, isSecure, ask)) ? { port, isSecure } : undefined;
  const isKnown = http !== undefined || onvif !== undefined;
  const rtsp = ports.rtsp.includes(port) && !isKnown ? await askRtsp(host, port, ask) : undefined;
  return { rtsp, http, onvif };
}

async function askRtsp(host: string, port: number, ask: Ask): Promise<RtspAnswer | undefined> {
  const head = `rtsp://${host}:${port}/ RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: node-red-cctv\r\n`;
  const options = await ask(port, false, `OPTIONS ${head}\r\n`);
  if (options?.protocol !== "RTSP") return undefined;
  const described = await ask(port, false, `DESCRIBE ${head}Accept: application/sdp\r\n\r\n`);
  return {
    port,
    status: described?.status ?? options.status,
    server: headerOf(described, "server") ?? headerOf(options, "server"),
    realm: realmOf(described) ?? realmOf(options),
  };
}

async function askWeb(host: string, port: number, isSecure: boolean, ask: Ask): Promise<WebAnswer | undefined> {
  const page = await ask(port, isSecure, `GET / HTTP/1.1\r\n${headOf(host, port)}Accept: */*\r\n\r\n`);
  if (page?.protocol !== "HTTP") return undefined;
  return {
    port,
    isSecure,
    status: page.status,
    contentType: (headerOf(page, "content-type") ?? "").replace(/;.*$/s, "").trim().toLowerCase(),
    server: headerOf(page, "server"),
    realm: realmOf(page),
  };
}

async function isOnvif(host: string, port: number, isSecure: boolean, ask: Ask): Promise<boolean> {
  const body = `Content-Type: application/soap+xml; charset=utf-8\r\nContent-Length: ${ASK_TIME.length}\r\n\r\n${ASK_TIME}`;
  const answer = await ask(port, isSecure, `POST ${DEVICE_SERVICE} HTTP/1.1\r\n${headOf(host, port)}${body}`);
  return answer?.protocol === "HTTP" && SPEAKS_SOAP.test(answer.body);
}

function headOf(host: string, port: number): string {
  return `Host: ${host}:${port}\r\nUser-Agent: node-red-cctv\r\nConnection: close\r\n`;
}

function headerOf(banner: Banner | undefined, name: string): string | undefined {
  return banner?.headers.get(name)?.[0];
}

function realmOf(banner: Banner | undefined): string | undefined {
  const challenges = parseChallenges(banner?.headers.get("www-authenticate") ?? []);
  return challenges.find(({ parameters }) => parameters.realm)?.parameters.realm;
}

function summarise(ports: readonly PortAnswers[]): HostAnswers {
  const webs = ports.flatMap(({ http }) => http ?? []);
  const rtsp = ports.find((port) => port.rtsp)?.rtsp;
  const byRtsp = recogniseBrand({ rtspRealm: rtsp?.realm, rtspServer: rtsp?.server });
  const byWeb = webs
    .map(({ realm, server }) => recogniseBrand({ httpRealm: realm, httpServer: server }))
    .find((brand) => brand !== undefined);
  return {
    rtsp,
    http: webs.find(showsPictures) ?? webs[0],
    onvif: ports.find(({ onvif }) => onvif)?.onvif,
    brand: byRtsp ?? byWeb,
  };
}

/** Whether the address without a path is already that of a stream or a picture. */
export function showsPictures({ status, contentType }: WebAnswer): boolean {
  return (
    status === 200 && (/^multipart\//.test(contentType) || contentType === "image/jpeg" || isPlaylist(contentType))
  );
}

export function isPlaylist(contentType: string): boolean {
  return contentType.endsWith("mpegurl");
}

/** Where an HTTP request goes, on the one host that the user configured. */
export interface HttpTarget {
  readonly port: number;
  readonly secure: boolean;
  /** From the `/` on, with its query. */
  readonly path: string;
}

/** Where a stream is, on the one host that the user configured. */
export interface StreamTarget {
  readonly scheme: "rtsp" | "rtsps" | "http" | "https";
  readonly port: number;
  readonly path: string;
}

const DEFAULT_PORTS = { "http:": 80, "https:": 443, "rtsp:": 554, "rtsps:": 322 } as const;
type KnownProtocol = keyof typeof DEFAULT_PORTS;

/**
 * Takes from the addresses that a camera reports their port and path, and never their host: a camera
 * behind a router reports one that cannot be reached, and a hostile one could name any machine.
 *
 * The port at which the camera believes its device service to be is the one that the user configured,
 * whatever a router made of it.
 */
export class ReportedAddresses {
  readonly #home: HttpTarget;
  #inside: { readonly port: number; readonly secure: boolean } | undefined;

  constructor(home: HttpTarget) {
    this.#home = home;
  }

  /** Tells it where the camera believes its device service to be. */
  learnDevice(reported: string | undefined): void {
    const url = parse(reported);
    if (url && isHttp(url)) this.#inside = { port: portOf(url), secure: url.protocol === "https:" };
  }

  /** Undefined for what is no HTTP address. */
  http(reported: string | undefined): HttpTarget | undefined {
    const url = parse(reported);
    if (!url || !isHttp(url)) return undefined;
    const path = `${url.pathname || "/"}${url.search}`;
    const secure = url.protocol === "https:";
    const port = portOf(url);
    const isAtHome = this.#inside?.port === port && this.#inside.secure === secure;
    return isAtHome ? { ...this.#home, path } : { port, secure, path };
  }

  /** Undefined for what is no address of RTSP or HTTP. */
  stream(reported: string | undefined): StreamTarget | undefined {
    const target = this.http(reported);
    if (target) return { scheme: target.secure ? "https" : "http", port: target.port, path: target.path };
    const url = parse(reported);
    if (!url) return undefined;
    const scheme = url.protocol === "rtsps:" ? "rtsps" : "rtsp";
    return { scheme, port: portOf(url), path: `${url.pathname}${url.search}` };
  }
}

function parse(reported: string | undefined): URL | undefined {
  const text = reported?.trim() ?? "";
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url && url.protocol in DEFAULT_PORTS ? url : undefined;
}

function isHttp(url: URL): boolean {
  return url.protocol === "http:" || url.protocol === "https:";
}

function portOf(url: URL): number {
  return Number(url.port) || DEFAULT_PORTS[url.protocol as KnownProtocol];
}

import { CctvError } from "../../../errors.ts";
import { type NetworkAddress, toUrl } from "../../address.ts";
import { CameraHttp, type HttpStream } from "../../http/camera-http.ts";
import { explainStatus } from "../../http/http-failure.ts";
import { maskAddresses, maskQueries } from "../../secrets.ts";
import { refuseInside } from "./other-host.ts";

export interface FetchedPlaylist {
  readonly text: string;
  /** Where it came from after redirects: what its relative addresses relate to. */
  readonly url: URL;
}

export interface HlsClientOptions {
  /** Of the playlist. The login is for its scheme, host and port alone. */
  readonly address: NetworkAddress;
  readonly rejectUnauthorized: boolean;
}

interface Asked {
  readonly status: number;
  readonly headers: HttpStream["headers"];
}

const TIMEOUT_MS = 8_000;
/** A playlist of a day in segments of a second has about 3 MB. */
const MOST_PLAYLIST_BYTES = 4 * 1024 * 1024;
const MOST_REDIRECTS = 3;
/** Where playlists may send: the camera's own server, a few of those that carry segments for it. */
const MOST_ORIGINS = 8;
const BEGINNING = /^\uFEFF?#EXTM3U/;

/**
 * Fetches playlists and segments, over the one HTTP client for cameras: with their logins, certificate
 * choice and limits. Redirects are followed, but the login goes to nobody other than the camera.
 */
export class HlsClient {
  readonly #options: HlsClientOptions;
  readonly #home: URL;
  readonly #origins: string[] = [];
  readonly #servers = new Map<string, Promise<CameraHttp>>();

  constructor(options: HlsClientOptions) {
    const { credentials: _, ...open } = options.address;
    this.#options = options;
    this.#home = new URL(toUrl(open));
  }

  /** Where the camera's playlist is, without credentials. */
  get home(): URL {
    return this.#home;
  }

  /** Scheme, host and port of all the servers to which the playlists have sent, by the numbers of `numberOf`. */
  get origins(): readonly string[] {
    return this.#origins;
  }

  /** @throws CctvError CAMERA_REFUSED where the playlists send to too many. */
  numberOf({ origin }: URL): number {
    const known = this.#origins.indexOf(origin);
    if (known >= 0) return known;
    if (this.#origins.length < MOST_ORIGINS) return this.#origins.push(origin) - 1;
    throw new CctvError(
      "CAMERA_REFUSED",
      `the playlist ${displayOf(this.#home)} sends to more than ${MOST_ORIGINS} servers; check what it is`,
    );
  }

  /** @throws CctvError as CameraHttp does, and CAMERA_NOT_FOUND for what is no playlist. */
  async playlist(url: URL, signal: AbortSignal): Promise<FetchedPlaylist> {
    const { answer, from } = await this.#follow(url, (server, path) =>
      server.get(path, { signal, maxBytes: MOST_PLAYLIST_BYTES, givesRedirects: true }),
    );
    const display = displayOf(from);
    if (answer.status === 403) {
      throw new CctvError(
        "CAMERA_AUTH_FAILED",
        `${display} forbids this stream; check the user's rights, or renew the token in the address`,
      );
    }
    if (answer.status < 200 || answer.status > 299) throw explainStatus(answer.status, answer.headers, display);
    const text = answer.body.toString();
    if (BEGINNING.test(text)) return { text, url: from };
    const found = /^\s*</.test(text) ? "a web page" : "something else";
    throw new CctvError(
      "CAMERA_NOT_FOUND",
      `${display} answers with ${found} instead of an HLS playlist; check the path, and whether a token in it has expired`,
    );
  }

  /**
   * Opens a segment, a key or the like.
   * @param range as the header Range has it
   * @throws CctvError as CameraHttp does.
   */
  async part(url: URL, range: string | undefined, signal: AbortSignal): Promise<HttpStream> {
    const { answer } = await this.#follow(url, async (server, path) => {
      const opened = await server.open(path, { signal, range, givesRedirects: true });
      if (isRedirect(opened)) await opened.stream.return();
      return opened;
    });
    return answer;
  }

  async close(): Promise<void> {
    for (const server of this.#servers.values()) {
      await server.then(
        (opened) => opened.close(),
        () => undefined,
      );
    }
  }

  async #follow<Answer extends Asked>(
    url: URL,
    ask: (server: CameraHttp, path: string) => Promise<Answer>,
  ): Promise<{ answer: Answer; from: URL }> {
    let from = url;
    try {
      for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
        const server = await this.#serverOf(from);
        const answer = await ask(server, from.pathname + from.search);
        if (!isRedirect(answer)) return { answer, from };
        from = resolveUri(answer.headers.location ?? "", from);
      }
    } catch (error) {
      // Any query may hold a token.
      if (error instanceof CctvError) throw new CctvError(error.code, maskQueries(error.message), causeOf(error));
      throw error;
    }
    throw new CctvError(
      "CAMERA_NOT_FOUND",
      `${displayOf(url)} sends on more than ${MOST_REDIRECTS} times; enter the address where it ends`,
    );
  }

  async #serverOf(url: URL): Promise<CameraHttp> {
    const known = this.#servers.get(url.origin);
    if (known) return known;
    this.numberOf(url);
    const opened = this.#connect(url);
    this.#servers.set(url.origin, opened);
    // Another try may find that the name has got an address.
    opened.catch(() => this.#servers.delete(url.origin));
    return opened;
  }

  async #connect({ protocol, hostname, port, origin }: URL): Promise<CameraHttp> {
    const { address, rejectUnauthorized } = this.#options;
    if (hostname !== this.#home.hostname) await refuseInside(hostname);
    const isSecure = protocol === "https:";
    return new CameraHttp({
      host: hostname,
      port: port === "" ? (isSecure ? 443 : 80) : Number(port),
      tls: isSecure ? { rejectUnauthorized } : undefined,
      credentials: origin === this.#home.origin ? address.credentials : undefined,
      timeoutMs: TIMEOUT_MS,
    });
  }
}

/**
 * What an address in a playlist or a redirect means: they come from outside and may hold anything.
 * @throws CctvError CAMERA_NOT_FOUND for what is no address of HTTP.
 */
export function resolveUri(uri: string, base: URL): URL {
  const url = URL.canParse(uri, base.href) ? new URL(uri, base) : undefined;
  if (url && /^https?:$/.test(url.protocol)) return url;
  throw new CctvError(
    "CAMERA_NOT_FOUND",
    `${displayOf(base)} sends on to something that is no http address; check the server's settings`,
  );
}

function displayOf({ origin, pathname, search }: URL): string {
  return maskQueries(maskAddresses(`${origin}${pathname}${search}`));
}

function isRedirect({ status }: Asked): boolean {
  return status >= 300 && status <= 399;
}

function causeOf({ cause }: CctvError): ErrorOptions {
  return cause === undefined ? {} : { cause };
}

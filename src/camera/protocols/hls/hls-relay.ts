import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";
import { asCctvError, CctvError } from "../../../errors.ts";
import { type HlsClient, resolveUri } from "./hls-client.ts";
import { type Linked, relinkPlaylist } from "./playlist.ts";

/** A relay that no decoder reads any more ends after this time. */
const IDLE_MS = 30_000;
const PASSED_ON = ["content-type", "content-length", "content-range", "accept-ranges"] as const;
const REQUEST = /^\/([\w-]+)\/(playlist|part)\/(\d)(\/.*)$/s;

/**
 * Hands a decoder playlists and segments on loopback, as if it were the camera without a login: ffmpeg itself
 * knows neither every Digest nor the certificate choice, and would have to be told the password.
 *
 * The addresses in a playlist are replaced by those of this relay. A path keeps its ending, by which ffmpeg
 * judges segments, and begins with a random word that other programs on this machine do not know.
 *
 * Owns the client. Ends with the signal, or when its decoder has left.
 */
export class HlsRelay {
  readonly #client: HlsClient;
  readonly #server: Server;
  readonly #signal: AbortSignal;
  readonly #word = randomBytes(16).toString("base64url");
  readonly #onAbort = () => void this.close();
  #readers = 0;
  #idle: NodeJS.Timeout | undefined;

  private constructor(client: HlsClient, server: Server, signal: AbortSignal) {
    this.#client = client;
    this.#server = server;
    this.#signal = signal;
    signal.addEventListener("abort", this.#onAbort, { once: true });
    server.on("request", (request, response) => void this.#answer(request, response));
    server.on("connection", (socket) => {
      this.#readers++;
      clearTimeout(this.#idle);
      socket.once("close", () => {
        this.#readers--;
        this.#awaitReader();
      });
    });
    this.#awaitReader();
  }

  static async start(client: HlsClient, signal: AbortSignal): Promise<HlsRelay> {
    // A decoder may leave a connection open while it plays a long segment.
    const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 });
    await once(server.listen(0, "127.0.0.1"), "listening");
    server.unref();
    const relay = new HlsRelay(client, server, signal);
    if (signal.aborted) {
      await relay.close();
      throw signal.reason;
    }
    return relay;
  }

  /** Where the decoder finds a playlist of the camera. */
  playlistAt(url: URL): string {
    return this.#link(url, "playlist");
  }

  async close(): Promise<void> {
    this.#signal.removeEventListener("abort", this.#onAbort);
    clearTimeout(this.#idle);
    this.#server.close();
    this.#server.closeAllConnections();
    await this.#client.close();
  }

  #awaitReader(): void {
    clearTimeout(this.#idle);
    if (this.#readers > 0 || !this.#server.listening) return;
    this.#idle = setTimeout(() => void this.close(), IDLE_MS);
    this.#idle.unref();
  }

  #link(url: URL, linked: Linked): string {
    const { port } = this.#server.address() as AddressInfo;
    const origin = this.#client.numberOf(url);
    return `http://127.0.0.1:${port}/${this.#word}/${linked}/${origin}${url.pathname}${url.search}`;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const left = new AbortController();
    response.once("close", () => left.abort());
    try {
      const { linked, url } = this.#read(request);
      if (linked === "playlist") await this.#answerPlaylist(url, response, left.signal);
      else await this.#answerPart(url, request.headers.range, response, left.signal);
    } catch (error) {
      // A part that breaks off breaks off here too; ffmpeg goes on with the next.
      if (response.headersSent) response.destroy();
      else response.writeHead(statusFor(asCctvError(error, "STREAM_LOST"))).end();
    }
  }

  #read({ method, url = "" }: IncomingMessage): { linked: Linked; url: URL } {
    const [, word, linked = "", origin, target] = REQUEST.exec(url) ?? [];
    const base = word === this.#word ? this.#client.origins[Number(origin)] : undefined;
    if (method !== "GET" || base === undefined) {
      throw new CctvError("CAMERA_NOT_FOUND", "the relay has nothing there; ask for what a playlist names");
    }
    return { linked: linked as Linked, url: new URL(`${base}${target}`) };
  }

  async #answerPlaylist(url: URL, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const playlist = await this.#client.playlist(url, signal);
    const text = relinkPlaylist(playlist.text, (uri, linked) => this.#link(resolveUri(uri, playlist.url), linked));
    response.writeHead(200, { "content-type": "application/vnd.apple.mpegurl" }).end(text);
  }

  async #answerPart(url: URL, range: string | undefined, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const { status, headers, stream } = await this.#client.part(url, range, signal);
    for (const name of PASSED_ON) {
      if (headers[name] !== undefined) response.setHeader(name, headers[name]);
    }
    response.writeHead(status);
    await pipeline(stream, response);
  }
}

/** What ffmpeg makes its complaint of, see decoder-failure.ts. */
function statusFor({ code }: CctvError): number {
  if (code === "CAMERA_AUTH_FAILED" || code === "CAMERA_LOCKED") return 401;
  return code === "CAMERA_NOT_FOUND" ? 404 : 502;
}

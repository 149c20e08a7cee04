import { CctvError } from "../../../errors.ts";
import { type NetworkAddress, parseNetworkAddress, toDisplay } from "../../address.ts";
import { maskQueries } from "../../secrets.ts";
import type { CameraConfig, FfmpegInput, Protocol } from "../protocol.ts";
import { HlsClient, resolveUri } from "./hls-client.ts";
import { HlsRelay } from "./hls-relay.ts";
import { chooseVariant, type Playlist, readPlaylist } from "./playlist.ts";

/** Which scheme of HTTP an address has, by the scheme that was typed. */
const TRANSPORTS: Readonly<Record<string, "http" | "https">> = { hls: "http", hlss: "https", https: "https" };
const DEFAULT_PORTS = { http: 80, https: 443 } as const;

/** No connection stands: looking at the port tells it better, and when it has come back. */
const NO_CONNECTION = new Set([
  ...["EAI_AGAIN", "ECONNREFUSED", "EHOSTDOWN", "EHOSTUNREACH"],
  ...["ENETUNREACH", "ENOTFOUND", "ETIMEDOUT"],
]);

/** Segments from the end of a live playlist: one to play while the next is made. */
const LIVE_START = "-2";

/**
 * HTTP Live Streaming (RFC 8216), live and recorded. Of a master playlist the rendition that fits the
 * analysis is opened. A recording is played in real time and ends as a file does.
 */
export const hlsProtocol: Protocol<FfmpegInput> = {
  name: "hls",
  schemes: ["hls", "hlss"],
  fields: ["username", "password", "certificate", "loop"],

  matches: (address) => /^https?:\/\/[^?#]*\.m3u8(?:[?#]|$)/i.test(address.trim()),

  async resolve(config: CameraConfig, signal: AbortSignal): Promise<FfmpegInput> {
    const address = parseHlsAddress(config);
    const { host, port, credentials } = address;
    const display = maskQueries(toDisplay(address));
    const client = new HlsClient({ address, rejectUnauthorized: config.certificate !== "any" });
    const { stream, relay } = await connect(client, display, signal).catch(async (error) => {
      await client.close();
      throw error;
    });
    return {
      url: relay.playlistAt(stream.url),
      display,
      options: { live_start_index: LIVE_START },
      protocols: ["http", "tcp", "crypto", "data"],
      live: stream.live,
      loop: !stream.live && (config.loop ?? false),
      demuxer: "hls",
      segmented: true,
      secretQueries: true,
      endpoint: { host: host.replace(/^\[|\]$/g, ""), port },
      ...(credentials && { credentials }),
    };
  },
};

function parseHlsAddress(config: CameraConfig): NetworkAddress {
  const [, typed = ""] = /^\s*([a-z]+):/i.exec(config.address) ?? [];
  const scheme = TRANSPORTS[typed.toLowerCase()] ?? "http";
  return { ...parseNetworkAddress(config.address, DEFAULT_PORTS[scheme], config), scheme };
}

interface Stream {
  readonly url: URL;
  readonly live: boolean;
}

async function connect(
  client: HlsClient,
  display: string,
  signal: AbortSignal,
): Promise<{ stream: Stream; relay: HlsRelay }> {
  const stream = await findStream(client, display, signal).catch((error): Stream => {
    if (NO_CONNECTION.has(error.cause?.code)) return { url: client.home, live: true };
    throw error;
  });
  return { stream, relay: await HlsRelay.start(client, signal) };
}

/** Which media playlist is to be played, and whether it goes on for ever. */
async function findStream(client: HlsClient, display: string, signal: AbortSignal): Promise<Stream> {
  const fetched = await client.playlist(client.home, signal);
  const playlist = readPlaylist(fetched.text);
  if (playlist?.kind !== "master") return { url: client.home, live: isLive(playlist, display) };
  const variant = chooseVariant(playlist.variants);
  if (!variant) return { url: client.home, live: true };
  const url = resolveUri(variant.uri, fetched.url);
  const media = await client.playlist(url, signal);
  return { url, live: isLive(readPlaylist(media.text), display) };
}

function isLive(playlist: Playlist | undefined, display: string): boolean {
  if (playlist?.kind !== "media" || playlist.state === "live") return true;
  if (playlist.state === "recording") return false;
  throw new CctvError(
    "STREAM_LOST",
    `${display} says that its live stream is over; it is opened again when the camera goes on`,
  );
}

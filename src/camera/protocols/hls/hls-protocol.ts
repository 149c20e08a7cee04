import { CctvError } from "../../../errors.ts";
import { type NetworkAddress, parseNetworkAddress, toDisplay, toUrl } from "../../address.ts";
import { maskQueries } from "../../secrets.ts";
import type { CameraConfig, FfmpegInput, Protocol } from "../protocol.ts";
import { chooseVariant, type Playlist, readPlaylist } from "./playlist.ts";
import { fetchPlaylist } from "./playlist-request.ts";

/** Which scheme of HTTP an address has, by the scheme that was typed. */
const TRANSPORTS: Readonly<Record<string, "http" | "https">> = { hls: "http", hlss: "https", https: "https" };
const DEFAULT_PORTS = { http: 80, https: 443 } as const;

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
    const stream = await findStream(address, display, signal);
    return {
      url: stream.url,
      display,
      options: { live_start_index: LIVE_START },
      protocols: ["http", "https", "tcp", "tls", "crypto", "data"],
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

/** What ffmpeg is to open, and whether it goes on for ever; live where nothing tells. */
async function findStream(
  address: NetworkAddress,
  display: string,
  signal: AbortSignal,
): Promise<{ url: string; live: boolean }> {
  const url = toUrl(address);
  const fetched = await fetchPlaylist(address, display, signal);
  const playlist = fetched && readPlaylist(fetched.text);
  if (playlist?.kind !== "master") return { url, live: isLive(playlist, display) };
  const variant = chooseVariant(playlist.variants);
  if (!variant || !fetched) return { url, live: true };
  const chosen = parseHlsAddress({ address: resolveUri(variant.uri, fetched.url, display) });
  const sameHost = chosen.host === address.host && chosen.port === address.port && chosen.scheme === address.scheme;
  const { credentials } = address;
  // Another host gets nothing of the login.
  const rendition = { ...chosen, ...(sameHost && credentials && { credentials }) };
  const media = await fetchPlaylist(rendition, display, signal);
  return { url: toUrl(rendition), live: isLive(media && readPlaylist(media.text), display) };
}

function isLive(playlist: Playlist | undefined, display: string): boolean {
  if (playlist?.kind !== "media" || playlist.state === "live") return true;
  if (playlist.state === "recording") return false;
  throw new CctvError(
    "STREAM_LOST",
    `${display} says that its live stream is over; it is opened again when the camera goes on`,
  );
}

/** Playlists come from outside: one may hold anything where an address belongs. */
function resolveUri(uri: string, base: string, display: string): string {
  const url = URL.canParse(uri, base) ? new URL(uri, base) : undefined;
  if (url && /^https?:$/.test(url.protocol)) return url.href;
  throw new CctvError(
    "CAMERA_NOT_FOUND",
    `${display} names a rendition that is no http address; check the server's settings`,
  );
}

/** One rendition of a master playlist. */
export interface Variant {
  /** As the playlist has it: absolute, or relative to the playlist. */
  readonly uri: string;
  /** Bits a second; 0 where the playlist does not say. */
  readonly bandwidth: number;
  /** The longer side in pixels; absent where the playlist does not say. */
  readonly longSide?: number;
}

export type Playlist =
  | { readonly kind: "master"; readonly variants: readonly Variant[] }
  | {
      readonly kind: "media";
      /** - `live`: segments are still to come
       *  - `over`: a live stream that has ended; its first segments are gone
       *  - `recording`: complete, from the first segment to the last */
      readonly state: "live" | "over" | "recording";
    };

/** What an address in a playlist leads to: another playlist, or a part of the stream such as a segment or a key. */
export type Linked = "playlist" | "part";

/** Wide enough for the usual analysis; a wider rendition costs its decoding and brings it nothing. */
const ENOUGH = 640;

const VARIANT = /^#EXT-X-STREAM-INF:(.*)\n+(?:#.*\n+)*([^#\n].*)$/gm;
const URI_ATTRIBUTE = /([:,]\s*URI=)"([^"]*)"/g;
/** Tags whose URI is that of a playlist (RFC 8216, 4.3.4). */
const PLAYLIST_TAG = /^#EXT-X-(?:MEDIA|I-FRAME-STREAM-INF|RENDITION-REPORT):/;
const OTHER_SCHEME = /^(?!https?:)[a-z][a-z0-9+.-]*:/i;
const VIDEO_CODEC = /\b(?:avc|hvc|hev|dvh|av01|vp0?[89]|mp4v|jpeg)/i;

/** Reads as much of an HLS playlist (RFC 8216) as it takes to choose what to open; undefined where it is none. */
export function readPlaylist(text: string): Playlist | undefined {
  const lines = text.replace(/^\uFEFF/, "").replace(/\s*[\r\n]+/g, "\n");
  if (!lines.startsWith("#EXTM3U")) return undefined;
  const variants = [...lines.matchAll(VARIANT)].flatMap(([, attributes = "", uri = ""]) =>
    readVariant(attributes, uri),
  );
  if (variants.length > 0) return { kind: "master", variants };
  return { kind: "media", state: stateOf(lines) };
}

/** The smallest rendition that is wide enough, else the widest; by bit rate where sizes are not told. */
export function chooseVariant(variants: readonly Variant[]): Variant | undefined {
  const sized = variants.filter(({ longSide }) => longSide !== undefined);
  const bySize = sized.toSorted((a, b) => (a.longSide ?? 0) - (b.longSide ?? 0) || a.bandwidth - b.bandwidth);
  const wideEnough = bySize.find(({ longSide = 0 }) => longSide >= ENOUGH);
  return wideEnough ?? bySize.at(-1) ?? variants.toSorted((a, b) => a.bandwidth - b.bandwidth).at(-1);
}

/**
 * The same playlist with other addresses. Those with a scheme other than HTTP, such as `data:` for a key, stay.
 * @param relink gets an address as the playlist has it.
 */
export function relinkPlaylist(text: string, relink: (uri: string, linked: Linked) => string): string {
  const isMaster = /^#EXT-X-STREAM-INF:/m.test(text);
  const replace = (uri: string, linked: Linked) => (OTHER_SCHEME.test(uri) ? uri : relink(uri, linked));
  return text
    .split(/[\r\n]+/)
    .map((line) => {
      if (line.trim() === "") return "";
      if (!/^\uFEFF?#/.test(line)) return replace(line.trim(), isMaster ? "playlist" : "part");
      if (!line.startsWith("#EXT")) return line;
      const linked = PLAYLIST_TAG.test(line) ? "playlist" : "part";
      return line.replace(URI_ATTRIBUTE, (_, before, uri) => `${before}"${replace(uri, linked)}"`);
    })
    .join("\n");
}

/** None where the rendition is sound alone. */
function readVariant(attributes: string, uri: string): Variant[] {
  const [, codecs] = /CODECS="([^"]*)"/.exec(attributes) ?? [];
  if (codecs && !VIDEO_CODEC.test(codecs)) return [];
  const [, width, height] = /RESOLUTION=(\d+)x(\d+)/i.exec(attributes) ?? [];
  const [, bandwidth = "0"] = /(?:^|,)\s*BANDWIDTH=(\d+)/.exec(attributes) ?? [];
  const longSide = width && height ? { longSide: Math.max(Number(width), Number(height)) } : {};
  return [{ uri: uri.trim(), bandwidth: Number(bandwidth), ...longSide }];
}

/** A recording keeps all its segments and numbers them from 0 or 1, or says that it is one. */
function stateOf(lines: string): "live" | "over" | "recording" {
  if (!/^#EXT-X-ENDLIST/m.test(lines)) return "live";
  if (/^#EXT-X-PLAYLIST-TYPE:\s*(?:VOD|EVENT)/m.test(lines)) return "recording";
  const [, sequence = "0"] = /^#EXT-X-MEDIA-SEQUENCE:\s*(\d+)/m.exec(lines) ?? [];
  return Number(sequence) <= 1 ? "recording" : "over";
}

import type { MediaProfile } from "./profile.ts";

export interface ProfileWish {
  /** `main` wants the largest picture; else the one that is just large enough for the analysis. */
  readonly stream?: "main" | "sub" | undefined;
  /** Pixels of the longer side that the analysis wants; 640 by default. */
  readonly longSide?: number | undefined;
}

const DEFAULT_LONG_SIDE = 640;
/** What can be decoded, what costs least first. */
const ENCODINGS = [/^h\.?264$/i, /^(h\.?265|hevc)$/i, /^m?jpeg$/i];

/**
 * Chooses among the profiles of one source: the smallest whose longer side is long enough, else the largest;
 * of equals the one that is cheapest to decode. What cannot be decoded comes last, whatever its size.
 */
export function chooseProfile(profiles: readonly MediaProfile[], wish: ProfileWish = {}): MediaProfile | undefined {
  const { stream, longSide = DEFAULT_LONG_SIDE } = wish;
  const decodable = profiles.filter((profile) => encodingRank(profile) < ENCODINGS.length);
  const bySize = (decodable.length > 0 ? decodable : profiles).toSorted(
    (a, b) => pixelsOf(a) - pixelsOf(b) || encodingRank(a) - encodingRank(b),
  );
  const largest = bySize.find((profile) => pixelsOf(profile) === pixelsOf(bySize.at(-1)));
  if (stream === "main") return largest;
  return bySize.find((profile) => longerSide(profile) >= longSide) ?? largest;
}

/** The profiles of each source, in the order of the channels. @param sources tokens in the camera's own order */
export function groupBySource(
  profiles: readonly MediaProfile[],
  sources: readonly string[] = [],
): readonly (readonly MediaProfile[])[] {
  const tokens = new Set([...sources, ...profiles.map(({ sourceToken }) => sourceToken)]);
  return [...tokens]
    .map((token) => profiles.filter(({ sourceToken }) => sourceToken === token))
    .filter((ofSource) => ofSource.length > 0);
}

function encodingRank({ encoding = "" }: MediaProfile): number {
  const rank = ENCODINGS.findIndex((pattern) => pattern.test(encoding));
  return rank < 0 ? ENCODINGS.length : rank;
}

function pixelsOf(profile: MediaProfile | undefined): number {
  return (profile?.width ?? 0) * (profile?.height ?? 0);
}

function longerSide({ width = 0, height = 0 }: MediaProfile): number {
  return Math.max(width, height);
}

import { childOf, childrenOf, textOf, type XmlElement } from "../../xml.ts";

/** One stream that a camera has ready, as both media services describe it. */
export interface MediaProfile {
  readonly token: string;
  readonly name?: string;
  /** The lens or the input that it shows. */
  readonly sourceToken: string;
  /** What events call that source. */
  readonly sourceConfigurationToken?: string;
  /** As the camera writes it, such as H264, H265, JPEG. */
  readonly encoding?: string;
  /** Pixels; absent where the camera does not tell. */
  readonly width?: number;
  readonly height?: number;
  /** Frames a second. */
  readonly fps?: number;
  /** The camera can be moved through this profile. */
  readonly hasPtz: boolean;
}

const LARGEST_SIDE = 32_768;

/** Reads `GetProfilesResponse` of Media1 and Media2; profiles without a picture are left out. */
export function readProfiles(answer: XmlElement): MediaProfile[] {
  return childrenOf(answer, "Profiles")
    .map(readProfile)
    .filter((profile) => profile !== undefined);
}

function readProfile(profile: XmlElement): MediaProfile | undefined {
  // Media2 groups what Media1 has side by side.
  const grouped = childOf(profile, "Configurations");
  const source = childOf(grouped, "VideoSource") ?? childOf(profile, "VideoSourceConfiguration");
  const encoder = childOf(grouped, "VideoEncoder") ?? childOf(profile, "VideoEncoderConfiguration");
  const ptz = childOf(grouped, "PTZ") ?? childOf(profile, "PTZConfiguration");
  const { token } = profile.attributes;
  const sourceToken = textOf(source, "SourceToken");
  if (!token || !encoder || sourceToken === undefined) return undefined;
  const name = textOf(profile, "Name");
  const encoding = textOf(encoder, "Encoding");
  const width = positive(textOf(encoder, "Resolution", "Width"), LARGEST_SIDE);
  const height = positive(textOf(encoder, "Resolution", "Height"), LARGEST_SIDE);
  const fps = positive(textOf(encoder, "RateControl", "FrameRateLimit"), 1000);
  const sourceConfigurationToken = source?.attributes.token;
  return {
    token,
    sourceToken,
    hasPtz: ptz !== undefined,
    ...(name && { name }),
    ...(sourceConfigurationToken && { sourceConfigurationToken }),
    ...(encoding && { encoding }),
    ...(width && height && { width, height }),
    ...(fps && { fps }),
  };
}

function positive(text: string | undefined, most: number): number | undefined {
  const number = Number(text);
  return number > 0 && number <= most ? number : undefined;
}

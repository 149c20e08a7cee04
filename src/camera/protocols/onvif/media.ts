import { CctvError } from "../../../errors.ts";
import { childrenOf, escapeXml, textOf } from "../../xml.ts";
import type { SoapRequest } from "./envelope.ts";
import { type MediaProfile, readProfiles } from "./profile.ts";
import { groupBySource } from "./profile-choice.ts";
import type { HttpTarget } from "./reported-address.ts";
import { MEDIA_NAMESPACE, MEDIA2_NAMESPACE } from "./services.ts";
import type { SoapClient } from "./soap-client.ts";

/** How the packets are to come. */
export type StreamProtocol = "tcp" | "udp" | "http";

/** One generation of the media service. */
interface MediaService {
  readonly target: HttpTarget;
  readonly profiles: SoapRequest;
  streamUri(profile: string, protocol: StreamProtocol): SoapRequest;
  snapshotUri(profile: string): SoapRequest;
}

const MEDIA2_PROTOCOLS = { tcp: "RTSP", udp: "RtspUnicast", http: "RtspOverHttp" } as const;
const MEDIA1_PROTOCOLS = { tcp: "RTSP", udp: "UDP", http: "HTTP" } as const;

/** What the camera shows: Media2 where it has that, else, and where Media2 fails, Media1. */
export class Media {
  readonly #client: SoapClient;
  readonly #services: readonly MediaService[];
  readonly #media1: HttpTarget | undefined;

  constructor(client: SoapClient, media2: HttpTarget | undefined, media1: HttpTarget | undefined) {
    this.#client = client;
    this.#media1 = media1;
    this.#services = [...(media2 ? [secondGeneration(media2)] : []), ...(media1 ? [firstGeneration(media1)] : [])];
  }

  /**
   * The profiles of each channel, by its number from 1.
   * @throws CctvError; CAMERA_UNSUPPORTED where the camera has no pictures
   */
  async channels(signal: AbortSignal): Promise<readonly (readonly MediaProfile[])[]> {
    const profiles = await this.#first(async ({ target, profiles }) => {
      const { element } = await this.#client.call(target, profiles, signal);
      const found = readProfiles(element);
      return found.length > 0 ? found : undefined;
    });
    if (!profiles) {
      throw new CctvError(
        "CAMERA_UNSUPPORTED",
        "the camera has no ONVIF profile with a picture; make one in its settings, or use its RTSP address",
      );
    }
    const tokens = new Set(profiles.map(({ sourceToken }) => sourceToken));
    return groupBySource(profiles, tokens.size > 1 ? await this.#sources(signal) : []);
  }

  /** @throws CctvError */
  async streamUri(profile: string, protocol: StreamProtocol, signal: AbortSignal): Promise<string | undefined> {
    return this.#first((service) => this.#uri(service.target, service.streamUri(profile, protocol), signal));
  }

  /** @throws CctvError */
  async snapshotUri(profile: string, signal: AbortSignal): Promise<string | undefined> {
    return this.#first((service) => this.#uri(service.target, service.snapshotUri(profile), signal));
  }

  async #uri(target: HttpTarget, request: SoapRequest, signal: AbortSignal): Promise<string | undefined> {
    const { element } = await this.#client.call(target, request, signal);
    return textOf(element, "Uri") ?? textOf(element, "MediaUri", "Uri");
  }

  /** The camera's own order of its sources; what it cannot tell, the profiles' order does. */
  async #sources(signal: AbortSignal): Promise<string[]> {
    if (!this.#media1) return [];
    const request = { operation: "GetVideoSources", namespace: MEDIA_NAMESPACE };
    try {
      const { element } = await this.#client.call(this.#media1, request, signal);
      return childrenOf(element, "VideoSources").map(({ attributes }) => attributes.token ?? "");
    } catch (error) {
      if (signal.aborted) throw error;
      return [];
    }
  }

  /** Asks one generation after the other; throws the last one's fault where none answers. */
  async #first<T>(ask: (service: MediaService) => Promise<T | undefined>): Promise<T | undefined> {
    let fault: CctvError | undefined;
    for (const service of this.#services) {
      try {
        const answer = await ask(service);
        if (answer !== undefined) return answer;
      } catch (error) {
        if (!isNoAnswer(error)) throw error;
        fault = error;
      }
    }
    if (fault) throw fault;
    return undefined;
  }
}

/** A fault, nothing at that path, or nonsense: the other generation may do better. */
function isNoAnswer(error: unknown): error is CctvError {
  if (!(error instanceof CctvError)) return false;
  return ["CAMERA_NOT_FOUND", "CAMERA_REFUSED", "CAMERA_UNSUPPORTED"].includes(error.code);
}

function secondGeneration(target: HttpTarget): MediaService {
  const namespace = MEDIA2_NAMESPACE;
  return {
    target,
    profiles: { namespace, operation: "GetProfiles", content: "<Type>All</Type>" },
    streamUri: (profile, protocol) => ({
      namespace,
      operation: "GetStreamUri",
      content: `<Protocol>${MEDIA2_PROTOCOLS[protocol]}</Protocol>${profileToken(profile)}`,
    }),
    snapshotUri: (profile) => ({ namespace, operation: "GetSnapshotUri", content: profileToken(profile) }),
  };
}

function firstGeneration(target: HttpTarget): MediaService {
  const namespace = MEDIA_NAMESPACE;
  return {
    target,
    profiles: { namespace, operation: "GetProfiles" },
    streamUri: (profile, protocol) => ({
      namespace,
      operation: "GetStreamUri",
      content: [
        "<StreamSetup><tt:Stream>RTP-Unicast</tt:Stream><tt:Transport>",
        `<tt:Protocol>${MEDIA1_PROTOCOLS[protocol]}</tt:Protocol>`,
        `</tt:Transport></StreamSetup>${profileToken(profile)}`,
      ].join(""),
    }),
    snapshotUri: (profile) => ({ namespace, operation: "GetSnapshotUri", content: profileToken(profile) }),
  };
}

function profileToken(profile: string): string {
  return `<ProfileToken>${escapeXml(profile)}</ProfileToken>`;
}

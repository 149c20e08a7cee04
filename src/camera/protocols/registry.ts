import { CctvError } from "../../errors.ts";
import { schemeOf } from "../address.ts";
import { createAutoProtocol } from "../auto/auto-protocol.ts";
import { brandProtocol } from "./brand/brand-protocol.ts";
import { dahuaProtocol } from "./dahua/dahua-protocol.ts";
import { fileProtocol } from "./file/file-protocol.ts";
import { gigeProtocol } from "./gige/gige-protocol.ts";
import { hikvisionProtocol } from "./hikvision/hikvision-protocol.ts";
import { hlsProtocol } from "./hls/hls-protocol.ts";
import { httpProtocol } from "./http/http-protocol.ts";
import { ndiProtocol } from "./ndi/ndi-protocol.ts";
import { onvifProtocol } from "./onvif/onvif-protocol.ts";
import type { PictureInput, Protocol } from "./protocol.ts";
import { rtmpProtocol } from "./rtmp/rtmp-protocol.ts";
import { rtspProtocol } from "./rtsp/rtsp-protocol.ts";
import { webcamProtocol } from "./webcam/webcam-protocol.ts";

/** Finds the protocol for an address: one that claims it, else the one of its scheme. */
export class ProtocolRegistry {
  readonly #byScheme = new Map<string, Protocol<PictureInput>>();
  readonly #claiming = new Set<Protocol<PictureInput>>();

  constructor(protocols: readonly Protocol<PictureInput>[]) {
    for (const protocol of protocols) this.register(protocol);
  }

  /** Adds a protocol, or replaces the one that had its schemes. Returns a function that takes it back. */
  register(protocol: Protocol<PictureInput>): () => void {
    const replaced = protocol.schemes.map((scheme) => [scheme, this.#byScheme.get(scheme)] as const);
    for (const scheme of protocol.schemes) this.#byScheme.set(scheme, protocol);
    if (protocol.matches) this.#claiming.add(protocol);
    return () => {
      this.#claiming.delete(protocol);
      for (const [scheme, previous] of replaced) {
        if (this.#byScheme.get(scheme) !== protocol) continue;
        if (previous) this.#byScheme.set(scheme, previous);
        else this.#byScheme.delete(scheme);
      }
    };
  }

  get schemes(): string[] {
    return [...this.#byScheme.keys()].sort();
  }

  /** @throws CctvError ADDRESS_INVALID, ADDRESS_SCHEME_UNKNOWN */
  forAddress(address: string): Protocol<PictureInput> {
    if (address.trim() === "") {
      throw new CctvError(
        "ADDRESS_INVALID",
        "the camera has no address; enter one, such as rtsp://192.168.1.64/stream",
      );
    }
    const scheme = schemeOf(address.trim());
    const claiming = [...this.#claiming].findLast((protocol) => protocol.matches?.(address));
    const protocol = claiming ?? this.#byScheme.get(scheme);
    if (protocol) return protocol;
    throw new CctvError(
      "ADDRESS_SCHEME_UNKNOWN",
      `no camera protocol handles addresses that begin with "${scheme}:"; known are ${this.schemes.join(", ")}`,
    );
  }
}

/** The protocols of this package, and what others have added to them. */
export const protocols = new ProtocolRegistry([
  brandProtocol,
  dahuaProtocol,
  fileProtocol,
  gigeProtocol,
  hikvisionProtocol,
  hlsProtocol,
  httpProtocol,
  ndiProtocol,
  onvifProtocol,
  rtmpProtocol,
  rtspProtocol,
  webcamProtocol,
]);

protocols.register(createAutoProtocol(protocols));

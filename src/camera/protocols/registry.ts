import { CctvError } from "../../errors.ts";
import { schemeOf } from "../address.ts";
import { fileProtocol } from "./file/file-protocol.ts";
import type { Protocol } from "./protocol.ts";
import { rtspProtocol } from "./rtsp/rtsp-protocol.ts";

/** Finds the protocol for an address by its scheme. */
export class ProtocolRegistry {
  readonly #byScheme = new Map<string, Protocol>();

  constructor(protocols: readonly Protocol[]) {
    for (const protocol of protocols) this.register(protocol);
  }

  /** Adds a protocol, or replaces the one that had its schemes. Returns a function that takes it back. */
  register(protocol: Protocol): () => void {
    const replaced = protocol.schemes.map((scheme) => [scheme, this.#byScheme.get(scheme)] as const);
    for (const scheme of protocol.schemes) this.#byScheme.set(scheme, protocol);
    return () => {
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
  forAddress(address: string): Protocol {
    if (address.trim() === "") {
      throw new CctvError(
        "ADDRESS_INVALID",
        "the camera has no address; enter one, such as rtsp://192.168.1.64/stream",
      );
    }
    const scheme = schemeOf(address.trim());
    const protocol = this.#byScheme.get(scheme);
    if (protocol) return protocol;
    throw new CctvError(
      "ADDRESS_SCHEME_UNKNOWN",
      `no camera protocol handles addresses that begin with "${scheme}:"; known are ${this.schemes.join(", ")}`,
    );
  }
}

/** The protocols of this package, and what others have added to them. */
export const protocols = new ProtocolRegistry([fileProtocol, rtspProtocol]);

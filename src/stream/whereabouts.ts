import { isDeepStrictEqual } from "node:util";
import { type NetworkAddress, parseNetworkAddress } from "../camera/address.ts";
import type { ErrorCode } from "../errors.ts";

/** After so many attempts in a row that reached nobody, and again after as many more, the camera is looked for. */
const ATTEMPTS_BEFORE_SEARCH = 3;

/** How many attempts in a row have reached nobody, after one more failed. */
export function countUnreachable(before: number, code: ErrorCode): number {
  return code === "CAMERA_UNREACHABLE" ? before + 1 : 0;
}

export function isSearchDue(unreachable: number): boolean {
  return unreachable > 0 && unreachable % ATTEMPTS_BEFORE_SEARCH === 0;
}

/** The host of a camera's address; undefined where it has none, as files and webcams. */
export function hostOf(address: string): string | undefined {
  return read(address)?.host;
}

/**
 * The same address at another host, everything else as it was typed.
 *
 * @returns undefined where either is none, or the address writes its host in a way of its own.
 */
export function withHost(address: string, host: string): string | undefined {
  const before = read(address);
  if (!before) return undefined;
  // A password or a query may hold the same text: the right place is where nothing but the host changes.
  for (let at = address.indexOf(before.host); at >= 0; at = address.indexOf(before.host, at + 1)) {
    const changed = address.slice(0, at) + host + address.slice(at + before.host.length);
    if (isDeepStrictEqual(read(changed), { ...before, host })) return changed;
  }
  return undefined;
}

/** Which address a stream opens next: the configured one, or that at which its camera was found since. */
export class Whereabouts {
  readonly #configured: string;
  #moved: string | undefined;
  #isAtMoved = false;
  #home: string | undefined;
  #isLive = false;
  #unreachable = 0;

  constructor(address: string) {
    this.#configured = address;
    this.#home = hostOf(address);
  }

  /** For the next attempt. May hold a password. */
  get address(): string {
    return (this.#isAtMoved ? this.#moved : undefined) ?? this.#configured;
  }

  /** Where the camera gave pictures last, or should have; undefined for what is not on the network. */
  get home(): string | undefined {
    return this.#home;
  }

  /** The attempt gives pictures. */
  live(): void {
    this.#isLive = true;
    this.#unreachable = 0;
    this.#home = hostOf(this.address);
  }

  /**
   * The attempt has failed. The next one goes to the other address, where there are two, unless the camera has
   * just been here.
   *
   * @returns whether the camera is to be looked for; only what happens at its home counts.
   */
  failed(code: ErrorCode): boolean {
    const isHome = hostOf(this.address) === this.#home;
    if (isHome) this.#unreachable = countUnreachable(this.#unreachable, code);
    if (!this.#isLive && this.#moved !== undefined) this.#isAtMoved = !this.#isAtMoved;
    this.#isLive = false;
    return isHome && isSearchDue(this.#unreachable);
  }

  /** The camera was found at a host; the next attempt goes there. */
  found(host: string): "at-a-new-place" | "at-a-known-place" | "nowhere" {
    if (host === hostOf(this.#configured)) {
      this.#isAtMoved = false;
      return "at-a-known-place";
    }
    const address = withHost(this.#configured, host);
    if (address === undefined) return "nowhere";
    const isNew = address !== this.#moved;
    this.#moved = address;
    this.#isAtMoved = true;
    return isNew ? "at-a-new-place" : "at-a-known-place";
  }
}

function read(address: string): NetworkAddress | undefined {
  try {
    // The port of the protocol does not matter here.
    return parseNetworkAddress(address, 1);
  } catch {
    return undefined;
  }
}

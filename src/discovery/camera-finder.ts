import { CctvError } from "../errors.ts";
import { untilAborted } from "../until-aborted.ts";
import { NEIGHBOUR_TABLE, readNeighbours } from "./arp.ts";
import { isPrivate } from "./ipv4.ts";
import type { DiscoveredDevice } from "./merge.ts";
import { findMoved, type KnownDevice } from "./moved.ts";
import { type DiscoverOptions, type DiscoveryEvent, discover } from "./scan.ts";
import { METHODS } from "./sighting.ts";

export interface CameraFinderOptions {
  /** Epoch milliseconds. */
  readonly now?: () => number;
  readonly discover?: (options: DiscoverOptions, signal: AbortSignal) => AsyncIterable<DiscoveryEvent>;
  /** A file in the format of `/proc/net/arp`. */
  readonly neighbourTable?: string;
}

type Seen = Pick<DiscoveredDevice, "ip" | "ips" | "mac" | "endpoint">;

/** What one look at the network has seen, or is about to. */
interface Search {
  readonly startedAt: number;
  readonly stopping: AbortController;
  readonly devices: Promise<readonly Seen[]>;
  /** Who waits for it; it stops when nobody does. */
  waiting: number;
}

/** Cameras are asked to announce themselves; nothing is connected to. */
const ANNOUNCING = METHODS.filter((method) => method !== "ports");
const SEARCH_EVERY_MS = 5 * 60_000;
/** The one that was remembered first is forgotten for one more. */
const MOST_KNOWN = 1024;

/** Whether to look at the network again, or to be content with what the last look saw. A clock set back does not forbid it. */
export function isSearchAllowed(lastStartedAt: number | undefined, now: number): boolean {
  return lastStartedAt === undefined || now < lastStartedAt || now - lastStartedAt >= SEARCH_EVERY_MS;
}

/**
 * Where the camera that was at `host` is now, of what announced itself and of the neighbours of this machine. A MAC
 * that this machine sees outweighs one that a device claims.
 *
 * @param neighbours MACs by IP
 * @returns undefined where it still is at `host`, is at no private address, or could be at more than one.
 */
export function locate(
  host: string,
  known: KnownDevice,
  devices: readonly Seen[],
  neighbours: ReadonlyMap<string, string>,
): string | undefined {
  const seen = devices.map((device): Seen => {
    const mac = neighbours.get(device.ip);
    return mac === undefined ? device : { ...device, mac };
  });
  const moved = findMoved(known, seen);
  if (moved) return isPrivate(moved.ip) && !moved.ips.includes(host) ? moved.ip : undefined;
  const others = [...neighbours].flatMap(([ip, mac]) => (mac === known.mac && ip !== host ? [ip] : []));
  const [only] = others;
  return only !== undefined && others.length === 1 && isPrivate(only) ? only : undefined;
}

/**
 * Finds cameras again that DHCP has given another address: by the MAC that they had, which Linux tells, or by the
 * endpoint reference of WS-Discovery. Sends no password, scans no ports, and asks the network at most once in five
 * minutes; who asks meanwhile gets what was seen then. What it knows is gone with the process.
 */
export class CameraFinder {
  readonly #now: () => number;
  readonly #discover: NonNullable<CameraFinderOptions["discover"]>;
  readonly #neighbourTable: string;
  readonly #known = new Map<string, KnownDevice>();
  #search: Search | undefined;

  constructor(options: CameraFinderOptions = {}) {
    this.#now = options.now ?? Date.now;
    this.#discover = options.discover ?? discover;
    this.#neighbourTable = options.neighbourTable ?? NEIGHBOUR_TABLE;
  }

  /**
   * Notes what the camera at a host can be known by; to be called while it is there. Hosts other than private IPv4
   * addresses are left to DNS.
   *
   * @param endpoint its endpoint reference, `urn:uuid:…`, where that is known
   */
  async remember(host: string, endpoint?: string): Promise<void> {
    if (!isPrivate(host)) return;
    const mac = (await readNeighbours(this.#neighbourTable))?.get(host);
    const before = this.#known.get(host);
    const isSame = mac === undefined || before?.mac === undefined || mac === before.mac;
    const known = { mac: mac ?? before?.mac, endpoint: endpoint ?? (isSame ? before?.endpoint : undefined) };
    if (known.mac === undefined && known.endpoint === undefined) return;
    this.#known.delete(host);
    this.#known.set(host, known);
    for (const oldest of [...this.#known.keys()].slice(0, this.#known.size - MOST_KNOWN)) this.#known.delete(oldest);
  }

  /**
   * Looks for the camera that was at a host.
   *
   * @returns its IPv4 address; undefined where it was not remembered or is not seen elsewhere.
   * @throws CctvError of discovery; the signal's reason when it aborts.
   */
  async find(host: string, signal: AbortSignal): Promise<string | undefined> {
    signal.throwIfAborted();
    const known = this.#known.get(host);
    if (known === undefined) return undefined;
    const devices = await this.#look(signal);
    // The answers have just brought their senders into it.
    const neighbours = await readNeighbours(this.#neighbourTable);
    return locate(host, known, devices, neighbours ?? new Map());
  }

  async #look(signal: AbortSignal): Promise<readonly Seen[]> {
    if (this.#search === undefined || isSearchAllowed(this.#search.startedAt, this.#now()))
      this.#search = this.#start();
    const search = this.#search;
    search.waiting++;
    try {
      return await untilAborted(search.devices, signal);
    } catch (error) {
      // Whoever else looks for cameras does it now; this search has asked nobody and does not count.
      const isBusy = error instanceof CctvError && error.code === "DISCOVERY_RUNNING";
      if (!isBusy) throw error;
      if (this.#search === search) this.#search = undefined;
      return [];
    } finally {
      search.waiting--;
      if (search.waiting === 0) search.stopping.abort();
    }
  }

  #start(): Search {
    const stopping = new AbortController();
    const devices = this.#ask(stopping.signal);
    devices.catch(() => undefined);
    return { startedAt: this.#now(), stopping, devices, waiting: 0 };
  }

  async #ask(signal: AbortSignal): Promise<readonly Seen[]> {
    try {
      for await (const event of this.#discover({ methods: ANNOUNCING }, signal)) {
        if (event.type === "finished") return event.devices;
      }
    } catch (error) {
      // Nobody waits for it any more; who asks later is told that nothing was seen.
      if (!signal.aborted) throw error;
    }
    return [];
  }
}

/** The one of all cameras of this process. */
export const cameraFinder = new CameraFinder();

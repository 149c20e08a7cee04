import { type DiscoveredDevice, mergeSightings } from "./merge.ts";
import type { Sighting } from "./sighting.ts";

/** A device that is new, or one of which more is known than before. */
export interface DeviceChange {
  readonly type: "found" | "updated";
  readonly device: DiscoveredDevice;
}

/** What one host can say; more is an attack on our memory. */
const MOST_PER_HOST = 64;
const MOST_HOSTS = 4096;

/** Collects sightings and tells what has changed in the devices that they make up. */
export class DeviceBook {
  readonly #sightings = new Map<string, Map<string, Sighting>>();
  readonly #told = new Map<string, string>();
  #isStale = false;
  #devices: readonly DiscoveredDevice[] = [];

  /** The devices of all sightings, by address. */
  get devices(): readonly DiscoveredDevice[] {
    if (this.#isStale) {
      this.#devices = mergeSightings([...this.#sightings.values()].flatMap((about) => [...about.values()]));
      this.#isStale = false;
    }
    return this.#devices;
  }

  /** Returns whether that was news. */
  add(sighting: Sighting): boolean {
    const about = this.#sightings.get(sighting.ip) ?? new Map<string, Sighting>();
    const text = JSON.stringify(sighting);
    const isFull = about.size >= MOST_PER_HOST || (about.size === 0 && this.#sightings.size >= MOST_HOSTS);
    if (isFull || about.has(text)) return false;
    about.set(text, sighting);
    this.#sightings.set(sighting.ip, about);
    this.#isStale = true;
    return true;
  }

  /** What has changed since the last call. */
  changes(): DeviceChange[] {
    return this.devices.flatMap((device) => {
      const text = JSON.stringify(device);
      if (this.#told.get(device.ip) === text) return [];
      const type = device.ips.some((ip) => this.#told.has(ip)) ? "updated" : "found";
      for (const ip of device.ips) this.#told.set(ip, text);
      return [{ type, device } as const];
    });
  }
}

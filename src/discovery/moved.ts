import type { DiscoveredDevice } from "./merge.ts";
import { readMac } from "./sighting.ts";

/** What stays the same of a camera when DHCP gives it another address. */
export interface KnownDevice {
  readonly mac?: string | undefined;
  readonly endpoint?: string | undefined;
}

/**
 * Where a known camera is now. The MAC decides; the endpoint reference counts where one of the two MACs is not
 * known, and where only one device has it.
 *
 * @returns undefined where none of the devices is that camera, or more than one could be.
 */
export function findMoved<D extends Pick<DiscoveredDevice, "mac" | "endpoint">>(
  known: KnownDevice,
  devices: readonly D[],
): D | undefined {
  const mac = readMac(known.mac);
  const endpoint = known.endpoint?.toLowerCase();
  const sameMac = mac === undefined ? [] : devices.filter((device) => device.mac === mac);
  if (sameMac.length > 0) return sameMac.length === 1 ? sameMac[0] : undefined;
  const sameEndpoint = devices.filter(
    (device) =>
      endpoint !== undefined && device.endpoint === endpoint && (mac === undefined || device.mac === undefined),
  );
  return sameEndpoint.length === 1 ? sameEndpoint[0] : undefined;
}

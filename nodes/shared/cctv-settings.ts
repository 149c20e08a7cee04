import type { NodeAPI } from "node-red";
import { type CameraFinder, cameraFinder } from "../../src/discovery/camera-finder.ts";
import { DEFAULT_CONNECTS } from "../../src/stream/connect-gate.ts";

/** `cctv: { connects: 8 }` in settings.js: how many cameras may be connecting at once. */
export function connectsOf(RED: NodeAPI): number {
  const { cctv } = RED.settings as { cctv?: { connects?: unknown } };
  const connects = Number(cctv?.connects ?? DEFAULT_CONNECTS);
  return Number.isInteger(connects) && connects > 0 ? connects : DEFAULT_CONNECTS;
}

/** `cctv: { findMoved: false }` in settings.js: do not look for cameras that DHCP has given another address. */
export function finderOf(RED: NodeAPI): CameraFinder | undefined {
  const { cctv } = RED.settings as { cctv?: { findMoved?: unknown } };
  return cctv?.findMoved === false ? undefined : cameraFinder;
}

import { lookup } from "node:dns/promises";
import { BlockList, isIPv6 } from "node:net";
import { CctvError } from "../../../errors.ts";

/** Loopback, link-local with the clouds' metadata, multicast, and what means no host: RFC 6890. */
const INSIDE = new BlockList();
for (const [net, prefix] of [
  ["0.0.0.0", 8],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["224.0.0.0", 3],
] as const) {
  INSIDE.addSubnet(net, prefix, "ipv4");
}
for (const [net, prefix] of [
  ["::", 127],
  ["fe80::", 10],
  ["ff00::", 8],
] as const) {
  INSIDE.addSubnet(net, prefix, "ipv6");
}

/**
 * Keeps a playlist from a camera from sending us to the services of this machine or of its cloud.
 *
 * @param hostname as a URL has it
 * @throws CctvError CAMERA_REFUSED where one of its addresses is such a place, CAMERA_UNREACHABLE where it has none.
 */
export async function refuseInside(hostname: string): Promise<void> {
  const host = hostname.replace(/^\[|\]$/g, "");
  const found = await lookup(host, { all: true }).catch((cause: unknown) => {
    throw new CctvError(
      "CAMERA_UNREACHABLE",
      `the host name ${host}, to which the playlist sends, is unknown; check the server's settings`,
      { cause },
    );
  });
  if (!found.some(({ address }) => INSIDE.check(address, isIPv6(address) ? "ipv6" : "ipv4"))) return;
  throw new CctvError(
    "CAMERA_REFUSED",
    `the playlist sends to ${host}, which is this machine or its own network, and that is not followed; check the server's settings`,
  );
}

import { type DiscoveredDevice, toResults } from "../../discovery/merge.ts";
import { discover } from "../../discovery/scan.ts";
import { command, success } from "../command.ts";
import type { ApiContext } from "../context.ts";
import { subnets } from "../schemas/fields.ts";
import { objectOf, refTo, successOf } from "../schemas/json-schema.ts";

interface DiscoverBody {
  readonly subnet?: string | readonly string[];
}

export const discoverCommand = command<DiscoverBody>({
  name: "discover",
  summary: "Looks for cameras on the network, and answers when all have had their time to answer",
  method: "post",
  path: "/api/cameras/discover",
  role: "admin",
  limit: { burst: 5, perMinute: 6 },
  takes: objectOf({ subnet: subnets }),
  gives: successOf({
    discovered_count: { type: "integer", minimum: 0, description: "the length of cameras" },
    cameras: { type: "array", items: refTo("FoundCamera"), description: "each way to reach a camera" },
    devices: { type: "array", items: refTo("FoundDevice"), description: "each camera or recorder" },
  }),
  failures: [409],

  async run(context, { body, signal }) {
    const wanted = [body.subnet ?? []].flat().filter((subnet) => subnet !== "");
    const devices = await scan(context, wanted, signal);
    const cameras = devices.flatMap(toResults);
    return success({ discovered_count: cameras.length, cameras, devices });
  },
});

async function scan(
  { discovery, onDiscovery }: ApiContext,
  subnets: readonly string[],
  signal: AbortSignal,
): Promise<readonly DiscoveredDevice[]> {
  for await (const event of discover({ ...discovery, ...(subnets.length > 0 && { subnets }) }, signal)) {
    onDiscovery?.(event);
    if (event.type === "finished") return event.devices;
  }
  return [];
}

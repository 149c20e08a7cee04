import { readMac, readPort, type Sighting, shown, webService } from "./sighting.ts";
import type { UdpProbe } from "./udp-probe.ts";

const PORT = 37810;
const HEADER_BYTES = 32;
const LENGTH_OFFSETS = [16, 24] as const;
/** Cameras and recorders; the same protocol is spoken by door openers and alarm systems. */
const CAMERA_CLASS = /IPC|NVR|DVR|XVR|HCVR|EVS|IVSS|TPC|PTZ|^SD/i;

/** Dahua's DHIP: JSON behind a header of 32 bytes, to a multicast group and to everybody. */
export function dhip(port = PORT): UdpProbe<Sighting> {
  const question = frameDhip({ method: "DHDiscover.search", params: { mac: "", uni: 1 } });
  return {
    port,
    group: "239.255.255.251",
    alsoBroadcast: true,
    questions: () => [question],
    read: readDhip,
  };
}

/** Puts the header before a message: its own length, `DHIP`, and twice the length of what follows. */
export function frameDhip(message: object): Buffer {
  const body = Buffer.from(`${JSON.stringify(message)}\n`);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(HEADER_BYTES, 0);
  header.write("DHIP", 4, "latin1");
  for (const offset of LENGTH_OFFSETS) header.writeUInt32LE(body.length, offset);
  return Buffer.concat([header, body]);
}

/** What an answer tells; nothing where it is damaged or something else. */
export function readDhip(packet: Buffer, sender: string): Sighting[] {
  if (packet.length <= HEADER_BYTES || packet.toString("latin1", 4, 8) !== "DHIP") return [];
  const message = readJson(packet.toString("utf8", HEADER_BYTES));
  const info = recordOf(recordOf(message.params).deviceInfo);
  if (message.method !== "client.notifyDevInfo" || Object.keys(info).length === 0) return [];
  const sdkPort = readPort(info.Port);
  return [
    {
      method: "dhip",
      ip: sender,
      isCamera: CAMERA_CLASS.test(shown(info.DeviceClass) ?? ""),
      mac: readMac(message.mac),
      vendor: "Dahua",
      model: shown(info.DeviceType),
      name: shown(info.MachineName),
      services: webService(sender, readPort(info.HttpPort)),
      ports: sdkPort === undefined ? [] : [sdkPort],
    },
  ];
}

/** Firmware ends the text with zeros or new lines. */
function readJson(text: string): Record<string, unknown> {
  try {
    return recordOf(JSON.parse(text.replace(/[\0\s]+$/, "")));
  } catch {
    return {};
  }
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

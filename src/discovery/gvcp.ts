import { readMac, type Sighting, shown } from "./sighting.ts";
import type { UdpProbe } from "./udp-probe.ts";

const PORT = 3956;
const KEY = 0x42;
/** The answer may be broadcast, for cameras whose address does not fit the network; an answer is wanted. */
const FLAGS = 0x11;
const DISCOVERY_COMMAND = 0x0002;
const DISCOVERY_ANSWER = 0x0003;
const HEADER_BYTES = 8;
const ANSWER_BYTES = 248;
const REQUEST = 0x6376;

/** The answer's parts, by their first byte behind the header and their length (GigE Vision, DISCOVERY_ACK). */
const MAC = [10, 6] as const;
const MAKER = [72, 32] as const;
const MODEL = [104, 32] as const;
const USER_NAME = [232, 16] as const;

/** GVCP, the control protocol of GigE Vision cameras: DISCOVERY_CMD to the network's broadcast address. */
export function gvcp(port = PORT): UdpProbe<Sighting> {
  const question = Buffer.alloc(HEADER_BYTES);
  question.writeUInt8(KEY, 0);
  question.writeUInt8(FLAGS, 1);
  question.writeUInt16BE(DISCOVERY_COMMAND, 2);
  question.writeUInt16BE(REQUEST, 6);
  return { port, questions: () => [question], read: readGvcp };
}

/** What an answer tells; nothing where it is damaged or answers another question. */
export function readGvcp(packet: Buffer, sender: string): Sighting[] {
  if (packet.length < HEADER_BYTES + ANSWER_BYTES) return [];
  const [status, command, length, request] = [0, 2, 4, 6].map((offset) => packet.readUInt16BE(offset));
  if (status !== 0 || command !== DISCOVERY_ANSWER || length !== ANSWER_BYTES || request !== REQUEST) return [];
  const part = ([offset, bytes]: readonly [number, number]): Buffer =>
    packet.subarray(HEADER_BYTES + offset, HEADER_BYTES + offset + bytes);
  const text = (where: readonly [number, number]): string | undefined =>
    shown(part(where).toString("latin1").split("\0", 1)[0]);
  return [
    {
      method: "gvcp",
      ip: sender,
      isCamera: true,
      mac: readMac(part(MAC).toString("hex")),
      vendor: text(MAKER),
      model: text(MODEL),
      name: text(USER_NAME),
      services: [{ protocol: "GigE", port: PORT, url: `gige://${sender}` }],
      needsPassword: false,
    },
  ];
}

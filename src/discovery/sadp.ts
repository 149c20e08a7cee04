import { parseXml, textOf, type XmlElement } from "../camera/xml.ts";
import { readMac, readPort, type Sighting, shown, webService } from "./sighting.ts";
import type { UdpProbe } from "./udp-probe.ts";

const PORT = 37020;

/**
 * Hikvision's SADP: an XML question to a multicast group, answered to the group or to the asker alone.
 * Tells also of devices that nobody has activated yet.
 *
 * @param newId gives the UUID that an answer must name
 */
export function sadp(newId: () => string, port = PORT): UdpProbe<Sighting> {
  const id = newId().toUpperCase();
  const question = Buffer.from(
    `<?xml version="1.0" encoding="utf-8"?><Probe><Uuid>${id}</Uuid><Types>inquiry</Types></Probe>`,
  );
  return {
    port,
    group: "239.255.255.250",
    replyPort: port,
    questions: () => [question],
    read: (packet, sender) => readSadp(packet.toString("utf8"), sender, id),
  };
}

/** What an answer tells; nothing where it is damaged, somebody's question, or an answer to another. */
export function readSadp(text: string, sender: string, id: string): Sighting[] {
  let answer: XmlElement;
  try {
    answer = parseXml(text, sender);
  } catch {
    return [];
  }
  if (answer.name !== "ProbeMatch" || textOf(answer, "Uuid")?.toUpperCase() !== id) return [];
  const web = readPort(textOf(answer, "HttpPort"));
  const command = readPort(textOf(answer, "CommandPort"));
  const activated = textOf(answer, "Activated")?.toLowerCase();
  return [
    {
      method: "sadp",
      ip: sender,
      isCamera: true,
      mac: readMac(textOf(answer, "MAC")),
      vendor: "Hikvision",
      model: shown(textOf(answer, "DeviceDescription")),
      services: webService(sender, web),
      ports: command === undefined ? [] : [command],
      activated: activated === "true" ? true : activated === "false" ? false : undefined,
    },
  ];
}

import { parseXml, textOf, type XmlElement } from "../camera/xml.ts";
import { readMac, type Sighting, shown } from "./sighting.ts";
import type { UdpProbe } from "./udp-probe.ts";
import { makesOnlyCameras, vendorOfName } from "./vendors.ts";

const PORT = 1900;
const AXIS = "urn:axis-com:service:BasicService:1";
const TARGETS = ["upnp:rootdevice", AXIS];
const CAMERA_TYPE = /:device:DigitalSecurityCamera:/i;

/** Where a UPnP device describes itself. */
export interface SsdpAnswer {
  readonly ip: string;
  readonly port: number;
  /** From the `/` on. */
  readonly path: string;
}

/** SSDP (UPnP Device Architecture 1.1, 1.3): M-SEARCH. What answers may be anything; its description tells. */
export function ssdp(port = PORT): UdpProbe<SsdpAnswer> {
  const questions = TARGETS.map((target) =>
    Buffer.from(
      `M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\nMX: 1\r\nST: ${target}\r\n\r\n`,
    ),
  );
  return { port, group: "239.255.255.250", questions: () => questions, read: readSsdp };
}

/** The place of the sender's description; nothing where it is damaged or on another host. */
export function readSsdp(packet: Buffer, sender: string): SsdpAnswer[] {
  const text = packet.toString("latin1");
  if (!/^HTTP\/1\.[01] 200\b/.test(text)) return [];
  const location = /^location:[ \t]*http:\/\/([\d.]+):(\d{1,5})(\/[!-~]*)?[ \t]*\r?$/im.exec(text);
  const [, host, port, path = "/"] = location ?? [];
  const number = Number(port);
  return host === sender && number > 0 && number < 65_536 ? [{ ip: sender, port: number, path }] : [];
}

/** What a description (UPnP Device Architecture 1.1, 2.3) tells; nothing where it is damaged. */
export function readDescription(text: string, ip: string): Sighting[] {
  let root: XmlElement;
  try {
    root = parseXml(text, ip);
  } catch {
    return [];
  }
  const field = (name: string): string | undefined => shown(textOf(root, "device", name));
  const vendor = vendorOfName(field("manufacturer"));
  return [
    {
      method: "ssdp",
      ip,
      isCamera: CAMERA_TYPE.test(field("deviceType") ?? "") || makesOnlyCameras(vendor),
      mac: readMac(field("serialNumber")),
      vendor,
      model: field("modelName"),
      name: field("friendlyName"),
    },
  ];
}

import { type DnsRecord, readRecords, writeQuestion } from "./dns.ts";
import { readMac, type Service, type Sighting, shown } from "./sighting.ts";
import type { UdpProbe } from "./udp-probe.ts";

const PORT = 5353;
const AXIS = "_axis-video._tcp.local";
const RTSP = "_rtsp._tcp.local";
const ONVIF = "_onvif._tcp.local";
const SERVICES = [AXIS, RTSP, ONVIF];
const MOST_INSTANCES = 16;

/**
 * mDNS (RFC 6762, 6763) for the services that cameras announce. Asked from a port of its own, so that
 * the answers come to it alone and nothing that other programs say is taken for one.
 */
export function mdns(port = PORT): UdpProbe<Sighting> {
  const question = writeQuestion(SERVICES);
  return { port, group: "224.0.0.251", questions: () => [question], read: readMdns };
}

/**
 * What an answer tells, one for each instance of a camera's service. An answer about another host, as
 * repeaters between networks give it, tells nothing.
 */
export function readMdns(packet: Buffer, sender: string): Sighting[] {
  const records = readRecords(packet);
  return records
    .flatMap((record) => (record.type === "PTR" ? [record] : []))
    .filter(({ name }) => SERVICES.includes(name.toLowerCase()))
    .slice(0, MOST_INSTANCES)
    .flatMap(({ name, target }) => readInstance(records, name.toLowerCase(), target, sender));
}

function readInstance(records: readonly DnsRecord[], service: string, instance: string, sender: string): Sighting[] {
  const about = records.filter(({ name }) => sameName(name, instance));
  const location = about.find((record) => record.type === "SRV");
  const host = location?.type === "SRV" ? location.target : undefined;
  const addresses = records.flatMap((record) =>
    record.type === "A" && host !== undefined && sameName(record.name, host) ? [record.address] : [],
  );
  if (addresses.length > 0 && !addresses.includes(sender)) return [];
  const texts = about.flatMap((record) => (record.type === "TXT" ? record.texts : []));
  const port = location?.type === "SRV" && location.port > 0 ? location.port : undefined;
  return [
    {
      method: "mdns",
      ip: sender,
      isCamera: true,
      mac: readMac(texts.find((text) => /^macaddress=/i.test(text))?.slice("macaddress=".length)),
      vendor: service === AXIS ? "Axis" : undefined,
      name: shown(instance.slice(0, -service.length - 1).replaceAll("\\.", ".")),
      services: port === undefined ? [] : [serviceAt(service, sender, port)],
    },
  ];
}

function serviceAt(service: string, ip: string, port: number): Service {
  if (service === RTSP) return { protocol: "RTSP", port, url: `rtsp://${ip}:${port}/` };
  if (service === ONVIF) return { protocol: "ONVIF", port, url: `http://${ip}:${port}/onvif/device_service` };
  return { protocol: "HTTP", port, url: `http://${ip}:${port}/` };
}

/** Upper and lower case are the same in names (RFC 6762, 16). */
function sameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

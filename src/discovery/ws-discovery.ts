import { readScopes } from "../camera/protocols/onvif/scopes.ts";
import { childOf, childrenOf, parseXml, textOf, type XmlElement } from "../camera/xml.ts";
import { isLinkLocal } from "./ipv4.ts";
import { type Service, type Sighting, shown } from "./sighting.ts";
import type { UdpProbe } from "./udp-probe.ts";
import { vendorOfName } from "./vendors.ts";

/** Cameras answer to one of these or to another; old ones only to a probe without types. */
const TYPES = ["dn:NetworkVideoTransmitter", "tds:Device", undefined] as const;
/** A recorder may answer for all its channels at once. */
const MOST_MATCHES = 64;
const MOST_ADDRESSES = 16;
const MOST_QUESTIONS_KNOWN = 64;
const ONVIF_SCOPE = /^onvif:\/\/www\.onvif\.org\//i;
const WEB_ADDRESS = /^(https?):\/\/(\[[0-9a-z:.%-]+\]|[^/:?#\s]+)(?::(\d{1,5}))?(\/[!-~]*)?$/i;
const DEVICE_SERVICE = "/onvif/device_service";

/**
 * WS-Discovery as ONVIF uses it (ONVIF Core Specification, 7; WS-Discovery 2005/04).
 *
 * @param newId gives UUIDs, one for each question, which an answer must name
 */
export function wsDiscovery(newId: () => string, port = 3702): UdpProbe<Sighting> {
  const asked = new Set<string>();
  const remember = (id: string): string => {
    if (asked.size >= MOST_QUESTIONS_KNOWN) for (const oldest of [...asked].slice(0, 1)) asked.delete(oldest);
    asked.add(id);
    return id;
  };
  return {
    port,
    group: "239.255.255.250",
    questions: () => TYPES.map((types) => Buffer.from(probeOf(remember(`urn:uuid:${newId()}`), types))),
    read: (packet, sender) => readProbeMatches(packet.toString("utf8"), sender, asked),
  };
}

/**
 * What an answer tells, one for each ProbeMatch; nothing where it is damaged, or no answer to one of our questions.
 * Addresses that lead to another host than the sender are left out: an answer must not send us anywhere.
 *
 * @param asked MessageIDs of our questions
 */
export function readProbeMatches(text: string, sender: string, asked: ReadonlySet<string>): Sighting[] {
  const envelope = readXml(text, sender);
  const header = childOf(envelope, "Header");
  if (!asked.has(textOf(header, "RelatesTo") ?? "")) return [];
  return childrenOf(childOf(envelope, "Body", "ProbeMatches"), "ProbeMatch")
    .slice(0, MOST_MATCHES)
    .flatMap((match) => readMatch(match, sender));
}

function readXml(text: string, sender: string): XmlElement | undefined {
  try {
    return parseXml(text, sender);
  } catch {
    return undefined;
  }
}

function readMatch(match: XmlElement, sender: string): Sighting[] {
  const scopes = listOf(textOf(match, "Scopes"));
  const types = listOf(textOf(match, "Types")).map((type) => type.replace(/^.*:/, ""));
  const named = listOf(textOf(match, "XAddrs")).slice(0, MOST_ADDRESSES);
  const services = toServices(named, sender);
  const leadsElsewhere = named.length > 0 && services.length === 0 && named.some((address) => hostOf(address));
  if (leadsElsewhere) return [];
  const told = readScopes(scopes);
  const [name, hardware] = [shown(told.name), shown(told.hardware)];
  return [
    {
      method: "ws-discovery",
      ip: sender,
      // Printers and computers answer to probes without types.
      isCamera: types.includes("NetworkVideoTransmitter") || scopes.some((scope) => ONVIF_SCOPE.test(scope)),
      endpoint: endpointOf(match),
      vendor: vendorOfName(name) ?? vendorOfName(hardware),
      name,
      hardware,
      location: shown(told.location),
      services,
    },
  ];
}

/** `urn:uuid:…`, lower case; nothing else lasts longer than an address. */
function endpointOf(match: XmlElement): string | undefined {
  const address = shown(textOf(match, "EndpointReference", "Address"))?.toLowerCase();
  return address !== undefined && /^(urn:)?uuid:[0-9a-f-]{8,}$/.test(address) ? address : undefined;
}

/** Those that name the sender; where there are none, those that mean it. */
function toServices(addresses: readonly string[], sender: string): Service[] {
  const named = addresses.filter((address) => hostOf(address) === sender);
  const meant = addresses.filter((address) => isPlaceholder(hostOf(address) ?? ""));
  const services = (named.length > 0 ? named : meant).flatMap((address) => toService(address, sender));
  return services.filter(({ url }, index) => services.findIndex((other) => other.url === url) === index);
}

function toService(address: string, sender: string): Service[] {
  const [, scheme = "", , port, path = DEVICE_SERVICE] = WEB_ADDRESS.exec(address) ?? [];
  const isSecure = scheme.toLowerCase() === "https";
  const number = port === undefined ? (isSecure ? 443 : 80) : Number(port);
  if (number < 1 || number > 65_535) return [];
  const url = `${isSecure ? "https" : "http"}://${sender}:${number}${path}`;
  return [{ protocol: "ONVIF", port: number, url }];
}

function hostOf(address: string): string | undefined {
  return WEB_ADDRESS.exec(address)?.[2];
}

/** Cameras that do not know their address, or know it from before there was a router, mean themselves. */
function isPlaceholder(host: string): boolean {
  return host === "0.0.0.0" || host === "[::]" || isLinkLocal(host) || /^\[fe80:/i.test(host);
}

function listOf(text: string | undefined): string[] {
  return text?.split(/\s+/).filter(Boolean) ?? [];
}

function probeOf(id: string, types: string | undefined): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl" xmlns:tds="http://www.onvif.org/ver10/device/wsdl"><e:Header><w:MessageID>${id}</w:MessageID><w:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To><w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action></e:Header><e:Body><d:Probe>${types === undefined ? "" : `<d:Types>${types}</d:Types>`}</d:Probe></e:Body></e:Envelope>`;
}

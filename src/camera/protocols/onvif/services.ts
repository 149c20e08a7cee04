import { childOf, childrenOf, textOf, type XmlElement } from "../../xml.ts";

export const DEVICE_NAMESPACE = "http://www.onvif.org/ver10/device/wsdl";
export const MEDIA_NAMESPACE = "http://www.onvif.org/ver10/media/wsdl";
export const MEDIA2_NAMESPACE = "http://www.onvif.org/ver20/media/wsdl";
export const PTZ_NAMESPACE = "http://www.onvif.org/ver20/ptz/wsdl";
export const EVENTS_NAMESPACE = "http://www.onvif.org/ver10/events/wsdl";

/** What is sent; some cameras refuse requests of another type. */
export const SOAP_TYPE = "application/soap+xml; charset=utf-8";

export type ServiceName = "device" | "media" | "media2" | "ptz" | "events";

/** The address of each service as the camera reports it; only those that it has. */
export type ReportedServices = Partial<Readonly<Record<ServiceName, string>>>;

const NAMES: ReadonlyMap<string, ServiceName> = new Map([
  [DEVICE_NAMESPACE, "device"],
  [MEDIA_NAMESPACE, "media"],
  [MEDIA2_NAMESPACE, "media2"],
  [PTZ_NAMESPACE, "ptz"],
  [EVENTS_NAMESPACE, "events"],
]);

/** Where GetCapabilities, which knows no Media2, has each address. */
const CAPABILITIES: readonly (readonly [string, ServiceName])[] = [
  ["Device", "device"],
  ["Media", "media"],
  ["PTZ", "ptz"],
  ["Events", "events"],
];

/** Reads `GetServicesResponse`. */
export function readServices(answer: XmlElement): ReportedServices {
  const found: [ServiceName, string][] = [];
  for (const service of childrenOf(answer, "Service")) {
    const name = NAMES.get((textOf(service, "Namespace") ?? "").replace(/\/+$/, ""));
    const address = textOf(service, "XAddr");
    if (name && address) found.push([name, address]);
  }
  return Object.fromEntries(found);
}

/** Reads `GetCapabilitiesResponse`. */
export function readCapabilities(answer: XmlElement): ReportedServices {
  const capabilities = childOf(answer, "Capabilities");
  const found = CAPABILITIES.map(([element, name]) => [name, textOf(capabilities, element, "XAddr")] as const);
  return Object.fromEntries(found.filter(([, address]) => address !== undefined));
}

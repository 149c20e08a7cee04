import { CctvError } from "../../../errors.ts";
import { childrenOf, textOf } from "../../xml.ts";
import { Media } from "./media.ts";
import type { OnvifAddress } from "./onvif-address.ts";
import type { MediaProfile } from "./profile.ts";
import { type HttpTarget, ReportedAddresses } from "./reported-address.ts";
import { type DeviceScopes, readScopes } from "./scopes.ts";
import { DEVICE_NAMESPACE, type ReportedServices, readCapabilities, readServices } from "./services.ts";
import { SoapClient } from "./soap-client.ts";
import { SoapFault } from "./soap-fault.ts";

/** The device service's words for make, model and the rest. */
export interface DeviceInformation {
  readonly manufacturer?: string;
  readonly model?: string;
  readonly firmware?: string;
  readonly serial?: string;
}

export interface SessionOptions {
  readonly rejectUnauthorized: boolean;
  /** For one answer, milliseconds. */
  readonly timeoutMs?: number;
  readonly now?: () => number;
}

const GET_SERVICES = {
  operation: "GetServices",
  namespace: DEVICE_NAMESPACE,
  content: "<IncludeCapability>false</IncludeCapability>",
};
const GET_CAPABILITIES = {
  operation: "GetCapabilities",
  namespace: DEVICE_NAMESPACE,
  content: "<Category>All</Category>",
};

/** One camera that has been reached and logged in to: its services, its channels, and the client to call them. */
export class OnvifSession {
  readonly client: SoapClient;
  readonly media: Media;
  readonly addresses: ReportedAddresses;
  readonly ptz: HttpTarget | undefined;
  readonly events: HttpTarget | undefined;
  /** The profiles of each channel; the first is channel 1. */
  readonly channels: readonly (readonly MediaProfile[])[];
  readonly #address: OnvifAddress;

  private constructor(found: Found) {
    this.client = found.client;
    this.media = found.media;
    this.addresses = found.addresses;
    this.ptz = found.addresses.http(found.services.ptz);
    this.events = found.addresses.http(found.services.events);
    this.channels = found.channels;
    this.#address = found.address;
  }

  /**
   * Asks for the services and the profiles, which takes a login.
   * @throws CctvError; nothing stays open then
   */
  static async open(address: OnvifAddress, options: SessionOptions, signal: AbortSignal): Promise<OnvifSession> {
    const { host, device, credentials } = address;
    const client = new SoapClient({ host, device, credentials, ...options });
    try {
      const services = await findServices(client, device, signal);
      const addresses = new ReportedAddresses(device);
      addresses.learnDevice(services.device);
      const media = new Media(client, addresses.http(services.media2), addresses.http(services.media));
      const channels = await media.channels(signal);
      return new OnvifSession({ client, address, services, addresses, media, channels });
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  /** Those of the configured channel. @throws CctvError CAMERA_NOT_FOUND where the camera has no such channel */
  profiles(): readonly MediaProfile[] {
    const { channel = 1 } = this.#address;
    const profiles = this.channels[channel - 1];
    if (profiles) return profiles;
    throw new CctvError(
      "CAMERA_NOT_FOUND",
      `the camera has no channel ${channel}; it has ${this.channels.length === 1 ? "only channel 1" : `channels 1 to ${this.channels.length}`}`,
    );
  }

  /** @throws CctvError */
  async information(signal: AbortSignal): Promise<DeviceInformation> {
    const request = { operation: "GetDeviceInformation", namespace: DEVICE_NAMESPACE };
    const { element } = await this.client.call(this.#address.device, request, signal);
    const manufacturer = textOf(element, "Manufacturer");
    const model = textOf(element, "Model");
    const firmware = textOf(element, "FirmwareVersion");
    const serial = textOf(element, "SerialNumber");
    return {
      ...(manufacturer && { manufacturer }),
      ...(model && { model }),
      ...(firmware && { firmware }),
      ...(serial && { serial }),
    };
  }

  /** Nothing where the camera does not tell. @throws CctvError */
  async scopes(signal: AbortSignal): Promise<DeviceScopes> {
    const request = { operation: "GetScopes", namespace: DEVICE_NAMESPACE };
    try {
      const { element } = await this.client.call(this.#address.device, request, signal);
      return readScopes(childrenOf(element, "Scopes").map((scope) => textOf(scope, "ScopeItem") ?? ""));
    } catch (error) {
      if (error instanceof SoapFault) return {};
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.client.close();
  }
}

interface Found {
  readonly client: SoapClient;
  readonly address: OnvifAddress;
  readonly services: ReportedServices;
  readonly addresses: ReportedAddresses;
  readonly media: Media;
  readonly channels: readonly (readonly MediaProfile[])[];
}

/** By GetServices, or, of cameras of before 2010 and of those that only claim it, GetCapabilities. */
async function findServices(client: SoapClient, device: HttpTarget, signal: AbortSignal): Promise<ReportedServices> {
  try {
    const { element } = await client.call(device, GET_SERVICES, signal);
    const services = readServices(element);
    if (services.media || services.media2) return services;
  } catch (error) {
    if (!(error instanceof SoapFault) || error.isNotAuthorized) throw error;
  }
  const { element } = await client.call(device, GET_CAPABILITIES, signal);
  return readCapabilities(element);
}

import { parseNetworkAddress } from "../address.ts";
import type { Brand } from "../brands/brands.ts";
import type { CameraConfig, PictureInput, Protocol } from "../protocols/protocol.ts";
import { askHost, type HostAnswers, portsToAsk } from "./ask-host.ts";
import { AutoDevice } from "./auto-device.ts";
import { chooseAddress } from "./choose-address.ts";
import { readAddress, typedPort } from "./read-address.ts";

/** What finds the protocol of an address. */
export interface ProtocolFinder {
  /** @throws CctvError ADDRESS_SCHEME_UNKNOWN */
  forAddress(address: string): Protocol<PictureInput>;
}

/** What a configuration turned out to mean. */
export interface Found {
  readonly protocol: Protocol<PictureInput>;
  /** With the address that the protocol understands. */
  readonly config: CameraConfig;
  /** Where the host was asked and gave it away. */
  readonly brand?: Brand | undefined;
}

type AskHost = (
  host: string,
  question: { readonly ports: ReturnType<typeof portsToAsk>; readonly signal: AbortSignal },
) => Promise<HostAnswers>;

/**
 * Opens whatever people paste. What the text does not tell, as of `192.168.1.64`, the host is asked: without a
 * password, each time that it is to be opened, since it may have become another camera meanwhile.
 *
 * Its own scheme is for hosts that have to be asked, `auto://[user:password@]host[:port][/path]`, as `readAddress`
 * makes it.
 *
 * @param registry where the others are
 */
export function createAutoProtocol(registry: ProtocolFinder, ask: AskHost = askHost): Protocol<PictureInput> {
  const find = async (config: CameraConfig, signal: AbortSignal): Promise<Found> => {
    const address = readAddress(config.address);
    if (!/^auto:\/\//i.test(address)) {
      return { protocol: registry.forAddress(address), config: { ...config, address } };
    }
    const { host, path, credentials } = parseNetworkAddress(address, 1, config);
    const port = typedPort(address);
    const answers = await ask(host, { ports: portsToAsk(port), signal });
    const { channel = 1, stream = "sub" } = config;
    const chosen = chooseAddress({ host, port, path, channel, stream }, answers);
    const { brand } = answers;
    return { protocol: registry.forAddress(chosen), config: { ...config, ...credentials, address: chosen }, brand };
  };
  return {
    name: "auto",
    schemes: ["auto"],
    fields: ["username", "password", "channel", "stream", "transport", "certificate", "loop"],

    async resolve(config: CameraConfig, signal: AbortSignal): Promise<PictureInput> {
      const found = await find(config, signal);
      return found.protocol.resolve(found.config, signal);
    },

    device: (config) => new AutoDevice((signal) => find(config, signal)),
  };
}

import type { AddressRules } from "./address-rules.ts";
import type { ProtocolFinder } from "./protocols/protocol.ts";

/**
 * Protocols that open an address only when the rules let it through, and then the very IP address that was checked.
 * They are asked at each connection: a name may have come to mean another host since the camera was registered.
 */
export function guardProtocols(protocols: ProtocolFinder, rules: AddressRules): ProtocolFinder {
  return {
    forAddress(address) {
      const protocol = protocols.forAddress(address);
      const { name, schemes, fields } = protocol;
      return {
        name,
        schemes,
        fields,
        async resolve(config, signal, onWaiting) {
          const { pinned } = await rules.check(config.address, { certificate: config.certificate, signal });
          return protocol.resolve({ ...config, address: pinned }, signal, onWaiting);
        },
      };
    },
  };
}

import { parseDeviceAddress, rtspConfig } from "../../device-address.ts";
import type { CameraConfig, Protocol, RtspInput } from "../protocol.ts";
import { rtspProtocol } from "../rtsp/rtsp-protocol.ts";
import { DahuaDevice } from "./dahua-device.ts";

/**
 * Cameras and recorders of Dahua and of the brands that it builds for, by their HTTP interface (CGI): that tells which
 * channels there are and where their RTSP is.
 */
export const dahuaProtocol: Protocol<RtspInput> = {
  name: "dahua",
  schemes: ["dahua", "dahuas"],
  fields: ["username", "password", "channel", "stream", "certificate", "transport"],

  async resolve(config: CameraConfig, signal: AbortSignal): Promise<RtspInput> {
    const address = parseDeviceAddress(config);
    const device = new DahuaDevice(address);
    try {
      const place = await device.rtspPlace(signal);
      return await rtspProtocol.resolve(rtspConfig(config, address, place), signal);
    } finally {
      await device.close();
    }
  },

  device: (config) => new DahuaDevice(parseDeviceAddress(config)),
};

import { parseDeviceAddress, rtspConfig } from "../../device-address.ts";
import type { CameraConfig, Protocol, RtspInput } from "../protocol.ts";
import { rtspProtocol } from "../rtsp/rtsp-protocol.ts";
import { HikvisionDevice } from "./hikvision-device.ts";

/**
 * Cameras and recorders of Hikvision and of the brands that it builds for, by their HTTP interface (ISAPI): that tells
 * which channels there are and where their RTSP is.
 */
export const hikvisionProtocol: Protocol<RtspInput> = {
  name: "hikvision",
  schemes: ["hik", "hiks", "hikvision"],
  fields: ["username", "password", "channel", "stream", "certificate", "transport"],

  async resolve(config: CameraConfig, signal: AbortSignal): Promise<RtspInput> {
    const address = parseDeviceAddress(config);
    const device = new HikvisionDevice(address);
    try {
      const place = await device.rtspPlace(signal);
      return await rtspProtocol.resolve(rtspConfig(config, address, place), signal);
    } finally {
      await device.close();
    }
  },

  device: (config) => new HikvisionDevice(parseDeviceAddress(config)),
};

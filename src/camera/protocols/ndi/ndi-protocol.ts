import type { CameraConfig, Protocol, RawInput } from "../protocol.ts";
import { receiveNdi } from "./ndi-receiver.ts";
import { runtimePlaces } from "./runtime-location.ts";
import { readWanted } from "./source-choice.ts";

export interface NdiSurroundings {
  readonly platform?: string;
  readonly environment?: NodeJS.ProcessEnv;
}

/**
 * NDI sources: `ndi://MACHINE (channel)`, `ndi://machine/channel`, `ndi://machine` or `ndi://channel` where
 * that is unique, `ndi://` for the only source. It takes the NDI runtime, which the user installs.
 */
export function createNdiProtocol({
  platform = process.platform,
  environment = process.env,
}: NdiSurroundings = {}): Protocol<RawInput> {
  return {
    name: "ndi",
    schemes: ["ndi"],
    fields: ["stream"],

    async resolve(config: CameraConfig): Promise<RawInput> {
      const wanted = readWanted(config.address);
      const bandwidth = config.stream === "main" ? "highest" : "lowest";
      const places = runtimePlaces(platform, environment);
      return {
        kind: "raw",
        display: `ndi://${wanted}`,
        live: true,
        loop: false,
        pictures: ({ fps, longSide }, signal) =>
          receiveNdi({ platform, places, wanted, bandwidth, fps, longSide }, environment, signal),
      };
    },
  };
}

export const ndiProtocol = createNdiProtocol();

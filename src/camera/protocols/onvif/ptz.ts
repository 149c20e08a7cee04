import { CctvError } from "../../../errors.ts";
import type { Ptz, PtzPreset, PtzVelocity } from "../../device.ts";
import { childrenOf, escapeXml, textOf, type XmlElement } from "../../xml.ts";
import type { SoapRequest } from "./envelope.ts";
import type { OnvifSession } from "./onvif-session.ts";
import { PTZ_NAMESPACE } from "./services.ts";

/** Pan, tilt and zoom by the PTZ service (ONVIF PTZ Service Specification). */
export class OnvifPtz implements Ptz {
  readonly #session: (signal: AbortSignal) => Promise<OnvifSession>;

  constructor(session: (signal: AbortSignal) => Promise<OnvifSession>) {
    this.#session = session;
  }

  async move(velocity: PtzVelocity, forMs: number | undefined, signal: AbortSignal): Promise<void> {
    const content = writeVelocity(velocity);
    if (content === "") return this.stop(signal);
    // Without a time the camera moves for as long as it is set to, at most.
    const timeout = forMs === undefined ? "" : `<Timeout>${writeDuration(forMs)}</Timeout>`;
    await this.#call("ContinuousMove", `<Velocity>${content}</Velocity>${timeout}`, signal);
  }

  async stop(signal: AbortSignal): Promise<void> {
    await this.#call("Stop", "<PanTilt>true</PanTilt><Zoom>true</Zoom>", signal);
  }

  async presets(signal: AbortSignal): Promise<readonly PtzPreset[]> {
    const answer = await this.#call("GetPresets", "", signal);
    return childrenOf(answer, "Preset")
      .map((preset) => ({ id: preset.attributes.token ?? "", name: textOf(preset, "Name") ?? "" }))
      .filter(({ id }) => id !== "")
      .map(({ id, name }) => ({ id, name: name || id }));
  }

  async goToPreset(wanted: string, signal: AbortSignal): Promise<void> {
    const presets = await this.presets(signal);
    const preset = findPreset(presets, wanted);
    if (!preset) {
      const known = presets.map(({ name }) => name).join(", ");
      throw new CctvError(
        "CAMERA_NOT_FOUND",
        `the camera has no preset "${wanted}"; ${known ? `it has ${known}` : "store one in its settings first"}`,
      );
    }
    await this.#call("GotoPreset", `<PresetToken>${escapeXml(preset.id)}</PresetToken>`, signal);
  }

  async #call(operation: string, content: string, signal: AbortSignal): Promise<XmlElement> {
    const session = await this.#session(signal);
    const profile = session.profiles().find(({ hasPtz }) => hasPtz);
    if (!session.ptz || !profile) {
      throw new CctvError(
        "CAMERA_UNSUPPORTED",
        "the camera offers no pan, tilt or zoom on this channel; where it has a motor, add PTZ to its ONVIF profile in its settings",
      );
    }
    const request: SoapRequest = {
      operation,
      namespace: PTZ_NAMESPACE,
      content: `<ProfileToken>${escapeXml(profile.token)}</ProfileToken>${content}`,
    };
    const { element } = await session.client.call(session.ptz, request, signal);
    return element;
  }
}

/** Children of `<Velocity>`; empty where nothing is to move. */
export function writeVelocity({ pan = 0, tilt = 0, zoom = 0 }: PtzVelocity): string {
  const [x, y, nearer] = [speed(pan), speed(tilt), speed(zoom)];
  const panTilt = x || y ? `<tt:PanTilt x="${x}" y="${y}"/>` : "";
  return nearer ? `${panTilt}<tt:Zoom x="${nearer}"/>` : panTilt;
}

/** By id, else by name. */
export function findPreset(presets: readonly PtzPreset[], wanted: string): PtzPreset | undefined {
  const name = wanted.trim().toLowerCase();
  return presets.find(({ id }) => id === wanted) ?? presets.find((preset) => preset.name.trim().toLowerCase() === name);
}

/** Milliseconds, one at least, as xs:duration. */
export function writeDuration(ms: number): string {
  return `PT${Math.max(Math.round(ms), 1) / 1000}S`;
}

function speed(value: number): number {
  return Number.isFinite(value) ? Math.min(1, Math.max(-1, value)) : 0;
}

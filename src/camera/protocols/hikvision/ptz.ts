import { CctvError } from "../../../errors.ts";
import type { Ptz, PtzPreset, PtzVelocity } from "../../device.ts";
import type { HttpAnswer } from "../../http/camera-http.ts";
import { explainStatus } from "../../http/http-failure.ts";
import { isDenied, isSuccess } from "../../http/whole-answer.ts";
import { TimedMoves } from "../../timed-moves.ts";
import { childrenOf, textOf, type XmlElement } from "../../xml.ts";
import type { Isapi } from "./isapi.ts";

/** A camera's own, and a recorder's for the cameras behind it. */
const ROOTS = ["PTZCtrl", "ContentMgmt/PTZCtrlProxy"] as const;

/** Moves one channel by ISAPI. */
export class IsapiPtz implements Ptz {
  readonly #isapi: Isapi;
  readonly #channel: number;
  readonly #where: string;
  readonly #moves: TimedMoves;

  constructor(isapi: Isapi, channel: number, where: string) {
    this.#isapi = isapi;
    this.#channel = channel;
    this.#where = where;
    this.#moves = new TimedMoves((velocity, signal) => this.#put("continuous", velocityDocument(velocity), signal));
  }

  async move(velocity: PtzVelocity, forMs: number | undefined, signal: AbortSignal): Promise<void> {
    await this.#moves.move(velocity, forMs, signal);
  }

  async stop(signal: AbortSignal): Promise<void> {
    await this.#moves.stop(signal);
  }

  async presets(signal: AbortSignal): Promise<readonly PtzPreset[]> {
    for (const root of ROOTS) {
      const document = await this.#isapi.document(`${root}/channels/${this.#channel}/presets`, signal);
      if (document) return readPresets(document);
    }
    throw this.#cannotMove();
  }

  async goToPreset(preset: string, signal: AbortSignal): Promise<void> {
    const presets = await this.presets(signal);
    const found = presets.find(({ id }) => id === preset) ?? presets.find(({ name }) => name === preset);
    if (!found) {
      throw new CctvError(
        "CAMERA_NOT_FOUND",
        `channel ${this.#channel} of ${this.#where} has no preset of that id or name; ask it for its presets`,
      );
    }
    await this.#put(`presets/${found.id}/goto`, "", signal);
  }

  async close(): Promise<void> {
    await this.#moves.close();
  }

  async #put(path: string, xml: string, signal: AbortSignal): Promise<void> {
    let refusal: HttpAnswer | undefined;
    for (const root of ROOTS) {
      const answer = await this.#isapi.put(`${root}/channels/${this.#channel}/${path}`, xml, signal);
      if (isSuccess(answer)) return;
      refusal ??= answer;
    }
    if (!refusal || isDenied(refusal)) throw this.#cannotMove();
    throw explainStatus(refusal.status, refusal.headers, this.#where);
  }

  #cannotMove(): CctvError {
    return new CctvError(
      "CAMERA_UNSUPPORTED",
      `channel ${this.#channel} of ${this.#where} cannot be moved by this user; give the account the right to it, or leave the command out if the camera stands still`,
    );
  }
}

/** ISAPI counts speeds from -100 to 100. */
export function velocityDocument({ pan, tilt, zoom }: Required<PtzVelocity>): string {
  const speed = (value: number) => Math.round(value * 100);
  return `<?xml version="1.0" encoding="UTF-8"?><PTZData><pan>${speed(pan)}</pan><tilt>${speed(tilt)}</tilt><zoom>${speed(zoom)}</zoom></PTZData>`;
}

/** Reads a `PTZPresetList`; places that hold no preset are left out. */
export function readPresets(list: XmlElement): PtzPreset[] {
  return childrenOf(list, "PTZPreset").flatMap((preset) => {
    const id = textOf(preset, "id");
    if (id === undefined || !/^\d+$/.test(id) || textOf(preset, "enabled") === "false") return [];
    return [{ id, name: textOf(preset, "presetName") ?? id }];
  });
}

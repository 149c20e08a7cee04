import { CctvError } from "../../../errors.ts";
import type { Ptz, PtzPreset, PtzVelocity } from "../../device.ts";
import { explainStatus } from "../../http/http-failure.ts";
import { isDenied, isSuccess } from "../../http/whole-answer.ts";
import { TimedMoves } from "../../timed-moves.ts";
import type { DahuaCgi } from "./cgi.ts";
import { type KeyValues, rowsOf, textAt } from "./key-values.ts";

/** One movement, as `ptz.cgi` names it, with its three arguments. */
export interface PtzCommand {
  readonly code: string;
  readonly args: readonly [number, number, number];
}

const FASTEST = 8;
const PRESET = /^presets\[(\d{1,4})\]\.(Index|Name)$/;
/** Any of a kind ends that kind of movement, also one that somebody else began. */
const STOP_ANY: readonly PtzCommand[] = [
  { code: "Up", args: [0, 0, 0] },
  { code: "ZoomTele", args: [0, 0, 0] },
];

/** Moves one channel by `ptz.cgi`. */
export class DahuaPtz implements Ptz {
  readonly #cgi: DahuaCgi;
  readonly #channel: number;
  readonly #where: string;
  readonly #moves: TimedMoves;
  #running: readonly PtzCommand[] = [];

  constructor(cgi: DahuaCgi, channel: number, where: string) {
    this.#cgi = cgi;
    this.#channel = channel;
    this.#where = where;
    this.#moves = new TimedMoves((velocity, signal) => this.#drive(ptzCommands(velocity), signal));
  }

  async move(velocity: PtzVelocity, forMs: number | undefined, signal: AbortSignal): Promise<void> {
    await this.#moves.move(velocity, forMs, signal);
  }

  async stop(signal: AbortSignal): Promise<void> {
    await this.#moves.stop(signal);
  }

  async presets(signal: AbortSignal): Promise<readonly PtzPreset[]> {
    const values = await this.#cgi.values(`ptz.cgi?action=getPresets&channel=${this.#channel}`, signal);
    if (!values) throw this.#cannotMove();
    return readPresets(values);
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
    await this.#send("start", { code: "GotoPreset", args: [0, Number(found.id), 0] }, signal);
  }

  async close(): Promise<void> {
    await this.#moves.close();
  }

  /** Each movement has a beginning and an end of its own. */
  async #drive(wanted: readonly PtzCommand[], signal: AbortSignal): Promise<void> {
    const over = this.#running.filter(({ code }) => !wanted.some((command) => command.code === code));
    const isStopAlone = wanted.length === 0 && over.length === 0;
    for (const command of isStopAlone ? STOP_ANY : over) await this.#send("stop", command, signal);
    this.#running = wanted;
    for (const command of wanted) await this.#send("start", command, signal);
  }

  async #send(action: "start" | "stop", { code, args }: PtzCommand, signal: AbortSignal): Promise<void> {
    const [arg1, arg2, arg3] = args;
    const query = `action=${action}&channel=${this.#channel}&code=${code}&arg1=${arg1}&arg2=${arg2}&arg3=${arg3}`;
    const answer = await this.#cgi.answer(`ptz.cgi?${query}`, signal);
    if (isDenied(answer)) throw this.#cannotMove();
    if (!isSuccess(answer)) throw explainStatus(answer.status, answer.headers, this.#where);
  }

  #cannotMove(): CctvError {
    return new CctvError(
      "CAMERA_UNSUPPORTED",
      `channel ${this.#channel} of ${this.#where} cannot be moved by this user; give the account the right to it, or leave the command out if the camera stands still`,
    );
  }
}

/** Directions have names and speeds from 1 to 8: the vertical one first, the horizontal one second; zoom goes apart. */
export function ptzCommands({ pan, tilt, zoom }: Required<PtzVelocity>): PtzCommand[] {
  const [horizontal, vertical] = [speed(pan), speed(tilt)];
  const sideways = horizontal === 0 ? "" : pan > 0 ? "Right" : "Left";
  const upright = vertical === 0 ? "" : tilt > 0 ? "Up" : "Down";
  const commands: PtzCommand[] = [];
  if (sideways && upright) commands.push({ code: `${sideways}${upright}`, args: [vertical, horizontal, 0] });
  else if (sideways || upright) {
    commands.push({ code: sideways || upright, args: [0, Math.max(horizontal, vertical), 0] });
  }
  if (speed(zoom) > 0) commands.push({ code: zoom > 0 ? "ZoomTele" : "ZoomWide", args: [0, speed(zoom), 0] });
  return commands;
}

/** Reads what `getPresets` tells. */
export function readPresets(values: KeyValues): PtzPreset[] {
  return [...rowsOf(values, PRESET).values()].flatMap((row) => {
    const id = textAt(row, "Index");
    return id !== undefined && /^\d+$/.test(id) ? [{ id, name: textAt(row, "Name") ?? id }] : [];
  });
}

function speed(velocity: number): number {
  return velocity === 0 ? 0 : Math.max(1, Math.round(Math.abs(velocity) * FASTEST));
}

import type { CameraDevice } from "../../src/camera/device.ts";
import { CctvError } from "../../src/errors.ts";

/** What a camera node can be told in `msg.payload`. */
export type CameraCommand =
  | { readonly command: "snapshot" | "info" | "stop" | "presets" }
  | {
      readonly command: "move";
      readonly pan: number;
      readonly tilt: number;
      readonly zoom: number;
      /** Until told to stop where it is absent. */
      readonly seconds?: number;
    }
  | { readonly command: "preset"; readonly preset: string };

const COMMANDS = ["snapshot", "info", "move", "stop", "presets", "preset"] as const;
const LONGEST_MOVE_SECONDS = 60;

/** @throws CctvError MESSAGE_INVALID, saying what is taken. */
export function readCommand(payload: unknown): CameraCommand {
  const fields = (typeof payload === "string" ? { command: payload } : payload) as Record<string, unknown> | null;
  const command = COMMANDS.find((name) => name === fields?.command);
  if (!command) {
    throw new CctvError(
      "MESSAGE_INVALID",
      `this node takes msg.payload with a "command", one of ${COMMANDS.join(", ")}; for example {"command": "snapshot"}`,
    );
  }
  if (command === "move") return readMove(fields ?? {});
  if (command !== "preset") return { command };
  const { preset } = fields ?? {};
  if ((typeof preset !== "string" && typeof preset !== "number") || preset === "") {
    throw new CctvError("MESSAGE_INVALID", 'the command "preset" takes the id or the name of one in "preset"');
  }
  return { command, preset: String(preset) };
}

function readMove(fields: Record<string, unknown>): CameraCommand {
  const [pan, tilt, zoom] = ["pan", "tilt", "zoom"].map((axis) => readNumber(axis, fields[axis] ?? 0, -1, 1));
  const { seconds } = fields;
  return {
    command: "move",
    pan: pan ?? 0,
    tilt: tilt ?? 0,
    zoom: zoom ?? 0,
    ...(seconds !== undefined && { seconds: readNumber("seconds", seconds, 0.1, LONGEST_MOVE_SECONDS) }),
  };
}

function readNumber(name: string, value: unknown, least: number, most: number): number {
  if (typeof value === "number" && value >= least && value <= most) return value;
  throw new CctvError(
    "MESSAGE_INVALID",
    `the command "move" takes a number from ${least} to ${most} in "${name}", and got ${JSON.stringify(value)}`,
  );
}

/**
 * Has the camera do it.
 * @returns what it answers: a JPEG, a list, a description, or true where it has nothing to say.
 * @throws CctvError
 */
export async function execute(command: CameraCommand, device: CameraDevice, signal: AbortSignal): Promise<unknown> {
  switch (command.command) {
    case "snapshot":
      return device.snapshot(signal);
    case "info":
      return device.describe(signal);
    case "move": {
      const { pan, tilt, zoom, seconds } = command;
      await ptzOf(device).move({ pan, tilt, zoom }, seconds === undefined ? undefined : seconds * 1000, signal);
      return true;
    }
    case "stop":
      await ptzOf(device).stop(signal);
      return true;
    case "presets":
      return ptzOf(device).presets(signal);
    case "preset":
      await ptzOf(device).goToPreset(command.preset, signal);
      return true;
  }
}

function ptzOf({ ptz }: CameraDevice): NonNullable<CameraDevice["ptz"]> {
  if (ptz) return ptz;
  throw new CctvError(
    "CAMERA_UNSUPPORTED",
    "this kind of camera cannot be moved; take pan, tilt and zoom out of the flow",
  );
}

import { asCctvError, CctvError } from "../errors.ts";
import type { Console } from "./console.ts";
import { EVALUATE_HELP, evaluate } from "./evaluate.ts";
import { TRAIN_HELP, train } from "./train.ts";

const COMMANDS: Readonly<Record<string, (args: readonly string[], console: Console) => Promise<void>>> = {
  train,
  evaluate,
};

const HELP = `${TRAIN_HELP}\n\n${EVALUATE_HELP}

DIR holds videos.jsonl (video, camera, frames, theft: [[first, last], ...], fps unless 15) and
tracks.jsonl or tracks.jsonl.gz (video, frames, keypoints: 17 COCO points of x, y in pixels, confidence).`;

const CANCELLED = 130;

/**
 * Runs one command.
 *
 * @returns its exit status: 0, 1 after an error that was told, 130 when it was cancelled.
 */
export async function main(args: readonly string[], console: Console): Promise<number> {
  const [name = "help", ...rest] = args;
  try {
    if (["help", "--help", "-h"].includes(name) || rest.includes("--help")) {
      console.out(HELP);
      return 0;
    }
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (!command) {
      throw new CctvError(
        "SETTING_INVALID",
        `there is no command ${name}; the commands are ${Object.keys(COMMANDS).join(", ")} and help`,
      );
    }
    await command(rest, console);
    return 0;
  } catch (error) {
    if (console.signal.aborted) return CANCELLED;
    console.note(String(asCctvError(error, "SETTING_INVALID")));
    return 1;
  }
}

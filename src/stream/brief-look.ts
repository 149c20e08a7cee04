import { setTimeout as sleep } from "node:timers/promises";
import type { PictureInput } from "../camera/protocols/protocol.ts";
import { CctvError } from "../errors.ts";
import { openPictureSource } from "./open-picture-source.ts";
import type { CapturedPicture, SourceFacts } from "./picture-source.ts";

export interface BriefLook {
  readonly first: CapturedPicture;
  /** From the opening to the first picture, milliseconds. */
  readonly firstPictureMs: number;
  /** Pictures a second while they were counted. */
  readonly picturesPerSecond: number;
  readonly facts: SourceFacts;
}

export interface BriefLookOptions {
  readonly input: PictureInput;
  readonly longSide: number;
  readonly ffmpegPath?: string | undefined;
  /** How long to count pictures after the first, milliseconds. */
  readonly countMs: number;
}

/** Faster than any camera: every picture counts. */
const ALL_PICTURES = 60;

/**
 * Opens an input, waits for a picture, counts what follows for a moment and closes it again.
 * @throws CctvError what broke it off; the signal's reason when it aborts before the first picture.
 */
export async function lookBriefly(options: BriefLookOptions, signal: AbortSignal): Promise<BriefLook> {
  const { input, longSide, ffmpegPath, countMs } = options;
  const startedAt = performance.now();
  const arrivals: number[] = [];
  let show: (picture: CapturedPicture) => void = () => undefined;
  const shown = new Promise<CapturedPicture>((resolve) => {
    show = resolve;
  });
  const source = await openPictureSource({
    input,
    analysis: { fps: ALL_PICTURES, longSide },
    ffmpegPath,
    now: Date.now,
    onPicture: (picture) => {
      arrivals.push(performance.now());
      show(picture);
    },
  });
  const stop = () => void source.close();
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  try {
    const first = await Promise.race([shown, source.ended.then((reason) => failed(reason, input, signal))]);
    await Promise.race([sleep(countMs, undefined, { signal }).catch(() => undefined), source.ended]);
    const firstAt = arrivals[0] ?? startedAt;
    const counted = (performance.now() - firstAt) / 1000;
    return {
      first,
      firstPictureMs: Math.round(firstAt - startedAt),
      picturesPerSecond: (arrivals.length - 1) / counted,
      facts: source.facts(),
    };
  } finally {
    signal.removeEventListener("abort", stop);
    await source.close();
  }
}

function failed(reason: CctvError | undefined, { display }: PictureInput, signal: AbortSignal): never {
  signal.throwIfAborted();
  throw reason ?? new CctvError("STREAM_LOST", `${display} ended before its first picture; try it again`);
}

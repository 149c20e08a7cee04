import type { RawInput } from "../camera/protocols/protocol.ts";
import { asCctvError, CctvError } from "../errors.ts";
import type { Analysis } from "./ffmpeg-arguments.ts";
import type { CapturedPicture, PictureSource, SourceFacts } from "./picture-source.ts";

export interface RawSourceOptions {
  readonly input: RawInput;
  readonly analysis: Analysis;
  readonly onPicture: (picture: CapturedPicture) => void;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** Pictures of an input that decodes by itself; each has the time of its arrival. */
export class RawSource implements PictureSource {
  readonly ended: Promise<CctvError | undefined>;
  readonly lines: readonly string[] = [];
  readonly #options: RawSourceOptions;
  readonly #closing = new AbortController();
  #pictures = 0;

  constructor(options: RawSourceOptions) {
    this.#options = options;
    this.ended = this.#run();
  }

  /** The input tells nothing of the stream that it decodes. */
  facts(): SourceFacts {
    return { damaged: 0 };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.ended;
  }

  async #run(): Promise<CctvError | undefined> {
    const { input, now, onPicture } = this.#options;
    const { fps, longSide } = this.#options.analysis;
    const { signal } = this.#closing;
    try {
      for await (const { data, width, height } of input.pictures({ fps, longSide }, signal)) {
        if (signal.aborted) break;
        this.#pictures++;
        onPicture({ data, width, height, timestamp: now() });
      }
    } catch (error) {
      return signal.aborted ? undefined : asCctvError(error, "STREAM_LOST");
    }
    return signal.aborted ? undefined : this.#explainEnd();
  }

  #explainEnd(): CctvError {
    const { display } = this.#options.input;
    return this.#pictures > 0
      ? new CctvError("STREAM_LOST", `the stream of ${display} broke off; it is opened again`)
      : new CctvError("STREAM_LOST", `${display} ended its stream before the first picture; it is opened again`);
  }
}

import sharp from "sharp";
import type { JpegInput } from "../camera/protocols/protocol.ts";
import { createMask } from "../camera/secrets.ts";
import { asCctvError, CctvError } from "../errors.ts";
import type { Analysis } from "./ffmpeg-arguments.ts";
import { FrameRate } from "./frame-rate.ts";
import type { CapturedPicture, PictureSource, SourceFacts } from "./picture-source.ts";

export interface JpegSourceOptions {
  readonly input: JpegInput;
  readonly analysis: Analysis;
  readonly onPicture: (picture: CapturedPicture) => void;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** Pixels, as the camera sends them. */
interface Size {
  readonly width: number;
  readonly height: number;
}

interface Arrival {
  readonly jpeg: Buffer;
  readonly at: number;
}

const KEPT_LINES = 20;
/** So many damaged pictures in a row are no accident. */
const MOST_DAMAGED = 20;
/** Larger ones than any camera's are made to fill the memory. */
const MOST_PIXELS = 100_000_000;

/**
 * Pictures of a camera that sends JPEGs. All are read, so that none grows old on its way; only as many
 * as the analysis wants are decoded, one at a time, and of those that came meanwhile the newest.
 */
export class JpegSource implements PictureSource {
  readonly ended: Promise<CctvError | undefined>;
  readonly lines: string[] = [];
  readonly #options: JpegSourceOptions;
  readonly #closing = new AbortController();
  readonly #rate: FrameRate;
  #bytes = 0;
  #size: Size | undefined;
  #newest: Arrival | undefined;
  #decoding: Promise<void> | undefined;
  #lastSlot: number | undefined;
  #pictures = 0;
  #damaged = 0;
  #damagedInARow = 0;
  #failure: CctvError | undefined;

  constructor(options: JpegSourceOptions) {
    this.#options = options;
    this.#rate = new FrameRate(options.now);
    this.ended = this.#run();
  }

  facts(): SourceFacts {
    const fps = Math.round(this.#rate.perSecond() * 10) / 10;
    return { bytes: this.#bytes, damaged: this.#damaged, codec: "mjpeg", ...this.#size, ...(fps > 0 && { fps }) };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.ended;
  }

  async #run(): Promise<CctvError | undefined> {
    const { input, analysis, now } = this.#options;
    const { signal } = this.#closing;
    let failure: CctvError | undefined;
    try {
      for await (const jpeg of input.jpegs(analysis.fps, signal)) {
        if (signal.aborted || this.#failure) break;
        this.#bytes += jpeg.length;
        this.#rate.count();
        this.#newest = { jpeg, at: now() };
        this.#wake();
      }
    } catch (error) {
      failure = asCctvError(error, "STREAM_LOST");
    }
    await this.#decoding;
    if (signal.aborted) return undefined;
    return this.#failure ?? failure ?? this.#explainEnd();
  }

  #wake(): void {
    if (this.#decoding !== undefined) return;
    const arrival = this.#takeNewest();
    if (arrival) this.#decoding = this.#decodeFrom(arrival);
  }

  /** Decodes until nothing is left that is wanted. */
  async #decodeFrom(first: Arrival): Promise<void> {
    for (let arrival: Arrival | undefined = first; arrival; arrival = this.#takeNewest()) {
      await this.#decode(arrival);
    }
    this.#decoding = undefined;
  }

  /** The first picture of each 1/fps of a second, as the ffmpeg decoder has it. */
  #takeNewest(): Arrival | undefined {
    const arrival = this.#newest;
    this.#newest = undefined;
    if (!arrival || this.#closing.signal.aborted || this.#failure) return undefined;
    const slot = Math.floor((arrival.at * this.#options.analysis.fps) / 1000);
    if (slot === this.#lastSlot) return undefined;
    this.#lastSlot = slot;
    return arrival;
  }

  async #decode({ jpeg, at }: Arrival): Promise<void> {
    try {
      const { size, ...picture } = await decodeJpeg(jpeg, this.#options.analysis.longSide);
      this.#damagedInARow = 0;
      this.#size = size;
      if (this.#closing.signal.aborted) return;
      this.#pictures++;
      this.#options.onPicture({ ...picture, timestamp: at });
    } catch (error) {
      this.#complain(error);
    }
  }

  #complain(error: unknown): void {
    const { credentials, display } = this.#options.input;
    const words = asCctvError(error, "DECODER_FAILED").message.split("\n", 1)[0] ?? "";
    this.lines.push(createMask(credentials)(`a JPEG of ${display} was left out: ${words}`));
    if (this.lines.length > KEPT_LINES) this.lines.shift();
    this.#damaged++;
    if (++this.#damagedInARow < MOST_DAMAGED) return;
    this.#failure = new CctvError(
      "DECODER_FAILED",
      `${display} sends JPEGs that cannot be read (${words}); check the camera's video settings`,
    );
  }

  #explainEnd(): CctvError {
    const { display } = this.#options.input;
    return this.#pictures > 0
      ? new CctvError("STREAM_LOST", `the stream of ${display} broke off; it is opened again`)
      : new CctvError("STREAM_LOST", `${display} ended its stream before the first picture; it is opened again`);
  }
}

/** The picture as packed RGB, upright, its longer side at most `longSide` pixels. */
async function decodeJpeg(
  jpeg: Buffer,
  longSide: number,
): Promise<Omit<CapturedPicture, "timestamp"> & { readonly size: Size }> {
  // sharp would read many other formats too: not from a camera.
  if (jpeg[0] !== 0xff || jpeg[1] !== 0xd8) throw new CctvError("DECODER_FAILED", "it is no JPEG");
  const image = sharp(jpeg, { failOn: "error", limitInputPixels: MOST_PIXELS });
  const { width, height, orientation = 1 } = await image.metadata();
  const { data, info } = await image
    .autoOrient()
    .resize({ width: longSide, height: longSide, fit: "inside", withoutEnlargement: true })
    .toColourspace("srgb")
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const isUnchanged = orientation === 1 && info.width === width && info.height === height;
  return { data, width: info.width, height: info.height, size: { width, height }, ...(isUnchanged && { jpeg }) };
}

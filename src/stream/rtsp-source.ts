import type { FfmpegInput, RtspInput } from "../camera/protocols/protocol.ts";
import { RtspRelay } from "../camera/rtsp/relay.ts";
import { RtspSession } from "../camera/rtsp/rtsp-session.ts";
import { asCctvError, type CctvError } from "../errors.ts";
import { Decoder } from "./decoder.ts";
import type { Analysis } from "./ffmpeg-arguments.ts";
import type { FfmpegBinary } from "./ffmpeg-binary.ts";
import type { CapturedPicture, PictureSource, SourceFacts } from "./picture-source.ts";

export interface RtspSourceOptions {
  readonly ffmpeg: FfmpegBinary;
  readonly input: RtspInput;
  readonly analysis: Analysis;
  readonly onPicture: (picture: CapturedPicture) => void;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/**
 * ffmpeg's limit for one wait on the relay, microseconds: longer than the session takes to find out, and to say
 * better, that the camera has gone silent.
 */
const RELAY_TIMEOUT = 20_000_000;

/**
 * Pictures of an RTSP camera. The session with the camera is ours and opens first, so that a camera that is not
 * there, or refuses the login, costs no decoder; ffmpeg gets the packets from a relay on loopback.
 */
export class RtspSource implements PictureSource {
  readonly ended: Promise<CctvError | undefined>;
  readonly #options: RtspSourceOptions;
  readonly #session: RtspSession;
  #relay: RtspRelay | undefined;
  #decoder: Decoder | undefined;
  #failure: CctvError | undefined;
  #isClosing = false;

  constructor(options: RtspSourceOptions) {
    this.#options = options;
    this.#session = new RtspSession({ input: options.input, onPacket: (packet) => this.#relay?.send(packet) });
    this.ended = this.#run();
  }

  /** The decoder's; the session's failure is told by `ended`. */
  get lines(): readonly string[] {
    return this.#decoder?.lines ?? [];
  }

  /** What the camera says of its pictures a second is better than what ffmpeg guesses; of the rest ffmpeg knows more. */
  facts(): SourceFacts {
    const { codec, width, height, fps } = this.#session.video ?? {};
    return {
      ...(codec && { codec }),
      ...(width && height && { width, height }),
      ...(this.#decoder?.facts() ?? { damaged: 0 }),
      ...(fps && { fps }),
      ...this.#session.facts(),
    };
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#decoder?.close();
    await this.#session.close();
    await this.ended;
  }

  async #run(): Promise<CctvError | undefined> {
    try {
      await this.#session.open();
      const failure = await this.#decode();
      this.#failure ??= failure;
    } catch (error) {
      this.#failure ??= asCctvError(error, "DECODER_FAILED");
    }
    await this.#relay?.close();
    await this.#session.close();
    return this.#isClosing ? undefined : this.#failure;
  }

  async #decode(): Promise<CctvError | undefined> {
    void this.#session.lost.then((reason) => this.#fail(reason));
    this.#relay = await RtspRelay.listen({ session: this.#session, onFailure: (error) => this.#fail(error) });
    if (this.#isClosing || this.#failure) return undefined;
    const { input, ...rest } = this.#options;
    this.#decoder = new Decoder({ ...rest, input: relayInput(input, this.#relay.url) });
    return this.#decoder.ended;
  }

  /** What the session says comes first: all that ffmpeg sees of it is the end of the relay. */
  #fail(error: unknown): void {
    this.#failure ??= asCctvError(error, "STREAM_LOST");
    void this.#decoder?.close();
  }
}

function relayInput({ display, credentials }: RtspInput, url: string): FfmpegInput {
  return {
    url,
    display,
    options: {
      rtsp_transport: "tcp",
      allowed_media_types: "video",
      timeout: String(RELAY_TIMEOUT),
      // Shorter probing than ffmpeg's own brings the first picture seconds earlier: the SDP says the rest.
      analyzeduration: "500000",
      probesize: "65536",
    },
    protocols: ["rtsp", "rtp", "tcp"],
    live: true,
    loop: false,
    // Nothing that ffmpeg is told: a camera may repeat the password in its packets, which is then masked.
    ...(credentials && { credentials }),
  };
}

import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { killWithUs } from "../camera/child-process.ts";
import type { FfmpegInput } from "../camera/protocols/protocol.ts";
import { createMask, type Mask } from "../camera/secrets.ts";
import { asCctvError, CctvError } from "../errors.ts";
import { explainExit } from "./decoder-failure.ts";
import { type Analysis, ffmpegCommand, takesArrivalTimes } from "./ffmpeg-arguments.ts";
import type { FfmpegBinary } from "./ffmpeg-binary.ts";
import { type Picture, PictureAssembler } from "./picture-assembler.ts";
import type { CapturedPicture, PictureSource, SourceFacts } from "./picture-source.ts";
import { readStreamLine, type StreamLine } from "./stream-line.ts";

export interface DecoderOptions {
  readonly ffmpeg: FfmpegBinary;
  readonly input: FfmpegInput;
  readonly analysis: Analysis;
  readonly onPicture: (picture: CapturedPicture) => void;
  /** The clock; epoch milliseconds. */
  readonly now?: () => number;
}

type FfmpegProcess = ChildProcessByStdio<Writable, Readable, Readable>;

const KEPT_LINES = 20;
const LONGEST_LINE = 8192;
const TROUBLE = /\[(?:warning|error|fatal|panic)\]/;
/** Raw pictures carry no times, so it does not matter that a clock went back; ffmpeg says it for every one of them. */
const NO_TROUBLE = /non monotonically increasing dts to muxer/;
/** Each stands for a picture or a packet that was damaged or missing. */
const DAMAGE =
  /concealing \d+ DC|corrupt decoded frame|[Ee]rror (?:while decoding stream|submitting packet)|Could not find ref with POC|RTP: missed \d+ packets/;
const REPETITION = /Last message repeated (\d+) times/;
const TERMINATION_GRACE_MS = 800;

/**
 * One ffmpeg process for one attempt at one input.
 *
 * Standard output is always drained: to hold up ffmpeg would let old pictures pile up in the camera's
 * connection. Whoever cannot keep up drops pictures instead.
 */
export class Decoder implements PictureSource {
  /** Settles when the process is gone: with the reason, or undefined at the end of a file and after `close()`. */
  readonly ended: Promise<CctvError | undefined>;
  readonly #process: FfmpegProcess;
  readonly #input: FfmpegInput;
  readonly #mask: Mask;
  readonly #assembler: PictureAssembler;
  readonly #onPicture: (picture: CapturedPicture) => void;
  readonly #now: () => number;
  readonly #lines: string[] = [];
  #partialLine = "";
  #pictures = 0;
  #stream: StreamLine | undefined;
  #damaged = 0;
  #lastLineWasDamage = false;
  #start: number | undefined;
  #failure: CctvError | undefined;
  #closing = false;

  /** @throws CctvError SETTING_INVALID where the analysis makes no sense. */
  constructor({ ffmpeg, input, analysis, onPicture, now = Date.now }: DecoderOptions) {
    const { args, script } = ffmpegCommand(ffmpeg.version, input, analysis);
    this.#input = input;
    this.#mask = createMask(input.credentials, input.secretQueries);
    this.#onPicture = onPicture;
    this.#now = now;
    this.#assembler = new PictureAssembler({
      longSide: analysis.longSide,
      onPicture: (picture) => this.#capture(picture),
    });
    this.#process = spawn(ffmpeg.path, args, {
      stdio: ["pipe", "pipe", "pipe"],
      env: decoderEnvironment(),
      windowsHide: true,
    });
    killWithUs(this.#process);
    this.ended = this.#watch();
    // A process that is gone before it has read its script says why on standard error.
    this.#process.stdin.on("error", () => {});
    this.#process.stdin.end(script);
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** The last errors and warnings of ffmpeg, masked. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  facts(): SourceFacts {
    return { damaged: this.#damaged, ...this.#stream };
  }

  /** Ends the process and waits until it is gone. ffmpeg says goodbye to the camera if it can do so at once. */
  async close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true;
      this.#terminate();
    }
    await this.ended;
  }

  #watch(): Promise<CctvError | undefined> {
    const child = this.#process;
    child.stdout.on("data", (bytes: Buffer) => this.#guard(() => this.#assembler.readBytes(bytes)));
    child.stderr.setEncoding("utf8");
    child.stderr.on("data", (text: string) => this.#guard(() => this.#readText(text)));
    return new Promise((resolve) => {
      child.on("error", (cause) => {
        if (child.pid !== undefined) return;
        const message = `${child.spawnfile} could not be started; check that it is there and may be run`;
        resolve(new CctvError("FFMPEG_MISSING", message, { cause }));
      });
      child.once("close", (exitCode, signal) => resolve(this.#explain(exitCode, signal)));
    });
  }

  #explain(exitCode: number | null, signal: NodeJS.Signals | null): CctvError | undefined {
    if (this.#failure) return this.#failure;
    if (this.#closing) return undefined;
    return explainExit({ exitCode, signal, lines: this.#lines, pictures: this.#pictures }, this.#input);
  }

  /** A decoder that we no longer understand is of no use: it ends, and its owner starts another. */
  #guard(step: () => void): void {
    if (this.#closing || this.#failure) return;
    try {
      step();
    } catch (error) {
      this.#failure = asCctvError(error, "DECODER_FAILED");
      this.#terminate();
    }
  }

  #terminate(): void {
    this.#process.kill("SIGTERM");
    const kill = setTimeout(() => this.#process.kill("SIGKILL"), TERMINATION_GRACE_MS);
    this.#process.once("exit", () => clearTimeout(kill));
  }

  #capture({ data, width, height, time }: Picture): void {
    this.#pictures++;
    this.#onPicture({ data, width, height, timestamp: this.#timestamp(time) });
  }

  #timestamp(time: number | undefined): number {
    const now = this.#now();
    if (time === undefined) return now;
    this.#start ??= takesArrivalTimes(this.#input) ? 0 : now - time;
    const due = this.#start + time;
    return this.#input.live ? Math.min(due, now) : due;
  }

  #readText(text: string): void {
    const lines = (this.#partialLine + text).split("\n");
    this.#partialLine = lines.pop() ?? "";
    // A line is masked whole or not kept at all: half a password would not be recognised.
    if (this.#partialLine.length > LONGEST_LINE) this.#partialLine = "";
    for (const line of lines) {
      if (!this.#assembler.readLine(line)) this.#keepLine(line);
    }
  }

  #keepLine(line: string): void {
    this.#stream ??= readStreamLine(line);
    this.#countDamage(line);
    if (!TROUBLE.test(line) || NO_TROUBLE.test(line)) return;
    this.#lines.push(this.#mask(line.trim()));
    if (this.#lines.length > KEPT_LINES) this.#lines.shift();
  }

  #countDamage(line: string): void {
    const repeated = Number(REPETITION.exec(line)?.[1] ?? 0);
    if (repeated > 0) {
      if (this.#lastLineWasDamage) this.#damaged += repeated;
      return;
    }
    this.#lastLineWasDamage = DAMAGE.test(line);
    if (this.#lastLineWasDamage) this.#damaged++;
  }
}

/** FFREPORT would write addresses with their passwords to a file; colours would be in the way of reading. */
function decoderEnvironment(): NodeJS.ProcessEnv {
  const { FFREPORT: _, ...environment } = process.env;
  return { ...environment, AV_LOG_FORCE_NOCOLOR: "1" };
}

import type { Duplex } from "node:stream";
import { asCctvError, type CctvError } from "../../errors.ts";
import { silence } from "../http/http-failure.ts";
import { explainRtspConnection, hungUp } from "./rtsp-failure.ts";
import { first, type HeaderFields } from "./rtsp-headers.ts";
import {
  type InterleavedFrame,
  RtspReader,
  type RtspRequest,
  type RtspResponse,
  writeFrame,
  writeRequest,
  writeResponse,
} from "./rtsp-message.ts";

export interface RtspConnectionOptions {
  /** Owned from now on. */
  readonly pipe: Duplex;
  /** The camera's address for people. */
  readonly where: string;
  /** For each answer in full, milliseconds. */
  readonly timeoutMs: number;
  readonly onFrame: (frame: InterleavedFrame) => void;
  /** Called once when the camera hangs up or can no longer be understood; not after `destroy`. */
  readonly onLost: (reason: CctvError) => void;
}

interface Waiting {
  readonly resolve: (response: RtspResponse) => void;
  readonly reject: (reason: CctvError) => void;
  readonly timer: NodeJS.Timeout;
}

export const ANSWER_TIMEOUT_MS = 8_000;
/** After so long without a byte an answer of unknown length is over. */
const SILENCE_MS = 300;
/** What waits to be sent to a camera that does not read; receiver reports are left out then. */
const MOST_UNSENT_BYTES = 64 * 1024;
/** What a camera may ask its viewer. */
const KNOWN_METHODS = new Set(["OPTIONS", "GET_PARAMETER", "SET_PARAMETER"]);

/** Requests and answers, and the packets between them, on one connection to a camera. */
export class RtspConnection {
  readonly #options: RtspConnectionOptions;
  readonly #reader: RtspReader;
  readonly #waiting = new Map<string, Waiting>();
  #sequence = 0;
  #silence: NodeJS.Timeout | undefined;
  #reason: CctvError | undefined;

  constructor(options: RtspConnectionOptions) {
    this.#options = options;
    const { pipe, where } = options;
    this.#reader = new RtspReader({ where });
    pipe.on("data", (bytes: Buffer) => this.#read(bytes));
    pipe.once("end", () => this.#end());
    pipe.on("error", (error) => this.#lose(explainRtspConnection(error, where)));
    pipe.once("close", () => this.#end());
  }

  get isOver(): boolean {
    return this.#reason !== undefined;
  }

  /**
   * Sends a request and waits for its answer, whatever its status.
   * @throws CctvError CAMERA_STALLED, CAMERA_REFUSED; after `destroy` the reason given to it.
   */
  request(method: string, uri: string, headers: HeaderFields): Promise<RtspResponse> {
    const { pipe, timeoutMs, where } = this.#options;
    return new Promise((resolve, reject) => {
      if (this.#reason) {
        reject(this.#reason);
        return;
      }
      const sequence = String(++this.#sequence);
      const timer = setTimeout(() => {
        this.#waiting.delete(sequence);
        reject(silence(where, timeoutMs));
      }, timeoutMs);
      this.#waiting.set(sequence, { resolve, reject, timer });
      pipe.write(writeRequest(method, uri, { CSeq: sequence, ...headers }));
    });
  }

  sendFrame(channel: number, data: Uint8Array): void {
    const { pipe } = this.#options;
    if (!this.#reason && pipe.writableLength < MOST_UNSENT_BYTES) pipe.write(writeFrame(channel, data));
  }

  /** Reads no more, so that the camera is held up, until `resume`. */
  pause(): void {
    this.#options.pipe.pause();
  }

  resume(): void {
    if (!this.#reason) this.#options.pipe.resume();
  }

  /** From now on rubbish between packets is skipped. */
  resynchronise(): void {
    this.#reader.resynchronise();
  }

  destroy(reason: CctvError): void {
    this.#finish(reason);
  }

  #read(bytes: Buffer): void {
    if (this.#reason) return;
    this.#reader.append(bytes);
    this.#take();
  }

  #take(): void {
    clearTimeout(this.#silence);
    try {
      for (let item = this.#reader.next(); item && !this.#reason; item = this.#reader.next()) {
        if (item.kind === "frame") this.#options.onFrame(item);
        else if (item.kind === "response") this.#answered(item);
        else this.#asked(item);
      }
    } catch (error) {
      this.#lose(asCctvError(error, "STREAM_LOST"));
      return;
    }
    if (this.#reader.awaitsSilence && !this.#reason) this.#silence = setTimeout(() => this.#endBody(), SILENCE_MS);
  }

  #endBody(): void {
    this.#reader.endBody();
    this.#take();
  }

  /** An answer without a number is that to the oldest question. */
  #answered(response: RtspResponse): void {
    const sequence = first(response.headers, "cseq") ?? this.#waiting.keys().next().value ?? "";
    const waiting = this.#waiting.get(sequence);
    if (!waiting) return;
    clearTimeout(waiting.timer);
    this.#waiting.delete(sequence);
    waiting.resolve(response);
  }

  #asked({ method, headers }: RtspRequest): void {
    const known = KNOWN_METHODS.has(method);
    const { pipe } = this.#options;
    if (pipe.writableLength > MOST_UNSENT_BYTES) return;
    const answered = { CSeq: first(headers, "cseq"), Session: first(headers, "session") };
    pipe.write(writeResponse(known ? 200 : 501, known ? "OK" : "Not Implemented", answered));
  }

  #end(): void {
    if (this.#reason) return;
    if (this.#reader.awaitsSilence) this.#endBody();
    this.#lose(hungUp(this.#options.where));
  }

  #lose(reason: CctvError): void {
    if (this.#reason) return;
    this.#finish(reason);
    this.#options.onLost(reason);
  }

  #finish(reason: CctvError): void {
    if (this.#reason) return;
    this.#reason = reason;
    clearTimeout(this.#silence);
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(reason);
    }
    this.#waiting.clear();
    this.#options.pipe.destroy();
  }
}

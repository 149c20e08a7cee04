import { ByteQueue } from "../http/byte-queue.ts";
import { tooMuch } from "../http/http-failure.ts";
import { isWebServer, notRtsp } from "./rtsp-failure.ts";
import { first, type HeaderFields, parseHeaders, type RtspHeaders, writeHeaders } from "./rtsp-headers.ts";

export interface RtspResponse {
  readonly kind: "response";
  readonly status: number;
  readonly reason: string;
  readonly headers: RtspHeaders;
  readonly body: Buffer;
}

export interface RtspRequest {
  readonly kind: "request";
  readonly method: string;
  readonly uri: string;
  readonly headers: RtspHeaders;
  readonly body: Buffer;
}

/** Binary data between the messages (RFC 2326, 10.12). */
export interface InterleavedFrame {
  readonly kind: "frame";
  /** 0 to 255. */
  readonly channel: number;
  /** Memory of its own, at most 65,535 bytes. */
  readonly data: Buffer;
}

export type RtspItem = RtspResponse | RtspRequest | InterleavedFrame;

export interface RtspReaderOptions {
  /** Who sends, for people. */
  readonly where: string;
  /** What the status lines of answers begin with; HTTP opens a tunnel. */
  readonly protocol?: "RTSP" | "HTTP";
}

type Head = Omit<RtspResponse, "body"> | Omit<RtspRequest, "body">;

const DOLLAR = 0x24;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const FRAME_HEAD_BYTES = 4;
const LONGEST_START_LINE = 4096;
const MOST_HEAD_BYTES = 32 * 1024;
const MOST_BODY_BYTES = 256 * 1024;
/** More than this of rubbish between two packets is no accident. */
const MOST_SKIPPED_BYTES = 256 * 1024;

const RESPONSE = /^(RTSP|HTTP)\/\d\.\d +(\d{3})(?: +(.*))?$/i;
const REQUEST = /^([A-Z_]{3,20}) +(\S+) +RTSP\/\d\.\d$/;
/** An unfinished line that may yet become one of those. */
const BEGINS_MESSAGE = /^[A-Z_]{1,20}(?:[ /].*)?$/is;
const CONTENT_LENGTH = /^\d{1,12}$/;

/** Cuts a stream of RTSP (RFC 2326) into messages and interleaved frames, however it is split into packets. */
export class RtspReader {
  readonly #where: string;
  readonly #protocol: "RTSP" | "HTTP";
  readonly #queue = new ByteQueue();
  #body: { readonly head: Head; readonly length: number | undefined } | undefined;
  #bodyIsOver = false;
  #searched = 0;
  #skipped = 0;
  #resynchronises = false;

  constructor({ where, protocol = "RTSP" }: RtspReaderOptions) {
    this.#where = where;
    this.#protocol = protocol;
  }

  append(bytes: Uint8Array): void {
    this.#queue.append(bytes);
  }

  /** From now on rubbish is skipped up to the next packet; some cameras send it between packets. */
  resynchronise(): void {
    this.#resynchronises = true;
  }

  /** Whether an answer is read that does not say how long it is: silence ends it, see `endBody`. */
  get awaitsSilence(): boolean {
    return this.#body !== undefined && this.#body.length === undefined;
  }

  /** What has come up to now is the whole body. */
  endBody(): void {
    this.#bodyIsOver = true;
  }

  /** What was not read, for somebody else to go on with. */
  takeRest(): Buffer {
    return this.#queue.take(this.#queue.length);
  }

  /**
   * The next message or frame that has come in full.
   * @throws CctvError CAMERA_REFUSED where this is no RTSP, or too much of it.
   */
  next(): RtspItem | undefined {
    for (;;) {
      if (this.#body) return this.#readBody(this.#body.head, this.#body.length);
      this.#skipLineBreaks();
      const [first] = this.#queue.bytes;
      if (first === undefined) return undefined;
      if (first === DOLLAR) return this.#readFrame();
      const progress = this.#readHead();
      if (progress === "more") return undefined;
    }
  }

  #readFrame(): InterleavedFrame | undefined {
    const { bytes } = this.#queue;
    if (bytes.length < FRAME_HEAD_BYTES) return undefined;
    const channel = bytes.readUInt8(1);
    const length = bytes.readUInt16BE(2);
    if (bytes.length < FRAME_HEAD_BYTES + length) return undefined;
    this.#queue.drop(FRAME_HEAD_BYTES);
    this.#skipped = 0;
    return { kind: "frame", channel, data: this.#queue.take(length) };
  }

  #readHead(): "on" | "more" {
    const { bytes } = this.#queue;
    if (!this.#beginsMessage(bytes)) return this.#skipRubbish();
    const length = this.#headLength(bytes);
    if (length === undefined) {
      if (bytes.length > MOST_HEAD_BYTES) throw tooMuch(this.#where, MOST_HEAD_BYTES);
      return "more";
    }
    const head = parseHead(bytes.toString("latin1", 0, length));
    this.#queue.drop(length);
    this.#searched = 0;
    this.#skipped = 0;
    this.#body = { head, length: this.#bodyLength(head) };
    return "on";
  }

  #beginsMessage(bytes: Buffer): boolean {
    const lineEnd = bytes.subarray(0, LONGEST_START_LINE).indexOf(LINE_FEED);
    if (lineEnd < 0) return BEGINS_MESSAGE.test(bytes.toString("latin1", 0, LONGEST_START_LINE));
    const line = trimEnd(bytes.toString("latin1", 0, lineEnd));
    const protocol = RESPONSE.exec(line)?.[1]?.toUpperCase();
    if (protocol === "HTTP" && this.#protocol !== "HTTP") throw isWebServer(this.#where);
    return protocol === this.#protocol || REQUEST.test(line);
  }

  /** Up to and with the empty line. */
  #headLength(bytes: Buffer): number | undefined {
    for (let at = bytes.indexOf(LINE_FEED, this.#searched); at >= 0; at = bytes.indexOf(LINE_FEED, at + 1)) {
      const next = bytes[at + 1];
      if (next === LINE_FEED) return at + 2;
      if (next === CARRIAGE_RETURN && bytes[at + 2] === LINE_FEED) return at + 3;
      if (next === undefined || (next === CARRIAGE_RETURN && bytes[at + 2] === undefined)) {
        this.#searched = at;
        return undefined;
      }
      if (at > MOST_HEAD_BYTES) throw tooMuch(this.#where, MOST_HEAD_BYTES);
    }
    this.#searched = bytes.length;
    return undefined;
  }

  /** Undefined where only silence tells. */
  #bodyLength(head: Head): number | undefined {
    const type = first(head.headers, "content-type") ?? "";
    if (/^application\/x-rtsp-tunnelled/i.test(type)) return 0;
    const text = first(head.headers, "content-length") ?? "";
    if (!CONTENT_LENGTH.test(text)) return /^application\/sdp/i.test(type) ? undefined : 0;
    const length = Number(text);
    if (length > MOST_BODY_BYTES) throw tooMuch(this.#where, MOST_BODY_BYTES);
    return length;
  }

  #readBody(head: Head, length: number | undefined): RtspResponse | RtspRequest | undefined {
    const there = this.#queue.length;
    if (length === undefined && there > MOST_BODY_BYTES) throw tooMuch(this.#where, MOST_BODY_BYTES);
    if (length === undefined ? !this.#bodyIsOver : there < length) return undefined;
    this.#body = undefined;
    this.#bodyIsOver = false;
    return { ...head, body: this.#queue.take(length ?? there) };
  }

  #skipLineBreaks(): void {
    const { bytes } = this.#queue;
    let count = 0;
    while (bytes[count] === LINE_FEED || bytes[count] === CARRIAGE_RETURN) count++;
    if (count > 0) this.#skip(count);
  }

  /** To the next byte that may begin a frame or an answer. */
  #skipRubbish(): "on" | "more" {
    if (!this.#resynchronises) throw notRtsp(this.#where);
    const { bytes } = this.#queue;
    const starts = [findPacket(bytes, 1), bytes.indexOf("RTSP/", 1, "latin1")].filter((at) => at > 0);
    this.#skip(starts.length > 0 ? Math.min(...starts) : bytes.length);
    return "on";
  }

  #skip(count: number): void {
    this.#skipped += count;
    if (this.#skipped > MOST_SKIPPED_BYTES) throw notRtsp(this.#where);
    this.#queue.drop(count);
    this.#searched = 0;
  }
}

/** @param headers texts of one byte a character; those without a value are left out */
export function writeRequest(method: string, uri: string, headers: HeaderFields, protocol = "RTSP/1.0"): Buffer {
  return Buffer.from(`${method} ${uri} ${protocol}\r\n${writeHeaders(headers)}\r\n`, "latin1");
}

export function writeResponse(status: number, reason: string, headers: HeaderFields, body = ""): Buffer {
  const length = body === "" ? undefined : String(Buffer.byteLength(body, "latin1"));
  const head = writeHeaders({ ...headers, "Content-Length": length });
  return Buffer.from(`RTSP/1.0 ${status} ${reason}\r\n${head}\r\n${body}`, "latin1");
}

/** @param data at most 65,535 bytes */
export function writeFrame(channel: number, data: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEAD_BYTES + data.length);
  frame.writeUInt8(DOLLAR, 0);
  frame.writeUInt8(channel, 1);
  frame.writeUInt16BE(data.length, 2);
  frame.set(data, FRAME_HEAD_BYTES);
  return frame;
}

/** Where a frame may begin that holds a packet of RTP or RTCP, version 2; -1 where none does. */
function findPacket(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(DOLLAR, from); at >= 0; at = bytes.indexOf(DOLLAR, at + 1)) {
    const payload = bytes[at + FRAME_HEAD_BYTES];
    if (payload === undefined || payload >> 6 === 2) return at;
  }
  return -1;
}

function parseHead(text: string): Head {
  const [start = "", ...lines] = text.split("\n").map(trimEnd);
  const headers = parseHeaders(lines);
  const [, , status, reason = ""] = RESPONSE.exec(start) ?? [];
  if (status !== undefined) return { kind: "response", status: Number(status), reason, headers };
  const [, method = "", uri = ""] = REQUEST.exec(start) ?? [];
  return { kind: "request", method, uri, headers };
}

function trimEnd(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}

import { CctvError } from "../../errors.ts";
import { ByteQueue } from "./byte-queue.ts";
import { type JpegScan, JpegScanner, START_OF_JPEG, startsAsJpeg } from "./jpeg-scanner.ts";

export interface Part {
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** In memory of its own. */
  readonly body: Buffer;
}

export interface MultipartOptions {
  /** What Content-Type says; cameras often send another one. */
  readonly boundary?: string | undefined;
  /** A larger part ends the reading, bytes; 8 MB by default. */
  readonly maxPartBytes?: number;
}

/** A part whose body is under way. */
interface OpenBody {
  readonly headers: Readonly<Record<string, string>>;
  readonly jpeg: JpegScanner | undefined;
}

const MOST_PART_BYTES = 8 * 1024 * 1024;
const LONGEST_LINE = 8 * 1024;
const MOST_HEADERS = 64;
/** RFC 2046 allows 70 characters. */
const LONGEST_BOUNDARY = 200;

const BOUNDARY_PARAMETER = /;\s*boundary\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^;]*))/i;
const HEADER = /^([\w!#$%&'*+.^`|~-]+)[ \t]*:[ \t]*(.*)$/;
const STATUS_LINE = /^HTTP\/\d/i;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** The boundary that a Content-Type names. */
export function boundaryOf(contentType: string): string | undefined {
  const [, quoted, plain] = BOUNDARY_PARAMETER.exec(contentType) ?? [];
  return (quoted?.replace(/\\(.)/g, "$1") ?? plain)?.trim() || undefined;
}

/** @throws CctvError STREAM_LOST when a part is too large, and whatever the stream throws. */
export async function* readParts(
  stream: AsyncIterable<Uint8Array>,
  options: MultipartOptions = {},
): AsyncGenerator<Part, void> {
  const reader = new MultipartReader(options);
  for await (const bytes of stream) yield* reader.push(bytes);
  yield* reader.end();
}

/**
 * Cuts a multipart stream (RFC 2046, 5.1) into its parts, as cameras send it: with another boundary
 * than announced or without its dashes, with a Content-Length that is missing or wrong, with line
 * feeds alone, with rubbish and stray `HTTP/1.1 200 OK` blocks between the parts.
 *
 * A JPEG ends where its own segments say, whatever the headers claim; one without an end ends by its
 * Content-Length where a boundary follows. Any other body ends by its Content-Length, or at the next
 * boundary if that comes first.
 */
export class MultipartReader {
  readonly #queue = new ByteQueue();
  readonly #declared: readonly string[];
  readonly #maxPartBytes: number;
  /** The boundary line that was last seen. */
  #seen: string | undefined;
  #head = new Head();
  #headEnded = false;
  #body: OpenBody | undefined;
  /** How far the queue has been searched for what is awaited now. */
  #searched = 0;

  constructor({ boundary, maxPartBytes = MOST_PART_BYTES }: MultipartOptions = {}) {
    this.#declared = boundary && boundary.length <= LONGEST_BOUNDARY ? [`--${boundary}`, boundary] : [];
    this.#maxPartBytes = maxPartBytes;
  }

  /**
   * The parts that these bytes complete.
   * @throws CctvError STREAM_LOST when a part is too large; then the reader is of no more use.
   */
  push(bytes: Uint8Array): Part[] {
    this.#queue.append(bytes);
    const parts: Part[] = [];
    while (this.#queue.length > 0) {
      const step = this.#step();
      if (step === "more") break;
      if (step !== "on") parts.push(step);
    }
    if (this.#queue.length > this.#maxPartBytes) throw tooLarge(this.#maxPartBytes);
    return parts;
  }

  /** The part that only the end of the stream completes. */
  end(): Part[] {
    const body = this.#body;
    const isWhole = body && !body.jpeg && contentLength(body.headers) === undefined && this.#queue.length > 0;
    return isWhole ? [this.#finish(body, this.#queue.length)] : [];
  }

  #step(): Part | "on" | "more" {
    if (this.#body) return this.#readBody(this.#body);
    return this.#headEnded ? this.#startBody() : this.#readHead();
  }

  /** Takes a line between bodies: a boundary, a header, the empty line after headers, or rubbish. */
  #readHead(): "on" | "more" {
    const { bytes } = this.#queue;
    const lineEnd = bytes.indexOf(LINE_FEED, this.#searched);
    const jpegAt = bytes.subarray(0, lineEnd < 0 ? bytes.length : lineEnd + 1).indexOf(START_OF_JPEG);
    if (jpegAt >= 0) {
      this.#drop(jpegAt);
      return this.#endHead();
    }
    if (lineEnd < 0) return this.#awaitLine();
    const line = bytes.toString("latin1", 0, Math.min(lineEnd, LONGEST_LINE)).trimEnd();
    this.#drop(lineEnd + 1);
    if (line === "") return this.#endHead(this.#head.isPart);
    if (this.#isBoundary(line)) this.#readBoundary(line);
    else this.#head.read(line);
    return "on";
  }

  /** A line without an end is rubbish; its last bytes may be the beginning of something. */
  #awaitLine(): "more" {
    if (this.#queue.length > LONGEST_LINE) this.#drop(this.#queue.length - START_OF_JPEG.length);
    this.#searched = this.#queue.length;
    return "more";
  }

  #isBoundary(line: string): boolean {
    return line.startsWith("--") || this.#declared.some((boundary) => line === boundary || line === `${boundary}--`);
  }

  #readBoundary(line: string): void {
    this.#head = new Head();
    this.#head.isPart = true;
    if (line.length <= LONGEST_BOUNDARY) this.#seen = line.length > 4 ? line.replace(/--$/, "") : line;
  }

  #endHead(isPart = true): "on" {
    if (isPart) this.#headEnded = true;
    else this.#head = new Head();
    return "on";
  }

  #startBody(): "on" | "more" {
    // Some cameras send one empty line too many.
    while (isLineBreak(this.#queue.bytes[0])) this.#drop(1);
    const { headers } = this.#head;
    if (this.#queue.length < Math.min(2, contentLength(headers) ?? 2)) return "more";
    const jpeg = startsAsJpeg(this.#queue.bytes) ? new JpegScanner() : undefined;
    this.#body = { headers, jpeg };
    this.#head = new Head();
    this.#headEnded = false;
    return "on";
  }

  #readBody(body: OpenBody): Part | "on" | "more" {
    if (!body.jpeg) return this.#readOther(body, contentLength(body.headers));
    const scan = body.jpeg.scan(this.#queue.bytes);
    if (scan.kind === "more") return this.#readUnended(body);
    if (scan.kind === "end") return this.#finish(body, scan.length);
    return this.#readDamaged(body, scan);
  }

  /** A picture without an end would keep back what follows it, were its length not confirmed by what comes then. */
  #readUnended(body: OpenBody): Part | "more" {
    const length = contentLength(body.headers);
    if (!length || this.#queue.length < length + 2) return "more";
    const rest = this.#queue.bytes.subarray(length, length + LONGEST_BOUNDARY + 4);
    const isConfirmed = rest.toString("latin1") === "\r\n" || this.#findDelimiter(rest, 0)?.bodyEnd === 0;
    return isConfirmed ? this.#finish(body, length) : "more";
  }

  /** Some cameras leave out the end of their pictures; others lose bytes, and the next picture follows. */
  #readDamaged(body: OpenBody, { at }: Extract<JpegScan, { kind: "broken" }>): Part | "on" {
    const { bytes } = this.#queue;
    const delimiter = this.#findDelimiter(bytes.subarray(0, at), 0);
    const length = contentLength(body.headers);
    if (length && length <= at && (!delimiter || length <= delimiter.bodyEnd)) return this.#finish(body, length);
    if (delimiter && delimiter.bodyEnd > 0) return this.#finish(body, delimiter.bodyEnd);
    this.#drop(Math.max(at, START_OF_JPEG.length));
    this.#body = undefined;
    return "on";
  }

  #readOther(body: OpenBody, length: number | undefined): Part | "more" {
    const { bytes } = this.#queue;
    const within = length === undefined ? bytes : bytes.subarray(0, length);
    const delimiter = this.#findDelimiter(within, this.#searched);
    if (delimiter) return this.#finish(body, delimiter.bodyEnd);
    if (length !== undefined && bytes.length >= length) return this.#finish(body, length);
    this.#searched = Math.max(0, bytes.length - LONGEST_BOUNDARY - 4);
    return "more";
  }

  #finish({ headers }: OpenBody, length: number): Part {
    if (length > this.#maxPartBytes) throw tooLarge(this.#maxPartBytes);
    const body = this.#queue.take(length);
    this.#searched = 0;
    this.#body = undefined;
    return { headers, body };
  }

  /** Where the body ends because a line with a boundary follows. */
  #findDelimiter(bytes: Buffer, from: number): { bodyEnd: number } | undefined {
    const known = this.#seen === undefined ? this.#declared : [this.#seen, ...this.#declared];
    let first: number | undefined;
    for (const delimiter of known.length > 0 ? known : ["--"]) {
      const at = findLine(bytes, delimiter, from);
      if (at !== undefined && (first === undefined || at < first)) first = at;
    }
    if (first === undefined) return undefined;
    const beforeLineFeed = Math.max(0, first - 1);
    return { bodyEnd: bytes[beforeLineFeed - 1] === CARRIAGE_RETURN ? beforeLineFeed - 1 : beforeLineFeed };
  }

  #drop(count: number): void {
    this.#queue.drop(count);
    this.#searched = 0;
  }
}

/** The lines before a body. */
class Head {
  readonly headers: Record<string, string> = Object.create(null);
  /** Whether a body follows at the next empty line. */
  isPart = false;
  #afterStatusLine = false;
  #count = 0;

  read(line: string): void {
    if (STATUS_LINE.test(line)) {
      this.#afterStatusLine = true;
      this.isPart = false;
      return;
    }
    const [, name = "", value = ""] = HEADER.exec(line) ?? [];
    if (name === "" || this.#count >= MOST_HEADERS) return;
    this.#count++;
    this.headers[name.toLowerCase()] = value;
    this.isPart = !this.#afterStatusLine || this.#describesBody();
  }

  /** A stray answer inside the stream has headers too, but no body of its own. */
  #describesBody(): boolean {
    const type = this.headers["content-type"];
    if (type !== undefined) return !/^multipart\//i.test(type);
    return contentLength(this.headers) !== undefined;
  }
}

function contentLength(headers: Readonly<Record<string, string>>): number | undefined {
  const text = headers["content-length"];
  return text !== undefined && /^\d{1,12}$/.test(text) ? Number(text) : undefined;
}

/** Where a line begins with this text: at the start of the bytes or after a line feed. */
function findLine(bytes: Buffer, text: string, from: number): number | undefined {
  if (from === 0 && bytes.toString("latin1", 0, text.length) === text) return 0;
  const at = bytes.indexOf(`\n${text}`, from, "latin1");
  return at < 0 ? undefined : at + 1;
}

function isLineBreak(byte: number | undefined): boolean {
  return byte === LINE_FEED || byte === CARRIAGE_RETURN;
}

function tooLarge(limit: number): CctvError {
  return new CctvError(
    "STREAM_LOST",
    `the camera sends a part of more than ${Math.floor(limit / 1024)} KB; choose a smaller picture in its settings`,
  );
}

import { CctvError } from "../../../../errors.ts";
import { ByteQueue } from "../../../http/byte-queue.ts";

/** A message of RTMP (Adobe's RTMP Specification 1.0, 6). */
export interface RtmpMessage {
  readonly type: number;
  /** Milliseconds, modulo 2^32. */
  readonly timestamp: number;
  /** 0 for the connection itself. */
  readonly stream: number;
  /** Memory of its own. */
  readonly body: Buffer;
}

interface ChunkStream {
  type: number;
  timestamp: number;
  delta: number;
  stream: number;
  length: number;
  isExtended: boolean;
  body: Buffer | undefined;
  filled: number;
}

const FIRST_CHUNK_SIZE = 128;
const LARGEST_CHUNK_SIZE = 0xff_ffff;
const MOST_CHUNK_STREAMS = 16;
const EXTENDED = 0xff_ffff;
/** Bytes of the message header, by the format of the chunk. */
const HEADER_LENGTHS = [11, 7, 3, 0] as const;
const SET_CHUNK_SIZE = 1;
const ABORT = 2;

/** Puts messages together from their chunks (5.3), in bounded memory. */
export class ChunkReader {
  readonly #queue = new ByteQueue();
  readonly #streams = new Map<number, ChunkStream>();
  #chunkSize = FIRST_CHUNK_SIZE;
  /** A longer message is an error, bytes. */
  longestMessage: number;

  constructor(longestMessage: number) {
    this.longestMessage = longestMessage;
  }

  /**
   * The messages that these bytes complete.
   * @throws CctvError STREAM_LOST for what is no RTMP; then the reader is of no more use.
   */
  push(bytes: Uint8Array): RtmpMessage[] {
    this.#queue.append(bytes);
    const messages: RtmpMessage[] = [];
    for (let step = this.#step(); step !== "more"; step = this.#step()) {
      if (step !== "on" && !this.#control(step)) messages.push(step);
    }
    return messages;
  }

  #step(): RtmpMessage | "on" | "more" {
    const { bytes } = this.#queue;
    const basic = basicHeader(bytes);
    if (!basic) return "more";
    const stream = this.#streamOf(basic.id, basic.format);
    const headerEnd = basic.length + HEADER_LENGTHS[basic.format];
    if (bytes.length < headerEnd) return "more";
    const header = bytes.subarray(basic.length, headerEnd);
    const short = basic.format < 3 ? header.readUIntBE(0, 3) : stream.delta;
    const isExtended = basic.format < 3 ? short === EXTENDED : stream.isExtended;
    const bodyAt = headerEnd + (isExtended ? 4 : 0);
    const length = basic.format < 2 ? header.readUIntBE(3, 3) : stream.length;
    if (length > this.longestMessage) throw noRtmp();
    const size = Math.min(this.#chunkSize, length - stream.filled);
    if (size < 0 || (basic.format < 3 && stream.filled > 0)) throw noRtmp();
    if (bytes.length < bodyAt + size) return "more";

    if (stream.filled === 0) {
      const time = isExtended ? bytes.readUInt32BE(headerEnd) : short;
      begin(stream, { format: basic.format, header, time, isExtended, length });
    }
    stream.body ??= Buffer.allocUnsafeSlow(length);
    stream.body.set(bytes.subarray(bodyAt, bodyAt + size), stream.filled);
    stream.filled += size;
    this.#queue.drop(bodyAt + size);
    return stream.filled === length ? finish(stream) : "on";
  }

  #streamOf(id: number, format: number): ChunkStream {
    const known = this.#streams.get(id);
    if (known) return known;
    if (format > 1 || this.#streams.size >= MOST_CHUNK_STREAMS) throw noRtmp();
    const stream = {
      ...{ type: 0, timestamp: 0, delta: 0, stream: 0, length: 0 },
      ...{ isExtended: false, body: undefined, filled: 0 },
    };
    this.#streams.set(id, stream);
    return stream;
  }

  /** Messages about chunks themselves (5.4). */
  #control({ type, body }: RtmpMessage): boolean {
    if (type !== SET_CHUNK_SIZE && type !== ABORT) return false;
    if (body.length < 4) throw noRtmp();
    const value = body.readUInt32BE();
    if (type === SET_CHUNK_SIZE) {
      if (value < 1 || value > LARGEST_CHUNK_SIZE) throw noRtmp();
      this.#chunkSize = value;
      return true;
    }
    const stream = this.#streams.get(value);
    if (stream) Object.assign(stream, { body: undefined, filled: 0 });
    return true;
  }
}

/** One message in chunks of the size that holds until another one is agreed on. */
export function writeMessage(type: number, stream: number, body: Buffer): Buffer {
  const header = Buffer.alloc(12);
  // Chunk stream 3, as all use it for commands; 2 for what concerns the connection's own working.
  header[0] = type < 7 ? 2 : 3;
  header.writeUIntBE(body.length, 4, 3);
  header[7] = type;
  header.writeUInt32LE(stream, 8);
  const pieces = [header, body.subarray(0, FIRST_CHUNK_SIZE)];
  for (let at = FIRST_CHUNK_SIZE; at < body.length; at += FIRST_CHUNK_SIZE) {
    pieces.push(Buffer.from([0xc0 | (header[0] ?? 3)]), body.subarray(at, at + FIRST_CHUNK_SIZE));
  }
  return Buffer.concat(pieces);
}

interface Begun {
  readonly format: number;
  readonly header: Buffer;
  readonly time: number;
  readonly isExtended: boolean;
  readonly length: number;
}

function begin(stream: ChunkStream, { format, header, time, isExtended, length }: Begun): void {
  stream.length = length;
  stream.isExtended = isExtended;
  if (format < 2) stream.type = header[6] ?? 0;
  if (format === 0) {
    stream.stream = header.readUInt32LE(7);
    stream.timestamp = time;
    // A message that follows with no header of its own comes so much later (5.3.1.2.4).
    stream.delta = time;
    return;
  }
  stream.delta = time;
  stream.timestamp = (stream.timestamp + time) >>> 0;
}

function finish(stream: ChunkStream): RtmpMessage {
  const { type, timestamp, stream: id, body = Buffer.alloc(0) } = stream;
  stream.body = undefined;
  stream.filled = 0;
  return { type, timestamp, stream: id, body };
}

/** The format and the id of a chunk (5.3.1.1). */
function basicHeader(bytes: Buffer): { format: 0 | 1 | 2 | 3; id: number; length: number } | undefined {
  const [first, second, third] = bytes;
  if (first === undefined) return undefined;
  const format = (first >> 6) as 0 | 1 | 2 | 3;
  const id = first & 0x3f;
  if (id > 1) return { format, id, length: 1 };
  if (second === undefined || (id === 1 && third === undefined)) return undefined;
  return id === 0
    ? { format, id: second + 64, length: 2 }
    : { format, id: (third ?? 0) * 256 + second + 64, length: 3 };
}

function noRtmp(): CctvError {
  return new CctvError(
    "STREAM_LOST",
    "what pushes here does not speak RTMP properly; check the camera's push settings",
  );
}

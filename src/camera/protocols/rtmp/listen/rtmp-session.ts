import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { Socket } from "node:net";
import { ByteQueue } from "../../../http/byte-queue.ts";
import { type AmfValue, readAmf, writeAmf } from "./amf0.ts";
import { ChunkReader, type RtmpMessage, writeMessage } from "./chunks.ts";

/** What a camera has to push to. */
export interface PushTarget {
  readonly application: string;
  /** The name of the stream with its query: whoever knows it may push. */
  readonly key: string;
}

export interface VideoMessage {
  /** Milliseconds, modulo 2^32. */
  readonly timestamp: number;
  /** As FLV has it, from the byte with frame type and codec on. */
  readonly body: Buffer;
}

const VERSION = 3;
const HANDSHAKE_BYTES = 1536;
const HANDSHAKE_MS = 10_000;
const LONGEST_COMMAND = 64 * 1024;
const LONGEST_PICTURE = 8 * 1024 * 1024;
const WINDOW = 2_500_000;
const STREAM = 1;

const ACKNOWLEDGEMENT = 3;
const USER_CONTROL = 4;
const WINDOW_SIZE = 5;
const PEER_BANDWIDTH = 6;
const VIDEO = 9;
const COMMAND_AMF3 = 17;
const COMMAND = 20;
const PING = 6;
const PONG = 7;

/** One camera that pushes: Adobe's RTMP Specification 1.0 as far as a server needs it that is only published to. */
export class RtmpSession {
  readonly #socket: Socket;
  readonly #target: PushTarget;
  readonly #queue = new ByteQueue();
  readonly #chunks = new ChunkReader(LONGEST_COMMAND);
  readonly #timer: NodeJS.Timeout;
  #handshake: "hello" | "echo" | "done" = "hello";
  #connected = false;
  #received = 0;
  #acknowledged = 0;
  #onPublish: (() => void) | undefined;
  /** What came together with the wish to publish. */
  readonly #early: VideoMessage[] = [];
  #onVideo: ((message: VideoMessage) => void) | undefined;

  /** @param onPublish called once, when the camera has named application and key rightly; it sends nothing before `play` */
  constructor(socket: Socket, target: PushTarget, onPublish: () => void) {
    this.#socket = socket;
    this.#target = target;
    this.#onPublish = onPublish;
    this.#timer = setTimeout(() => socket.destroy(), HANDSHAKE_MS);
    socket.setNoDelay(true);
    socket.on("data", (bytes) => this.#read(bytes));
    socket.on("error", () => socket.destroy());
    socket.once("close", () => clearTimeout(this.#timer));
  }

  get socket(): Socket {
    return this.#socket;
  }

  /** Lets the camera go on, and hands over its video. */
  play(onVideo: (message: VideoMessage) => void): void {
    this.#onVideo = onVideo;
    for (const message of this.#early.splice(0)) onVideo(message);
    this.#socket.resume();
  }

  #read(bytes: Buffer): void {
    try {
      this.#received = (this.#received + bytes.length) >>> 0;
      this.#queue.append(bytes);
      this.#shakeHands();
      if (this.#handshake !== "done") return;
      for (const message of this.#chunks.push(this.#queue.take(this.#queue.length))) this.#take(message);
      this.#acknowledge();
    } catch {
      // Whoever speaks no RTMP is no camera of ours.
      this.#socket.destroy();
    }
  }

  /** 5.2: a version and two packets of equal length each way, the second of which repeats the other's first. */
  #shakeHands(): void {
    if (this.#handshake === "hello" && this.#queue.length > HANDSHAKE_BYTES) {
      const hello = this.#queue.take(1 + HANDSHAKE_BYTES);
      if (hello[0] !== VERSION) {
        this.#socket.destroy();
        return;
      }
      const ours = Buffer.concat([Buffer.alloc(8), randomBytes(HANDSHAKE_BYTES - 8)]);
      this.#socket.write(Buffer.concat([Buffer.from([VERSION]), ours, hello.subarray(1)]));
      this.#handshake = "echo";
    }
    if (this.#handshake === "echo" && this.#queue.length >= HANDSHAKE_BYTES) {
      this.#queue.drop(HANDSHAKE_BYTES);
      this.#handshake = "done";
    }
  }

  #take({ type, timestamp, body }: RtmpMessage): void {
    if (type === VIDEO) this.#video({ timestamp, body });
    else if (type === COMMAND) this.#command(readAmf(body));
    // The same with a byte before it that says which AMF follows.
    else if (type === COMMAND_AMF3) this.#command(readAmf(body.subarray(1)));
    else if (type === USER_CONTROL && body.length >= 6 && body.readUInt16BE() === PING) {
      this.#send(USER_CONTROL, 0, Buffer.concat([Buffer.from([0, PONG]), body.subarray(2, 6)]));
    }
  }

  #video(message: VideoMessage): void {
    if (this.#onVideo) this.#onVideo(message);
    else if (!this.#onPublish) this.#early.push(message);
  }

  #command([name, transaction, about, first]: AmfValue[]): void {
    const number = typeof transaction === "number" ? transaction : 0;
    switch (name) {
      case "connect":
        this.#connect(number, about);
        return;
      case "createStream":
        this.#reply(0, "_result", number, null, STREAM);
        return;
      case "releaseStream":
      case "FCPublish":
        this.#reply(0, "_result", number, null);
        return;
      case "publish":
        this.#publish(first);
        return;
      case "FCUnpublish":
      case "deleteStream":
      case "closeStream":
        if (this.#connected) this.#socket.end();
    }
  }

  #connect(transaction: number, about: AmfValue | undefined): void {
    const application = typeof about === "object" && about !== null ? about.app : undefined;
    if (typeof application !== "string" || !isSame(trimSlashes(application), this.#target.application)) {
      this.#refuse(0, "_error", transaction, "NetConnection.Connect.Rejected");
      return;
    }
    this.#connected = true;
    this.#send(WINDOW_SIZE, 0, uint32(WINDOW));
    this.#send(PEER_BANDWIDTH, 0, Buffer.concat([uint32(WINDOW), Buffer.from([2])]));
    const server = { fmsVer: "FMS/3,0,1,123", capabilities: 31 };
    const status = { level: "status", code: "NetConnection.Connect.Success", description: "", objectEncoding: 0 };
    this.#reply(0, "_result", transaction, server, status);
  }

  #publish(key: AmfValue | undefined): void {
    const onPublish = this.#onPublish;
    if (!this.#connected || !onPublish || typeof key !== "string" || !isSame(key, this.#target.key)) {
      this.#refuse(STREAM, "onStatus", 0, "NetStream.Publish.BadName");
      return;
    }
    clearTimeout(this.#timer);
    this.#chunks.longestMessage = LONGEST_PICTURE;
    this.#socket.pause();
    this.#onPublish = undefined;
    this.#reply(STREAM, "onStatus", 0, null, { level: "status", code: "NetStream.Publish.Start", description: "" });
    onPublish();
  }

  #refuse(stream: number, name: string, transaction: number, code: string): void {
    this.#reply(stream, name, transaction, null, { level: "error", code, description: "" });
    this.#socket.destroySoon();
  }

  #reply(stream: number, ...values: AmfValue[]): void {
    this.#send(COMMAND, stream, writeAmf(...values));
  }

  #send(type: number, stream: number, body: Buffer): void {
    if (this.#socket.writable) this.#socket.write(writeMessage(type, stream, body));
  }

  /** 5.4.3: without it some encoders stop when they have sent a window full. */
  #acknowledge(): void {
    if ((this.#received - this.#acknowledged) >>> 0 < WINDOW / 2) return;
    this.#acknowledged = this.#received;
    this.#send(ACKNOWLEDGEMENT, 0, uint32(this.#received));
  }
}

/** In a time that tells nothing of what is expected. */
function isSame(given: string, expected: string): boolean {
  const hash = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(given), hash(expected));
}

function trimSlashes(text: string): string {
  return text.replace(/^\/+|\/+$/g, "");
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

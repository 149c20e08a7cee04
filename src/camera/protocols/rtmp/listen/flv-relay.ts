import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { RtmpSession, VideoMessage } from "./rtmp-session.ts";

/** A decoder that does not come within this time does not come at all. */
const READER_MS = 30_000;
/** "FLV", version 1, with video alone, 9 bytes long, and the length of no tag before the first. */
const FLV_HEADER = Buffer.from("464c5601010000000900000000", "hex");
const VIDEO_TAG = 9;

/**
 * Hands the video of one pushing camera to one decoder, as FLV over HTTP on loopback. The camera is held back
 * until the decoder is there, so that the pictures' beginning is not lost.
 *
 * Ends with the camera, with the decoder or with the signal, and the other side with it.
 */
export class FlvRelay {
  /** Where the decoder finds it. */
  readonly url: string;
  readonly #session: RtmpSession;
  readonly #server: Server;
  readonly #path = `/${randomBytes(16).toString("base64url")}.flv`;
  readonly #signal: AbortSignal;
  readonly #onEnd = () => this.close();
  readonly #timer: NodeJS.Timeout;
  #isRead = false;

  private constructor(session: RtmpSession, server: Server, signal: AbortSignal) {
    this.#session = session;
    this.#server = server;
    this.#signal = signal;
    this.#timer = setTimeout(this.#onEnd, READER_MS).unref();
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${this.#path}`;
    signal.addEventListener("abort", this.#onEnd, { once: true });
    server.on("request", ({ url }, response) => {
      if (url !== this.#path || this.#isRead) response.writeHead(404).end();
      else this.#give(response);
    });
  }

  static async start(session: RtmpSession, signal: AbortSignal): Promise<FlvRelay> {
    const server = createServer();
    await once(server.listen(0, "127.0.0.1"), "listening");
    const relay = new FlvRelay(session, server, signal);
    server.unref();
    if (signal.aborted) {
      relay.close();
      throw signal.reason;
    }
    return relay;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#signal.removeEventListener("abort", this.#onEnd);
    this.#session.socket.destroy();
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #give(response: ServerResponse): void {
    const { socket } = this.#session;
    this.#isRead = true;
    clearTimeout(this.#timer);
    response.once("close", this.#onEnd);
    response.writeHead(200, { "content-type": "video/x-flv", connection: "close" }).write(FLV_HEADER);
    if (socket.destroyed) {
      response.end();
      return;
    }
    socket.once("close", () => response.end());
    this.#session.play((message) => {
      if (response.write(tag(message)) || socket.isPaused()) return;
      socket.pause();
      response.once("drain", () => socket.resume());
    });
  }
}

/** Video File Format Specification 10 (Adobe), annex E. */
function tag({ timestamp, body }: VideoMessage): Buffer {
  const bytes = Buffer.alloc(11 + body.length + 4);
  bytes[0] = VIDEO_TAG;
  bytes.writeUIntBE(body.length, 1, 3);
  bytes.writeUIntBE(timestamp & 0xff_ffff, 4, 3);
  bytes[7] = timestamp >>> 24;
  bytes.set(body, 11);
  bytes.writeUInt32BE(11 + body.length, 11 + body.length);
  return bytes;
}

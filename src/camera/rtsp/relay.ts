import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { first, type HeaderFields } from "./rtsp-headers.ts";
import { RtspReader, type RtspRequest, writeFrame, writeResponse } from "./rtsp-message.ts";
import { type VideoMedia, writeSdp } from "./sdp.ts";
import { parseTransport } from "./transport.ts";
import type { MediaPacket } from "./udp-ports.ts";

/** What the relay needs of a session with a camera. */
export interface RelayedSession {
  /** Known from the beginning on. */
  readonly video: VideoMedia | undefined;
  setup(): Promise<void>;
  play(): Promise<void>;
  pause(): void;
  resume(): void;
  sendRtcp(data: Buffer): void;
}

export interface RelayOptions {
  readonly session: RelayedSession;
  /** Called once with what went wrong while the session was set up or played. */
  readonly onFailure: (error: unknown) => void;
}

const TOKEN_BYTES = 24;
/** Others on this machine may knock; they are few, and they get nothing. */
const MOST_STRANGERS = 8;
const STRANGER_PATIENCE_MS = 10_000;
/** Packets that come before the decoder has its answer to PLAY wait for it. */
const MOST_EARLY_BYTES = 4 * 1024 * 1024;
/** So much that waits for a decoder which does not read holds the camera up. */
const MOST_UNREAD_BYTES = 1024 * 1024;
const PUBLIC = "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN";
/** The camera's own session is kept alive by ours; the decoder need not hurry. */
const SESSION = "1;timeout=60";

/**
 * A camera's video for one decoder on this machine, without the camera's login: an RTSP server on loopback
 * that knows one address which cannot be guessed, and one client. Always interleaved TCP.
 */
export class RtspRelay {
  /** For the decoder, and nobody else. */
  readonly url: string;
  readonly #server: Server;
  readonly #session: RelayedSession;
  readonly #onFailure: (error: unknown) => void;
  readonly #connections = new Set<Socket>();
  #client: Client | undefined;

  private constructor(server: Server, { session, onFailure }: RelayOptions) {
    const { port } = server.address() as AddressInfo;
    this.url = `rtsp://127.0.0.1:${port}/${randomBytes(TOKEN_BYTES).toString("hex")}`;
    this.#server = server;
    this.#session = session;
    this.#onFailure = onFailure;
    server.maxConnections = MOST_STRANGERS;
    server.on("connection", (socket) => this.#welcome(socket));
  }

  static async listen(options: RelayOptions): Promise<RtspRelay> {
    const server = createServer();
    await once(server.listen(0, "127.0.0.1"), "listening");
    return new RtspRelay(server, options);
  }

  /** Passes a packet of the camera on. */
  send(packet: MediaPacket): void {
    this.#client?.send(packet);
  }

  async close(): Promise<void> {
    for (const socket of this.#connections) socket.destroy();
    if (!this.#server.listening) return;
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #welcome(socket: Socket): void {
    this.#connections.add(socket);
    const reader = new RtspReader({ where: "the decoder" });
    const patience = setTimeout(() => socket.destroy(), STRANGER_PATIENCE_MS);
    let asked: Promise<void> = Promise.resolve();
    socket.setNoDelay(true);
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(patience);
      this.#connections.delete(socket);
    });
    socket.on("data", (bytes: Buffer) => {
      try {
        reader.append(bytes);
        for (let item = reader.next(); item; item = reader.next()) {
          const { kind } = item;
          if (kind === "frame") this.#client?.report(socket, item);
          if (kind !== "request") continue;
          if (!this.#admit(socket, item)) return;
          clearTimeout(patience);
          const request = item;
          asked = asked.then(() => this.#client?.answer(request));
        }
      } catch {
        socket.destroy();
      }
    });
  }

  /** The first who knows the address is the client; then the door is closed. */
  #admit(socket: Socket, { uri, headers }: RtspRequest): boolean {
    if (this.#client) return this.#client.is(socket);
    if (uri !== this.url && !uri.startsWith(`${this.url}/`)) {
      socket.end(writeResponse(404, "Not Found", { CSeq: first(headers, "cseq") }));
      return false;
    }
    this.#client = new Client({ socket, session: this.#session, url: this.url, onFailure: this.#onFailure });
    this.#server.close();
    for (const other of this.#connections) if (other !== socket) other.destroy();
    return true;
  }
}

interface ClientOptions {
  readonly socket: Socket;
  readonly session: RelayedSession;
  readonly url: string;
  readonly onFailure: (error: unknown) => void;
}

/** The decoder. */
class Client {
  readonly #options: ClientOptions;
  #channels: readonly [rtp: number, rtcp: number] = [0, 1];
  #early: Buffer[] | undefined = [];
  #earlyBytes = 0;

  constructor(options: ClientOptions) {
    this.#options = options;
    options.socket.on("drain", () => options.session.resume());
  }

  is(socket: Socket): boolean {
    return socket === this.#options.socket;
  }

  async answer({ method, headers }: RtspRequest): Promise<void> {
    const cseq = first(headers, "cseq");
    try {
      switch (method) {
        case "OPTIONS":
          return this.#reply(cseq, { Public: PUBLIC });
        case "DESCRIBE":
          return this.#describe(cseq);
        case "SETUP":
          return await this.#setup(cseq, first(headers, "transport") ?? "");
        case "PLAY":
          return await this.#play(cseq);
        case "GET_PARAMETER":
        case "TEARDOWN":
          return this.#reply(cseq, { Session: SESSION });
        default:
          this.#options.socket.write(writeResponse(501, "Not Implemented", { CSeq: cseq }));
      }
    } catch (error) {
      this.#options.onFailure(error);
      this.#options.socket.destroy();
    }
  }

  send({ kind, data }: MediaPacket): void {
    const { socket, session } = this.#options;
    const frame = writeFrame(this.#channels[kind === "rtp" ? 0 : 1], data);
    if (this.#early) {
      this.#earlyBytes += frame.length;
      if (this.#earlyBytes <= MOST_EARLY_BYTES) this.#early.push(frame);
    } else if (!socket.destroyed) {
      socket.write(frame);
      if (socket.writableLength > MOST_UNREAD_BYTES) session.pause();
    }
  }

  /** Only what the decoder reports on the video is passed on. */
  report(socket: Socket, { channel, data }: { readonly channel: number; readonly data: Buffer }): void {
    if (this.is(socket) && channel === this.#channels[1]) this.#options.session.sendRtcp(data);
  }

  #describe(cseq: string | undefined): void {
    const { session, socket, url } = this.#options;
    if (!session.video) {
      socket.write(writeResponse(404, "Not Found", { CSeq: cseq }));
      return;
    }
    const headers = { "Content-Type": "application/sdp", "Content-Base": `${url}/` };
    this.#reply(cseq, headers, writeSdp(session.video, `${url}/video`));
  }

  async #setup(cseq: string | undefined, transport: string): Promise<void> {
    const { socket, session } = this.#options;
    const { channels } = parseTransport(transport);
    if (!channels) {
      socket.write(writeResponse(461, "Unsupported Transport", { CSeq: cseq }));
      return;
    }
    this.#channels = channels;
    await session.setup();
    const agreed = `RTP/AVP/TCP;unicast;interleaved=${channels.join("-")}`;
    this.#reply(cseq, { Session: SESSION, Transport: agreed });
  }

  async #play(cseq: string | undefined): Promise<void> {
    const { socket, session } = this.#options;
    await session.play();
    this.#reply(cseq, { Session: SESSION });
    for (const frame of this.#early ?? []) socket.write(frame);
    this.#early = undefined;
  }

  #reply(cseq: string | undefined, headers: HeaderFields, body?: string): void {
    this.#options.socket.write(writeResponse(200, "OK", { CSeq: cseq, ...headers }, body));
  }
}

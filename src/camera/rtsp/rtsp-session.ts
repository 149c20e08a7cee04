import { randomBytes } from "node:crypto";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { asCctvError, CctvError } from "../../errors.ts";
import { parseChallenges } from "../http/digest.ts";
import { explainLock, loginRefused, loginUnknown } from "../http/http-failure.ts";
import { Login } from "../http/login.ts";
import type { RtspInput } from "../protocols/protocol.ts";
import { createMask } from "../secrets.ts";
import { type CameraAddress, hostAndPort, openSocket } from "./camera-socket.ts";
import { openHttpTunnel } from "./http-tunnel.ts";
import { ANSWER_TIMEOUT_MS, RtspConnection } from "./rtsp-connection.ts";
import { explainAnswer, noVideo, streamLost, wrongTransport } from "./rtsp-failure.ts";
import { first, type HeaderFields } from "./rtsp-headers.ts";
import type { InterleavedFrame, RtspResponse } from "./rtsp-message.ts";
import { parseSdp, resolveControl, type VideoMedia } from "./sdp.ts";
import { parseTransport } from "./transport.ts";
import { type MediaPacket, UdpPorts } from "./udp-ports.ts";

export interface RtspSessionOptions {
  readonly input: RtspInput;
  /** RTP and RTCP of the video, in the order of their numbers. */
  readonly onPacket: (packet: MediaPacket) => void;
  /** For each answer in full, milliseconds; 8 s by default. */
  readonly answerTimeoutMs?: number;
  /** Random bytes, for the client's nonce. */
  readonly random?: (bytes: number) => Buffer;
}

/** What a session has learnt of the camera. */
export interface RtspFacts {
  /** Of RTP packets of video, their headers with them. */
  readonly bytes: number;
  readonly server?: string;
  readonly realm?: string;
}

interface Described {
  readonly video: VideoMedia;
  /** The URL to set up. */
  readonly videoUrl: string;
  /** The URL to play, to keep alive and to tear down. */
  readonly sessionUrl: string;
}

const DEFAULT_SESSION_SECONDS = 60;
const LONGEST_KEEP_ALIVE_MS = 30_000;
const SHORTEST_KEEP_ALIVE_MS = 1_000;
/** What a camera may take to say goodbye. */
const FAREWELL_MS = 300;

/**
 * One viewer's session with a camera: `open`, `setup`, `play`, each once and in this order, then packets until
 * `close`. RTSP 1.0 (RFC 2326) over TCP, TLS or HTTP, with a login; the packets on the same connection or by UDP.
 *
 * Redirects are not followed: they could lead the password to another host.
 */
export class RtspSession {
  /** Settles with the reason when the camera ends the session, or fails to keep it up; not through `close`. */
  readonly lost: Promise<CctvError>;
  readonly #input: RtspInput;
  readonly #onPacket: (packet: MediaPacket) => void;
  readonly #answerTimeoutMs: number;
  readonly #address: CameraAddress;
  readonly #url: string;
  readonly #login: Login;
  readonly #closing = new AbortController();
  #reportLoss: (reason: CctvError) => void = () => {};
  #connection: RtspConnection | undefined;
  #socket: Socket | undefined;
  #described: Described | undefined;
  #udp: UdpPorts | undefined;
  #channels: readonly [rtp: number, rtcp: number] = [0, 1];
  #sessionId: string | undefined;
  #sessionSeconds = DEFAULT_SESSION_SECONDS;
  #keepAliveMethod: "GET_PARAMETER" | "OPTIONS" = "OPTIONS";
  #keepAliveTimer: NodeJS.Timeout | undefined;
  #takesPackets = false;
  #isPlaying = false;
  #isPaused = false;
  #closed: Promise<void> | undefined;
  #bytes = 0;
  #server: string | undefined;
  #realm: string | undefined;

  constructor({ input, onPacket, answerTimeoutMs = ANSWER_TIMEOUT_MS, random = randomBytes }: RtspSessionOptions) {
    const { display, port, tls } = input;
    const host = input.host.replace(/^\[|\]$/g, "");
    this.#input = input;
    this.#onPacket = onPacket;
    this.#answerTimeoutMs = answerTimeoutMs;
    this.#address = { host, port, tls, where: display };
    this.#url = `${tls ? "rtsps" : "rtsp"}://${hostAndPort(this.#address)}${withoutFragment(input.path)}`;
    this.#login = new Login(input.credentials, random);
    this.lost = new Promise((resolve) => {
      this.#reportLoss = resolve;
    });
  }

  /** What the camera says of its video; undefined before `open`. */
  get video(): VideoMedia | undefined {
    return this.#described?.video;
  }

  facts(): RtspFacts {
    return {
      bytes: this.#bytes,
      ...(this.#server && { server: this.#server }),
      ...(this.#realm && { realm: this.#realm }),
    };
  }

  /**
   * Connects, logs in, and asks what there is.
   * @throws CctvError CAMERA_UNREACHABLE, CAMERA_REFUSED, CAMERA_STALLED, CAMERA_CERTIFICATE, CAMERA_AUTH_FAILED,
   * CAMERA_LOCKED, CAMERA_NOT_FOUND; STREAM_LOST after `close`.
   */
  async open(): Promise<void> {
    await this.#connect();
    const options = await this.#exchange("OPTIONS", this.#url);
    if (/\bGET_PARAMETER\b/i.test(first(options.headers, "public") ?? "")) this.#keepAliveMethod = "GET_PARAMETER";
    const answer = await this.#ask("DESCRIBE", this.#url, { Accept: "application/sdp" });
    const { control, video } = parseSdp(answer.body.toString("latin1"));
    if (!video) throw noVideo(this.#address.where);
    const base = baseOf(answer) ?? this.#url;
    const sessionUrl = resolveControl(base, control);
    this.#described = { video, sessionUrl, videoUrl: resolveControl(base, video.control) };
  }

  /**
   * Agrees on how the packets come.
   * @throws CctvError as `open`; CAMERA_REFUSED where the camera does not offer the transport.
   */
  async setup(): Promise<void> {
    const { transport, tls } = this.#input;
    if (transport === "udp") return this.#setupUdp();
    try {
      await this.#setupInterleaved();
    } catch (error) {
      // By UDP the pictures of a camera with TLS would go about readable.
      if (!(error instanceof TransportRefused) || transport !== "auto" || tls) throw error;
      await this.#setupUdp();
    }
  }

  /** Packets come from now on. @throws CctvError as `open` */
  async play(): Promise<void> {
    // Packets may come before the answer.
    this.#takesPackets = true;
    this.#connection?.resynchronise();
    await this.#ask("PLAY", this.#known().sessionUrl, { Session: this.#sessionId, Range: "npt=0.000-" });
    this.#isPlaying = true;
    this.#keepAliveLater();
  }

  /** Holds the camera up, or drops what comes by UDP, until `resume`. */
  pause(): void {
    this.#isPaused = true;
    if (!this.#udp) this.#connection?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#connection?.resume();
  }

  /** Passes a report of the receiver on to the camera. */
  sendRtcp(data: Buffer): void {
    if (this.#udp) this.#udp.sendRtcp(data);
    else this.#connection?.sendFrame(this.#channels[1], data);
  }

  /** Says goodbye if the camera listens, and leaves no socket and no timer. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    clearTimeout(this.#keepAliveTimer);
    if (this.#sessionId !== undefined && this.#connection && !this.#connection.isOver) {
      this.resume();
      const { sessionUrl } = this.#known();
      const goodbye = this.#exchange("TEARDOWN", sessionUrl, { Session: this.#sessionId }).catch(() => undefined);
      const patience = new AbortController();
      await Promise.race([goodbye, sleep(FAREWELL_MS, undefined, { signal: patience.signal }).catch(() => undefined)]);
      patience.abort();
    }
    const reason = new CctvError("STREAM_LOST", "the connection to the camera was closed");
    this.#closing.abort(reason);
    this.#connection?.destroy(reason);
    await this.#udp?.close();
  }

  async #connect(): Promise<void> {
    const { signal } = this.#closing;
    const pipe = await this.#openPipe(signal);
    if (signal.aborted) {
      pipe.destroy();
      throw signal.reason;
    }
    this.#socket = pipe instanceof Socket ? pipe : undefined;
    const connection = new RtspConnection({
      pipe,
      where: this.#address.where,
      timeoutMs: this.#answerTimeoutMs,
      onFrame: (frame) => this.#takeFrame(frame),
      onLost: (reason) => {
        if (this.#connection === connection && this.#isPlaying) this.#lose(reason);
      },
    });
    this.#connection = connection;
  }

  #openPipe(signal: AbortSignal): Promise<Duplex> {
    const { transport, path, credentials } = this.#input;
    if (transport !== "http") return openSocket(this.#address, signal);
    return openHttpTunnel({ address: this.#address, path: withoutFragment(path), credentials, signal });
  }

  #lose(reason: CctvError): void {
    clearTimeout(this.#keepAliveTimer);
    this.#reportLoss(streamLost(this.#address.where, reason));
  }

  async #setupInterleaved(): Promise<void> {
    const answer = await this.#askTransport("RTP/AVP/TCP;unicast;interleaved=0-1");
    this.#channels = parseTransport(first(answer.headers, "transport") ?? "").channels ?? this.#channels;
  }

  async #setupUdp(): Promise<void> {
    const { localAddress = "", remoteAddress = "" } = this.#socket ?? {};
    const { signal } = this.#closing;
    const ports = await UdpPorts.open({
      localAddress,
      remoteAddress,
      onPacket: (packet) => this.#takePacket(packet),
    });
    if (signal.aborted) {
      await ports.close();
      throw signal.reason;
    }
    this.#udp = ports;
    const { rtpPort } = ports;
    const answer = await this.#askTransport(`RTP/AVP;unicast;client_port=${rtpPort}-${rtpPort + 1}`);
    const { serverPorts, source } = parseTransport(first(answer.headers, "transport") ?? "");
    ports.expect({ rtpPort: serverPorts?.[0], rtcpPort: serverPorts?.[1], source });
  }

  async #askTransport(transport: string): Promise<RtspResponse> {
    const answer = await this.#exchange("SETUP", this.#known().videoUrl, { Transport: transport });
    if (answer.status === 461) throw new TransportRefused(this.#address.where);
    this.#check(answer);
    this.#rememberSession(first(answer.headers, "session") ?? "");
    return answer;
  }

  #rememberSession(header: string): void {
    const [, id, seconds] = /^([^;\s]+)(?:.*?;\s*timeout\s*=\s*(\d{1,6}))?/i.exec(header) ?? [];
    if (id !== undefined) this.#sessionId = id;
    if (Number(seconds) > 0) this.#sessionSeconds = Number(seconds);
  }

  #keepAliveLater(): void {
    if (this.#closed || this.#connection?.isOver) return;
    const half = Math.min(LONGEST_KEEP_ALIVE_MS, (this.#sessionSeconds * 1000) / 2);
    this.#keepAliveTimer = setTimeout(() => void this.#keepAlive(), Math.max(SHORTEST_KEEP_ALIVE_MS, half));
  }

  /** Cameras that do not answer this may go on sending all the same, so only a clear no counts. */
  async #keepAlive(): Promise<void> {
    try {
      const answer = await this.#exchange(this.#keepAliveMethod, this.#known().sessionUrl, {
        Session: this.#sessionId,
      });
      if (answer.status === 454) this.#end(explainAnswer(answer, this.#address.where, createMask()));
      else if (answer.status >= 400) this.#keepAliveMethod = "OPTIONS";
    } catch (error) {
      const reason = asCctvError(error, "STREAM_LOST");
      if (reason.code === "CAMERA_AUTH_FAILED" || reason.code === "CAMERA_LOCKED") this.#end(reason, reason);
    }
    this.#keepAliveLater();
  }

  /** The camera no longer wants us, though the connection stands. */
  #end(cause: CctvError, reason = streamLost(this.#address.where, cause)): void {
    this.#reportLoss(reason);
    this.#connection?.destroy(reason);
  }

  /** @throws CctvError for any answer other than 2xx */
  async #ask(method: string, url: string, headers: HeaderFields): Promise<RtspResponse> {
    const answer = await this.#exchange(method, url, headers);
    this.#check(answer);
    return answer;
  }

  #check(answer: RtspResponse): void {
    const { status } = answer;
    if (status >= 200 && status <= 299) return;
    throw explainAnswer(answer, this.#address.where, createMask(this.#input.credentials));
  }

  /** One request, and its repetition with a login where the camera asks for one. */
  async #exchange(method: string, url: string, headers: HeaderFields = {}): Promise<RtspResponse> {
    const round = this.#login.begin(method, url);
    for (;;) {
      const answer = await this.#live().request(method, url, {
        "User-Agent": "node-red-cctv",
        ...headers,
        Authorization: round.authorize(),
      });
      this.#server ??= first(answer.headers, "server");
      if (answer.status !== 401) {
        this.#login.accepted({ "authentication-info": first(answer.headers, "authentication-info") });
        return answer;
      }
      const { where } = this.#address;
      const locked = explainLock(answer.body.toString("latin1"), where);
      if (locked) throw locked;
      const challenges = parseChallenges(answer.headers.get("www-authenticate") ?? []);
      this.#realm ??= challenges.find(({ parameters }) => parameters.realm)?.parameters.realm;
      const verdict = round.challenged(challenges);
      if (verdict.kind === "unknown") throw loginUnknown(where, verdict.schemes);
      if (verdict.kind === "refused") throw loginRefused(where, this.#input.credentials !== undefined);
      await this.#reconnectIfClosed(answer);
    }
  }

  /** Some cameras hang up with each question for a login; the answer may come on another connection. */
  async #reconnectIfClosed({ headers }: RtspResponse): Promise<void> {
    const connection = this.#live();
    if (this.#sessionId !== undefined) return;
    if (!connection.isOver && !/\bclose\b/i.test(first(headers, "connection") ?? "")) return;
    connection.destroy(streamLost(this.#address.where));
    await this.#connect();
  }

  #live(): RtspConnection {
    if (!this.#connection) throw new Error("the session is not open");
    return this.#connection;
  }

  #known(): Described {
    if (!this.#described) throw new Error("the session is not open");
    return this.#described;
  }

  #takeFrame({ channel, data }: InterleavedFrame): void {
    if (channel === this.#channels[0]) this.#takePacket({ kind: "rtp", data });
    else if (channel === this.#channels[1]) this.#takePacket({ kind: "rtcp", data });
  }

  #takePacket(packet: MediaPacket): void {
    if (!this.#takesPackets || this.#closing.signal.aborted) return;
    if (packet.kind === "rtp") this.#bytes += packet.data.length;
    if (this.#isPaused && this.#udp) return;
    this.#onPacket(packet);
  }
}

/** The camera speaks another transport than the one that it was asked for. */
class TransportRefused extends CctvError {
  constructor(where: string) {
    const { code, message } = wrongTransport(where);
    super(code, message);
  }
}

/** What relative control URLs are relative to (RFC 2326, C.1.1). */
function baseOf({ headers }: RtspResponse): string | undefined {
  const named = [first(headers, "content-base"), first(headers, "content-location")];
  return named.find((url) => url !== undefined && /^rtsps?:\/\/\S+$/i.test(url));
}

function withoutFragment(path: string): string {
  return path.replace(/#.*$/s, "");
}

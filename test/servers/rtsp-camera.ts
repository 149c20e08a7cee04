import { createHash } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { createServer as createTlsServer } from "node:tls";
import { noteServer } from "./inventory.ts";

noteServer("RTSP with odd logins: simulated", true);

export type Method = "OPTIONS" | "DESCRIBE" | "SETUP" | "PLAY" | "GET_PARAMETER" | "TEARDOWN";

export interface CameraRequest {
  readonly method: string;
  readonly uri: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface RtspCameraSettings {
  readonly login?: "basic" | "digest";
  /** Of Digest, as it stands in the header; none by default, which means MD5. */
  readonly algorithm?: string;
  /** Further challenges in the same header, before its own. */
  readonly otherChallenges?: string;
  readonly username?: string;
  readonly password?: string;
  /** Asks once for a new nonce at these methods. */
  readonly staleAt?: readonly Method[];
  /** Hangs up with each question for a login. */
  readonly hangsUpAfter401?: boolean;
  /** What it says to a method instead of its own answer; without the CSeq where the text has none. */
  readonly says?: Partial<Record<Method, string | ((socket: Socket) => void)>>;
  readonly sdp?: string;
  readonly transports?: "both" | "tcp" | "udp";
  /** Leaves out Content-Length. */
  readonly withoutLength?: boolean;
  /** Sends its answers in pieces of so many bytes. */
  readonly pieces?: number;
  /** Ends a session that was not kept alive for so long. */
  readonly sessionSeconds?: number;
  /** The numbers of the RTP packets that it sends after PLAY, in this order; then it goes on from the last one. */
  readonly numbers?: readonly number[];
  /** Something between two packets. */
  readonly between?: Buffer;
  readonly contentBase?: string;
  /** Key and certificate in PEM: makes it RTSPS. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

const REALM = "Camera 4711";
const PACKET_EVERY_MS = 20;
const SDP = [
  "v=0",
  "o=- 1 1 IN IP4 127.0.0.1",
  "s=Camera",
  "t=0 0",
  "a=control:*",
  "m=audio 0 RTP/AVP 8",
  "a=control:trackID=0",
  "m=video 0 RTP/AVP 96",
  "a=rtpmap:96 H264/90000",
  "a=framesize:96 640-360",
  "a=framerate:12.5",
  "a=control:trackID=1",
  "",
].join("\r\n");

/**
 * An RTSP camera on loopback that is strict about logins and strange where a test wants it to be. Its packets
 * hold numbers, not pictures.
 */
export class RtspCamera {
  readonly requests: CameraRequest[] = [];
  readonly reports: Buffer[] = [];
  /** Requests with a login that is not right. */
  wrongLogins = 0;
  connections = 0;
  readonly #settings: RtspCameraSettings;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #stale: Set<string>;
  #nonce = 1;

  private constructor(settings: RtspCameraSettings) {
    this.#settings = settings;
    this.#stale = new Set(settings.staleAt);
    const serve = (socket: Socket) => this.#serve(socket);
    this.#server = settings.tls ? createTlsServer(settings.tls, serve) : createServer(serve);
    this.#server.on("connection", (socket: Socket) => {
      this.connections++;
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("error", () => {});
    });
  }

  static async start(settings: RtspCameraSettings = {}): Promise<RtspCamera> {
    const camera = new RtspCamera(settings);
    await once(camera.#server.listen(0, "127.0.0.1"), "listening");
    return camera;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  get methods(): string[] {
    return this.requests.map(({ method }) => method);
  }

  url(path = "/main"): string {
    return `${this.#settings.tls ? "rtsps" : "rtsp"}://127.0.0.1:${this.port}${path}`;
  }

  /** Hangs up on everybody. */
  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.hangUp();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket): void {
    let buffer = Buffer.alloc(0);
    const viewer = new Viewer(socket, this.#settings);
    socket.on("error", () => {});
    socket.on("close", () => viewer.stop());
    socket.on("data", (bytes: Buffer) => {
      buffer = Buffer.concat([buffer, bytes]);
      for (;;) {
        if (buffer[0] === 0x24 && buffer.length >= 4 && buffer.length >= 4 + buffer.readUInt16BE(2)) {
          const end = 4 + buffer.readUInt16BE(2);
          this.reports.push(buffer.subarray(4, end));
          viewer.touch();
          buffer = buffer.subarray(end);
          continue;
        }
        const end = buffer.indexOf("\r\n\r\n");
        if (buffer[0] === 0x24 || end < 0) return;
        const [start = "", ...lines] = buffer.toString("latin1", 0, end).split("\r\n");
        buffer = buffer.subarray(end + 4);
        const [method = "", uri = ""] = start.split(" ");
        if (method.startsWith("RTSP/")) continue;
        const headers = Object.fromEntries(lines.map((line) => [field(line, 0).toLowerCase(), field(line, 1)]));
        const request = { method, uri, headers };
        this.requests.push(request);
        void this.#answer(request, socket, viewer);
      }
    });
  }

  async #answer(request: CameraRequest, socket: Socket, viewer: Viewer): Promise<void> {
    const { method, headers } = request;
    const { says, hangsUpAfter401, contentBase, sdp = SDP } = this.#settings;
    viewer.touch();
    const said = says?.[method as Method];
    if (typeof said === "function") return said(socket);
    if (said !== undefined) return viewer.write(said.replace("<cseq>", headers.cseq ?? ""));
    const challenge = this.#challenge(request);
    if (challenge) {
      await viewer.reply(401, request, {
        "WWW-Authenticate": challenge,
        ...(hangsUpAfter401 && { Connection: "close" }),
      });
      if (hangsUpAfter401) socket.end();
      return;
    }
    switch (method) {
      case "OPTIONS":
        return viewer.reply(200, request, { Public: "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER" });
      case "DESCRIBE": {
        const base = contentBase === undefined ? {} : { "content-BASE": contentBase };
        return viewer.reply(200, request, { "content-TYPE": "application/sdp", ...base }, sdp);
      }
      case "SETUP":
        return viewer.setup(request);
      case "PLAY":
        await viewer.reply(200, request);
        return viewer.play();
      case "TEARDOWN":
        viewer.stop();
        return viewer.reply(200, request);
      default:
        return viewer.reply(200, request);
    }
  }

  /** A challenge, where the login is not good. */
  #challenge({ method, uri, headers }: CameraRequest): string | undefined {
    const { login, algorithm, otherChallenges, username, password } = this.#settings;
    if (!login) return undefined;
    const { authorization = "" } = headers;
    const stale = this.#stale.delete(method);
    if (stale) this.#nonce++;
    const digest = `digest realm="${REALM}", nonce="${this.#nonce}", qop="auth"${algorithm ? `, algorithm=${algorithm}` : ""}`;
    const others = otherChallenges ? `${otherChallenges}, ` : "";
    const challenge = login === "basic" ? `BASIC realm="${REALM}"` : `${others}${digest}${stale ? ", stale=true" : ""}`;
    if (authorization === "") return challenge;
    const good =
      login === "basic"
        ? authorization === `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`
        : this.#isGoodDigest(authorization, method, uri);
    if (stale) return challenge;
    if (!good) this.wrongLogins++;
    return good ? undefined : challenge;
  }

  #isGoodDigest(authorization: string, method: string, uri: string): boolean {
    const { algorithm = "MD5", username = "", password = "" } = this.#settings;
    const value = (name: string) => new RegExp(`[ ,]${name}="?([^",]*)`).exec(authorization)?.[1] ?? "";
    const name = /^sha-256/i.test(algorithm) ? "sha256" : "md5";
    const hash = (...parts: string[]) => createHash(name).update(parts.join(":")).digest("hex");
    const login = hash(username, REALM, password);
    const secret = /-sess$/i.test(algorithm) ? hash(login, value("nonce"), value("cnonce")) : login;
    const expected = hash(secret, value("nonce"), value("nc"), value("cnonce"), "auth", hash(method, uri));
    return (
      value("nonce") === String(this.#nonce) &&
      value("uri") === uri &&
      value("username") === username &&
      value("response") === expected
    );
  }
}

/** One connection. */
class Viewer {
  readonly #socket: Socket;
  readonly #settings: RtspCameraSettings;
  #send: ((packet: Buffer) => void) | undefined;
  #closeUdp: () => void = () => {};
  #packets: NodeJS.Timeout | undefined;
  #patience: NodeJS.Timeout | undefined;

  constructor(socket: Socket, settings: RtspCameraSettings) {
    this.#socket = socket;
    this.#settings = settings;
  }

  async reply(
    status: number,
    { headers }: CameraRequest,
    extra: Record<string, string> = {},
    body = "",
  ): Promise<void> {
    const length = body && !this.#settings.withoutLength ? { "Content-length": String(body.length) } : {};
    const all = { cSEQ: headers.cseq ?? "", Server: "Simulated/1", ...extra, ...length };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    await this.write(`RTSP/1.0 ${status} ${status === 200 ? "OK" : "No"}\r\n${lines.join("")}\r\n${body}`);
  }

  async write(text: string): Promise<void> {
    const { pieces = text.length || 1 } = this.#settings;
    for (let at = 0; at < text.length && !this.#socket.destroyed; at += pieces) {
      this.#socket.write(text.slice(at, at + pieces), "latin1");
      if (pieces < text.length) await nextTurn();
    }
  }

  async setup(request: CameraRequest): Promise<void> {
    const { transport = "" } = request.headers;
    const { transports = "both", sessionSeconds } = this.#settings;
    const isTcp = /TCP/.test(transport);
    if (transports !== "both" && (transports === "tcp") !== isTcp) return this.reply(461, request);
    const agreed = isTcp ? this.#setupTcp() : await this.#setupUdp(Number(/client_port=(\d+)/.exec(transport)?.[1]));
    const timeout = sessionSeconds === undefined ? "" : `;timeout=${sessionSeconds}`;
    await this.reply(200, request, { Session: `1234${timeout}`, Transport: agreed });
  }

  /** Other channels than those that were asked for. */
  #setupTcp(): string {
    this.#send = (packet) => {
      const head = Buffer.from([0x24, 4, 0, 0]);
      head.writeUInt16BE(packet.length, 2);
      this.#socket.write(Buffer.concat([head, packet]));
    };
    return "RTP/AVP/TCP;unicast;interleaved=4-5";
  }

  async #setupUdp(port: number): Promise<string> {
    const udp = createSocket("udp4");
    udp.bind(0, "127.0.0.1");
    await once(udp, "listening");
    this.#closeUdp = () => udp.close();
    this.#send = (packet) => udp.send(packet, port, "127.0.0.1");
    const own = udp.address().port;
    return `RTP/AVP;unicast;client_port=${port}-${port + 1};server_port=${own}-${own + 1}`;
  }

  play(): void {
    const { numbers = [1], between } = this.#settings;
    let sent = 0;
    const send = () => {
      const last = numbers.at(-1) ?? 0;
      const number = numbers[sent] ?? last + 1 + sent - numbers.length;
      if (sent === 2 && between) this.#socket.write(between);
      sent++;
      this.#send?.(rtpPacket(number));
    };
    for (let i = 0; i < numbers.length; i++) send();
    this.#packets = setInterval(send, PACKET_EVERY_MS);
  }

  /** The session lives on. */
  touch(): void {
    const { sessionSeconds } = this.#settings;
    clearTimeout(this.#patience);
    if (sessionSeconds !== undefined) this.#patience = setTimeout(() => this.#socket.destroy(), sessionSeconds * 1000);
  }

  stop(): void {
    clearInterval(this.#packets);
    clearTimeout(this.#patience);
    this.#closeUdp();
    this.#closeUdp = () => {};
    this.#send = undefined;
  }
}

export function rtpPacket(number: number): Buffer {
  const packet = Buffer.alloc(16, 7);
  packet.writeUInt8(0x80, 0);
  packet.writeUInt8(96, 1);
  packet.writeUInt16BE(number % 65_536, 2);
  return packet;
}

function field(line: string, part: 0 | 1): string {
  const colon = line.indexOf(":");
  return part === 0 ? line.slice(0, colon).trim() : line.slice(colon + 1).trim();
}

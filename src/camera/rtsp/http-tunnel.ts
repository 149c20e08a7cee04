import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import type { Credentials } from "../credentials.ts";
import { Deadline } from "../http/deadline.ts";
import { parseChallenges } from "../http/digest.ts";
import { explainLock, loginRefused, loginUnknown } from "../http/http-failure.ts";
import { Login } from "../http/login.ts";
import { createMask } from "../secrets.ts";
import { type CameraAddress, hostAndPort, openSocket } from "./camera-socket.ts";
import { ANSWER_TIMEOUT_MS } from "./rtsp-connection.ts";
import { explainAnswer, explainRtspConnection, hungUp } from "./rtsp-failure.ts";
import { RtspReader, type RtspResponse, writeRequest } from "./rtsp-message.ts";

export interface HttpTunnelOptions {
  readonly address: CameraAddress;
  /** With its query, percent-encoded. */
  readonly path: string;
  readonly credentials?: Credentials | undefined;
  readonly signal: AbortSignal;
}

const TUNNELLED = "application/x-rtsp-tunnelled";
const COOKIE_BYTES = 11;
/** What a POST says of its length; its body goes on for as long as the session does. */
const POST_LENGTH = "32767";

/**
 * Opens RTSP inside HTTP ("Tunneling RTSP and RTP over HTTP", Apple, QuickTime Streaming Server): what the
 * camera says comes as the endless answer to a GET, what it is told goes as the endless body of a POST
 * in Base64; a cookie ties the two together.
 *
 * @throws CctvError as `openSocket`, and CAMERA_AUTH_FAILED, CAMERA_LOCKED, CAMERA_NOT_FOUND.
 */
export async function openHttpTunnel({ address, path, credentials, signal }: HttpTunnelOptions): Promise<Duplex> {
  const login = new Login(credentials, randomBytes);
  const cookie = randomBytes(COOKIE_BYTES).toString("hex");
  const target = path.startsWith("/") ? path : `/${path}`;
  const down = await openDown(address, target, login, cookie, credentials, signal);
  try {
    const up = await openSocket(address, signal);
    const headers = {
      Host: hostAndPort(address),
      "User-Agent": "node-red-cctv",
      "x-sessioncookie": cookie,
      "Content-Type": TUNNELLED,
      "Cache-Control": "no-cache",
      "Content-Length": POST_LENGTH,
      Authorization: login.begin("POST", target).authorize(),
    };
    up.write(writeRequest("POST", target, headers, "HTTP/1.0"));
    return new HttpTunnel(down, up);
  } catch (error) {
    down.destroy();
    throw error;
  }
}

/** The GET, with a login where the camera asks for one; each try has a connection of its own. */
async function openDown(
  address: CameraAddress,
  target: string,
  login: Login,
  cookie: string,
  credentials: Credentials | undefined,
  signal: AbortSignal,
): Promise<Socket> {
  const { where } = address;
  const round = login.begin("GET", target);
  for (;;) {
    const socket = await openSocket(address, signal);
    const headers = {
      Host: hostAndPort(address),
      "User-Agent": "node-red-cctv",
      "x-sessioncookie": cookie,
      Accept: TUNNELLED,
      "Cache-Control": "no-cache",
      Authorization: round.authorize(),
    };
    socket.write(writeRequest("GET", target, headers, "HTTP/1.0"));
    const answer = await readAnswer(socket, where, signal);
    if (answer.status >= 200 && answer.status <= 299) return socket;
    socket.destroy();
    if (answer.status !== 401) throw explainAnswer(answer, where, createMask(credentials));
    const locked = explainLock(answer.body.toString("latin1"), where);
    if (locked) throw locked;
    const verdict = round.challenged(parseChallenges(answer.headers.get("www-authenticate") ?? []));
    if (verdict.kind === "unknown") throw loginUnknown(where, verdict.schemes);
    if (verdict.kind === "refused") throw loginRefused(where, credentials !== undefined);
  }
}

/** The head of the answer; what follows stays in the socket. */
function readAnswer(socket: Socket, where: string, signal: AbortSignal): Promise<RtspResponse> {
  const reader = new RtspReader({ where, protocol: "HTTP" });
  const deadline = new Deadline(ANSWER_TIMEOUT_MS, [signal]);
  deadline.watch(socket);
  return new Promise<RtspResponse>((resolve, reject) => {
    const settle = (error?: Error, answer?: RtspResponse) => {
      deadline.release();
      socket.off("data", onData).off("error", onError).off("close", onClose).pause();
      if (!answer) {
        socket.destroy();
        reject(error);
        return;
      }
      const rest = reader.takeRest();
      if (rest.length > 0) socket.unshift(rest);
      resolve(answer);
    };
    const onData = (bytes: Buffer) => {
      try {
        reader.append(bytes);
        const item = reader.next();
        if (item?.kind === "response") settle(undefined, item);
      } catch (error) {
        settle(error as Error);
      }
    };
    const onError = (error: Error) => settle(explainRtspConnection(error, where));
    const onClose = () => settle(hungUp(where));
    deadline.onEnd(() => settle(deadline.explain(where)));
    socket.on("data", onData).once("error", onError).once("close", onClose);
  });
}

/** The two connections as one. */
class HttpTunnel extends Duplex {
  readonly #down: Socket;
  readonly #up: Socket;

  constructor(down: Socket, up: Socket) {
    super();
    this.#down = down;
    this.#up = up;
    down.on("data", (bytes) => this.push(bytes) || down.pause());
    down.once("end", () => this.push(null));
    // The camera may answer the POST or close it; what counts is the GET.
    up.resume();
    for (const socket of [down, up]) socket.on("error", (error) => this.destroy(error));
    down.once("close", () => this.destroy());
    if (down.destroyed) this.destroy();
  }

  override _read(): void {
    this.#down.resume();
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#up.write(bytes.toString("base64"), "latin1", done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#down.destroy();
    this.#up.destroy();
    done(error);
  }
}

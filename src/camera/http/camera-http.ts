import { randomBytes } from "node:crypto";
import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { CctvError } from "../../errors.ts";
import { toDisplay } from "../address.ts";
import type { Credentials } from "../credentials.ts";
import { createMask, type Mask } from "../secrets.ts";
import { Deadline } from "./deadline.ts";
import { type Challenge, parseChallenges } from "./digest.ts";
import {
  explainBreak,
  explainConnection,
  explainLock,
  explainRedirect,
  explainStatus,
  loginRefused,
  loginUnknown,
  tooMuch,
} from "./http-failure.ts";
import { type Challenged, Login } from "./login.ts";

export interface CameraHttpOptions {
  /** A name, an IPv4 address, or an IPv6 address with or without brackets. */
  readonly host: string;
  readonly port: number;
  /** HTTPS where it is present. */
  readonly tls?: { readonly rejectUnauthorized: boolean } | undefined;
  readonly credentials?: Credentials | undefined;
  /** Send the password readable although the camera offers Digest, where none of its Digests is known here. */
  readonly allowBasic?: boolean;
  /** For an answer in full or, of a stream, for its headers; with connecting and logging in. Milliseconds, 10 s by default. */
  readonly timeoutMs?: number;
  /** Longer answers are refused, bytes; 8 MB by default. Streams have no end and no limit. */
  readonly maxBytes?: number;
  /** Random bytes, for the client's nonce. */
  readonly random?: (bytes: number) => Buffer;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface HttpStream {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** To be read to its end or given up (`return`), which closes the connection. Throws CctvError STREAM_LOST. */
  readonly stream: AsyncGenerator<Buffer, void>;
}

export interface OpenOptions {
  readonly signal?: AbortSignal | undefined;
  /** A part of what is there, as the header Range has it. */
  readonly range?: string | undefined;
  /** Give a redirect as the answer that it is instead of refusing it; it is not followed either way. */
  readonly givesRedirects?: boolean;
}

export interface GetOptions extends OpenOptions {
  readonly maxBytes?: number;
}

/** What a request sends along. */
export interface HttpBody {
  readonly type: string;
  readonly data: Buffer;
}

interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT";
  readonly path: string;
  readonly body?: HttpBody | undefined;
  readonly range?: string | undefined;
  readonly givesRedirects?: boolean | undefined;
}

type Agent = HttpAgent | HttpsAgent;

const TIMEOUT_MS = 10_000;
const MOST_BYTES = 8 * 1024 * 1024;
/** Enough of a refusal to see why. */
const MOST_REFUSAL_BYTES = 64 * 1024;
const CONNECTION_LOST = new Set(["ECONNRESET", "EPIPE"]);

/**
 * One camera's HTTP server: logs in with Digest or Basic, keeps one connection for short requests
 * (some cameras bind a login to its connection) and one for each stream, and follows no redirects.
 *
 * Once a camera has refused the login it is not tried again: every later request fails with the same
 * error, without a word to the camera.
 */
export class CameraHttp {
  readonly #options: CameraHttpOptions;
  readonly #timeoutMs: number;
  readonly #agent: Agent;
  readonly #login: Login;
  readonly #mask: Mask;
  readonly #maxBytes: number;
  readonly #closing = new AbortController();
  #refusal: CctvError | undefined;
  #turn: Promise<void> = Promise.resolve();

  constructor(options: CameraHttpOptions) {
    this.#options = options;
    this.#maxBytes = options.maxBytes ?? MOST_BYTES;
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.#agent = this.#newAgent();
    this.#login = new Login(options.credentials, options.random ?? randomBytes, options.allowBasic);
    this.#mask = createMask(options.credentials);
  }

  /**
   * Reads an answer whole, whatever its status but for those below.
   *
   * @param path with its query, percent-encoded, from the `/` on
   * @throws CctvError CAMERA_UNREACHABLE, CAMERA_REFUSED (also an answer too long), CAMERA_STALLED,
   * CAMERA_CERTIFICATE, CAMERA_AUTH_FAILED, CAMERA_LOCKED, CAMERA_NOT_FOUND (404 and redirects),
   * STREAM_LOST; the signal's reason when it aborts.
   */
  async get(path: string, options: GetOptions = {}): Promise<HttpAnswer> {
    const { range, givesRedirects } = options;
    return this.#ask({ method: "GET", path, range, givesRedirects }, options);
  }

  /**
   * Sends a body and reads the answer whole, as `get` does.
   * @throws CctvError as `get` does.
   */
  async send(method: "POST" | "PUT", path: string, body: HttpBody, options: GetOptions = {}): Promise<HttpAnswer> {
    return this.#ask({ method, path, body }, options);
  }

  async #ask(request: HttpRequest, { signal, maxBytes = this.#maxBytes }: GetOptions): Promise<HttpAnswer> {
    const where = this.#where(request.path);
    const deadline = this.#deadline(signal);
    try {
      const answer = await this.#inTurn(() => this.#exchange(request, this.#agent, deadline));
      const { statusCode: status = 0, headers } = answer;
      const body = await readBody(answer, maxBytes, where, deadline);
      const locked = status === 403 && explainLock(body.toString("latin1"), where);
      if (locked) throw this.#refuse(locked);
      return { status, headers, body };
    } finally {
      deadline.release();
    }
  }

  /**
   * Opens an answer of 2xx on a connection of its own, to be read as it comes.
   * @throws CctvError as `get` does, and for any status other than 2xx.
   */
  async open(path: string, { signal, range, givesRedirects }: OpenOptions = {}): Promise<HttpStream> {
    const where = this.#where(path);
    const request = { method: "GET", path, range, givesRedirects } as const;
    const deadline = this.#deadline(signal);
    const agent = this.#newAgent();
    try {
      const answer = await this.#inTurn(() => this.#exchange(request, agent, deadline));
      const { statusCode: status = 0, headers } = answer;
      if ((status < 200 || status > 299) && !isRedirect(status)) await this.#rejectStatus(answer, where, deadline);
      deadline.stopClock();
      return { status, headers, stream: this.#own(answer, agent, deadline, where) };
    } catch (error) {
      agent.destroy();
      deadline.release();
      throw error;
    }
  }

  /** Ends whatever is under way. */
  async close(): Promise<void> {
    this.#closing.abort(new CctvError("STREAM_LOST", "the connection to the camera was closed"));
    this.#agent.destroy();
  }

  /** One login at a time: a second one under way would be a second try with the same wrong password. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.then(
      () => undefined,
      () => undefined,
    );
    return mine;
  }

  /** One request, and its repetition with a login where the camera asks for one. */
  async #exchange(request: HttpRequest, agent: Agent, deadline: Deadline): Promise<IncomingMessage> {
    const where = this.#where(request.path);
    const round = this.#login.begin(request.method, targetOf(request.path));
    for (;;) {
      if (this.#refusal) throw this.#refusal;
      const answer = await this.#deliver(request, agent, round.authorize(), deadline);
      if (answer.statusCode !== 401) {
        this.#login.accepted(answer.headers);
        if (!(request.givesRedirects && isRedirect(answer.statusCode))) this.#rejectDetour(answer, where);
        return answer;
      }
      const body = await readRefusal(answer, where, deadline);
      const locked = explainLock(body, where);
      if (locked) throw this.#refuse(locked);
      const verdict = round.challenged(challengesOf(answer));
      if (verdict.kind !== "again") throw this.#refuse(this.#explainLogin(verdict, where));
    }
  }

  #explainLogin(verdict: Exclude<Challenged, { kind: "again" }>, where: string): CctvError {
    if (verdict.kind === "unknown") return loginUnknown(where, verdict.schemes);
    return loginRefused(where, this.#options.credentials !== undefined);
  }

  #refuse(refusal: CctvError): CctvError {
    this.#refusal = refusal;
    return refusal;
  }

  /** Answers that nobody wants to read. */
  #rejectDetour(answer: IncomingMessage, where: string): void {
    const { statusCode: status = 0, headers } = answer;
    if (status !== 404 && !isRedirect(status)) return;
    answer.destroy();
    throw status === 404
      ? explainStatus(status, headers, where)
      : explainRedirect(where, this.#mask(headers.location ?? ""));
  }

  async #rejectStatus(answer: IncomingMessage, where: string, deadline: Deadline): Promise<never> {
    const { statusCode: status = 0, headers } = answer;
    const locked = status === 403 ? explainLock(await readRefusal(answer, where, deadline), where) : undefined;
    throw locked ? this.#refuse(locked) : explainStatus(status, headers, where);
  }

  /** A connection that lay idle may have been closed by the camera at this very moment: that is worth one repetition. */
  async #deliver(
    request: HttpRequest,
    agent: Agent,
    authorization: string | undefined,
    deadline: Deadline,
  ): Promise<IncomingMessage> {
    try {
      return await this.#deliverOnce(request, agent, authorization, deadline);
    } catch (error) {
      if (!(error instanceof StaleConnection)) throw error;
      return this.#deliverOnce(request, agent, authorization, deadline);
    }
  }

  #deliverOnce(
    { method, path, body, range }: HttpRequest,
    agent: Agent,
    authorization: string | undefined,
    deadline: Deadline,
  ): Promise<IncomingMessage> {
    const { host, port, tls } = this.#options;
    const where = this.#where(path);
    return new Promise((resolve, reject) => {
      if (deadline.isOver) {
        reject(deadline.explain(where));
        return;
      }
      const request = (tls ? httpsRequest : httpRequest)({
        agent,
        host: host.replace(/^\[|\]$/g, ""),
        port,
        method,
        path: targetOf(path),
        headers: {
          ...(body && { "content-type": body.type, "content-length": body.data.length }),
          accept: "*/*",
          "accept-encoding": "identity",
          "user-agent": "node-red-cctv",
          ...(range && { range }),
          ...(authorization && { authorization }),
        },
        // Cameras write headers that a strict parser refuses; nobody else shares this connection.
        insecureHTTPParser: true,
      });
      deadline.onEnd(() => request.destroy());
      request.once("socket", (socket) => deadline.watch(socket));
      request.once("response", resolve);
      // Later errors, after an answer, are told by the answer itself.
      request.on("error", (error: NodeJS.ErrnoException) => {
        if (deadline.isOver) reject(deadline.explain(where));
        else if (request.reusedSocket && CONNECTION_LOST.has(error.code ?? "")) reject(new StaleConnection());
        else reject(explainConnection(error, where));
      });
      request.end(body?.data);
    });
  }

  /** Hands a stream to its reader; with its end, or the reader's, its connection ends too. */
  #own(answer: IncomingMessage, agent: Agent, deadline: Deadline, where: string): AsyncGenerator<Buffer, void> {
    const end = () => {
      deadline.release();
      answer.destroy();
      agent.destroy();
    };
    deadline.onEnd(end);
    const stream = (async function* chunks() {
      try {
        for await (const chunk of answer) yield chunk as Buffer;
      } catch (error) {
        throw deadline.isOver ? deadline.explain(where) : explainBreak(error, where);
      } finally {
        end();
      }
    })();
    // A generator that was given up before its first chunk does not come to its own `finally`.
    const giveUp = stream.return.bind(stream);
    stream.return = (value) => {
      end();
      return giveUp(value);
    };
    return stream;
  }

  #deadline(signal: AbortSignal | undefined): Deadline {
    return new Deadline(this.#timeoutMs, signal ? [signal, this.#closing.signal] : [this.#closing.signal]);
  }

  #newAgent(): Agent {
    const { tls } = this.#options;
    const one = { keepAlive: true, maxSockets: 1, maxFreeSockets: 1 };
    return tls ? new HttpsAgent({ ...one, rejectUnauthorized: tls.rejectUnauthorized }) : new HttpAgent(one);
  }

  #where(path: string): string {
    const { host, port, tls } = this.#options;
    return toDisplay({ scheme: tls ? "https" : "http", host, port, path: targetOf(path) });
  }
}

/** The request failed on a connection that had been used before. */
class StaleConnection extends Error {}

function isRedirect(status = 0): boolean {
  return status >= 300 && status <= 399;
}

/** What goes into the request line. */
function targetOf(path: string): string {
  const target = path.replace(/#.*$/s, "");
  return target.startsWith("/") ? target : `/${target}`;
}

function challengesOf({ headersDistinct }: IncomingMessage): Challenge[] {
  return parseChallenges(headersDistinct["www-authenticate"] ?? []);
}

async function readBody(answer: IncomingMessage, maxBytes: number, where: string, deadline: Deadline): Promise<Buffer> {
  const body = await readUpTo(answer, maxBytes, where, deadline);
  if (!body) throw tooMuch(where, maxBytes);
  return body;
}

/** As much as there is to see why; an endless one is not worth the wait. */
async function readRefusal(answer: IncomingMessage, where: string, deadline: Deadline): Promise<string> {
  return (await readUpTo(answer, MOST_REFUSAL_BYTES, where, deadline))?.toString("latin1") ?? "";
}

/** Undefined where there is more, which is then not read. */
async function readUpTo(
  answer: IncomingMessage,
  maxBytes: number,
  where: string,
  deadline: Deadline,
): Promise<Buffer | undefined> {
  if (Number(answer.headers["content-length"]) > maxBytes) {
    answer.destroy();
    return undefined;
  }
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of answer) {
      length += chunk.length;
      // Leaving the loop destroys the answer.
      if (length > maxBytes) return undefined;
      chunks.push(chunk);
    }
  } catch (error) {
    throw deadline.isOver ? deadline.explain(where) : explainBreak(error, where);
  }
  return Buffer.concat(chunks, length);
}

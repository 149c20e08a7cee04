import { randomBytes } from "node:crypto";
import { CctvError } from "../../../errors.ts";
import { toDisplay } from "../../address.ts";
import type { Credentials } from "../../credentials.ts";
import { CameraHttp, type HttpAnswer } from "../../http/camera-http.ts";
import type { XmlElement } from "../../xml.ts";
import { measureClock } from "./camera-clock.ts";
import { actionOf, noOnvif, readEnvelope, type SoapRequest, writeEnvelope } from "./envelope.ts";
import type { HttpTarget } from "./reported-address.ts";
import { SOAP_TYPE } from "./services.ts";
import { SoapFault } from "./soap-fault.ts";
import { writeUsernameToken } from "./username-token.ts";

export interface SoapClientOptions {
  /** A name, an IPv4 address, or an IPv6 address with or without brackets. */
  readonly host: string;
  /** The device service, which tells the camera's time. */
  readonly device: HttpTarget;
  readonly rejectUnauthorized: boolean;
  readonly credentials?: Credentials | undefined;
  /** For one answer in full, milliseconds; 8 s by default. */
  readonly timeoutMs?: number;
  /** Epoch milliseconds. */
  readonly now?: () => number;
}

export interface SoapAnswer {
  /** The element inside the body. */
  readonly element: XmlElement;
  /** The whole message, for what needs its namespaces. */
  readonly text: string;
}

/** A CameraHttp for one port, and whether it was asked for a Digest. */
interface Connection {
  readonly http: CameraHttp;
  challenged: boolean;
}

/** How a camera wants to know who asks: as HTTP does, if at all, or by a token of WS-Security in each message. */
type LoginWay = "http" | "token";

type Purpose = "services" | "files";

interface Attempt {
  readonly target: HttpTarget;
  readonly request: SoapRequest;
  readonly signal: AbortSignal;
}

const TIMEOUT_MS = 8_000;
const MOST_BYTES = 2 * 1024 * 1024;
const NONCE_BYTES = 20;
/** Cameras accept tokens that are at least so many milliseconds off. */
const CLOCK_TOLERANCE_MS = 2_000;

/**
 * Calls operations of one camera, one at a time, and finds out how it wants a login: the first request has none;
 * an HTTP challenge is answered, and the fault NotAuthorized means WS-Security. So a wrong password is
 * told to the camera once and not again.
 */
export class SoapClient {
  readonly #options: SoapClientOptions;
  readonly #now: () => number;
  readonly #connections = new Map<string, Connection>();
  #way: LoginWay = "http";
  /** The actions that a login has opened: it was good then. */
  #opened = new Set<string>();
  #clockOffset: number | undefined;
  #refusal: CctvError | undefined;
  #turn: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: SoapClientOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** Another client, with connections of its own, that knows what this one has found out. */
  fork(timeoutMs: number): SoapClient {
    const client = new SoapClient({ ...this.#options, timeoutMs });
    client.#way = this.#way;
    client.#opened = new Set(this.#opened);
    client.#clockOffset = this.#clockOffset;
    return client;
  }

  /**
   * @throws SoapFault where the camera refuses; CctvError CAMERA_AUTH_FAILED, after which it is asked no more,
   * CAMERA_NOT_FOUND where there is no ONVIF, and what CameraHttp throws; the signal's reason when it aborts.
   */
  async call(target: HttpTarget, request: SoapRequest, signal: AbortSignal): Promise<SoapAnswer> {
    // One at a time: a second request under way would be a second try with the same wrong password.
    const mine = this.#turn.then(() => this.#callNow({ target, request, signal }));
    this.#turn = mine.then(
      () => undefined,
      () => undefined,
    );
    return mine;
  }

  /**
   * Reads a file, such as a snapshot, with a login by HTTP.
   * @throws CctvError as CameraHttp does; CAMERA_REFUSED where only this is not open to the user
   */
  async download(target: HttpTarget, maxBytes: number, signal: AbortSignal): Promise<HttpAnswer> {
    try {
      // Apart from the services: a camera that takes tokens there wants a login by HTTP here.
      return await this.#connection(target, "files").http.get(target.path, { signal, maxBytes });
    } catch (error) {
      if (this.#opened.size === 0 || !isRefusedLogin(error)) throw error;
      throw new CctvError(
        "CAMERA_REFUSED",
        `${this.where(target)} does not take the login that ONVIF takes; see whether the camera keeps other users for its web pages`,
        { cause: error },
      );
    }
  }

  /** How the address looks to people. */
  where({ port, secure, path }: HttpTarget): string {
    return toDisplay({ scheme: secure ? "https" : "http", host: this.#options.host, port, path });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#connections.values()].map(({ http }) => http.close()));
  }

  async #callNow(attempt: Attempt): Promise<SoapAnswer> {
    attempt.signal.throwIfAborted();
    if (this.#refusal) throw this.#refusal;
    try {
      return await this.#send(attempt);
    } catch (error) {
      if (!isRefusedLogin(error) || attempt.signal.aborted) throw error;
      const again = await this.#reconsider(attempt, error);
      if (!again) throw this.#explainRefusal(attempt, error);
    }
    return this.#secondTry(attempt);
  }

  /** With another login than before; what is refused now stays refused. */
  async #secondTry(attempt: Attempt): Promise<SoapAnswer> {
    try {
      return await this.#send(attempt);
    } catch (error) {
      throw isRefusedLogin(error) ? this.#explainRefusal(attempt, error) : error;
    }
  }

  /** Whether the same request may succeed with another login. */
  async #reconsider({ target, signal }: Attempt, refusal: CctvError): Promise<boolean> {
    if (!this.#options.credentials) return false;
    const isFault = refusal instanceof SoapFault;
    if (this.#way === "token") return this.#clockHasChanged(signal);
    if (!isFault && this.#connection(target).challenged) return false;
    // HTTP asked for nothing that could be answered, and its client has given up.
    if (!isFault) await this.#reconnect(target);
    this.#way = "token";
    return true;
  }

  async #clockHasChanged(signal: AbortSignal): Promise<boolean> {
    const before = this.#clockOffset;
    if (this.#opened.size === 0 || before === undefined) return false;
    this.#clockOffset = undefined;
    return Math.abs((await this.#offset(signal)) - before) > CLOCK_TOLERANCE_MS;
  }

  #explainRefusal({ target, request }: Attempt, refusal: CctvError): CctvError {
    const isKnown = this.#opened.size > 0;
    // A user who is known may lack one right; the login is good for the others.
    if (isKnown && refusal instanceof SoapFault && !this.#opened.has(actionOf(request))) {
      return new CctvError("CAMERA_REFUSED", refusal.message, { cause: refusal });
    }
    const where = this.where(target);
    const message = this.#options.credentials
      ? `${where} does not accept this user name and password; correct them, and see whether the camera keeps users of their own for ONVIF`
      : `${where} asks for a user name and password; enter them`;
    this.#refusal = new CctvError("CAMERA_AUTH_FAILED", message, { cause: refusal });
    return this.#refusal;
  }

  async #send({ target, request, signal }: Attempt): Promise<SoapAnswer> {
    const security = await this.#security(signal);
    const connection = this.#connection(target);
    const data = Buffer.from(writeEnvelope(request, security));
    const type = `${SOAP_TYPE}; action="${actionOf(request)}"`;
    const { status, body } = await connection.http
      .send("POST", target.path, { type, data }, { signal })
      .catch((error: unknown) => {
        const isNothing = error instanceof CctvError && error.code === "CAMERA_NOT_FOUND";
        throw isNothing ? noOnvif(this.where(target), error) : error;
      });
    const text = body.toString();
    const element = readEnvelope(text, status, request.operation, this.where(target));
    if (security || connection.challenged) this.#opened.add(actionOf(request));
    return { element, text };
  }

  async #security(signal: AbortSignal): Promise<string> {
    const { credentials } = this.#options;
    if (this.#way !== "token" || !credentials) return "";
    const created = new Date(this.#now() + (await this.#offset(signal)));
    return writeUsernameToken(credentials, created, randomBytes(NONCE_BYTES));
  }

  async #offset(signal: AbortSignal): Promise<number> {
    const { device } = this.#options;
    this.#clockOffset ??= await measureClock({
      openHttp: () => this.#newHttp(device, undefined),
      path: device.path,
      now: this.#now,
      signal,
    });
    return this.#clockOffset;
  }

  #connection(target: HttpTarget, purpose: Purpose = "services"): Connection {
    if (this.#closed) throw new CctvError("STREAM_LOST", "the connection to the camera was closed");
    const key = keyOf(target, purpose);
    let connection = this.#connections.get(key);
    if (!connection) {
      connection = this.#newConnection(target, this.#options.credentials);
      this.#connections.set(key, connection);
    }
    return connection;
  }

  /** Anew, without a login by HTTP. */
  async #reconnect(target: HttpTarget): Promise<void> {
    await this.#connection(target).http.close();
    this.#connections.set(keyOf(target, "services"), this.#newConnection(target, undefined));
  }

  #newConnection(target: HttpTarget, credentials: Credentials | undefined): Connection {
    const connection: Connection = {
      challenged: false,
      http: this.#newHttp(target, credentials, (bytes) => {
        // A nonce of ours is drawn where a Digest is to be answered.
        connection.challenged = true;
        return randomBytes(bytes);
      }),
    };
    return connection;
  }

  #newHttp(target: HttpTarget, credentials: Credentials | undefined, random = randomBytes): CameraHttp {
    const { host, rejectUnauthorized, timeoutMs = TIMEOUT_MS } = this.#options;
    return new CameraHttp({
      host,
      port: target.port,
      tls: target.secure ? { rejectUnauthorized } : undefined,
      credentials,
      timeoutMs,
      maxBytes: MOST_BYTES,
      random,
    });
  }
}

function keyOf({ port, secure }: HttpTarget, purpose: Purpose): string {
  return `${port} ${secure} ${purpose}`;
}

function isRefusedLogin(error: unknown): error is CctvError {
  return error instanceof SoapFault
    ? error.isNotAuthorized
    : error instanceof CctvError && error.code === "CAMERA_AUTH_FAILED";
}

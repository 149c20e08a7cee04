import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { noteServer } from "./inventory.ts";

noteServer("HTTP: simulated", true);

export interface HttpCameraSettings {
  /** What it asks for; nothing by default. */
  readonly login?: "basic" | "digest" | "both";
  readonly username?: string;
  readonly password?: string;
  /** The only one that its Digest offers; MD5 by default. */
  readonly algorithm?: "MD5" | "SHA-256";
  /** A new nonce, told as stale, after so many requests. */
  readonly requestsPerNonce?: number;
  /** Key and certificate in PEM: makes it HTTPS. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Its address on loopback; 127.0.0.1 by default. */
  readonly host?: string;
  /** Any that is free by default. */
  readonly port?: number;
  readonly answer: RequestListener;
}

/** An HTTP server on loopback that logs in as cameras do and answers as a test wants. */
export class HttpCamera {
  /** Requests that carried a wrong login. */
  wrongLogins = 0;
  requests = 0;
  connections = 0;
  readonly #settings: HttpCameraSettings;
  readonly #server;
  #nonce = 0;
  #answered = 0;

  private constructor(settings: HttpCameraSettings) {
    this.#settings = settings;
    const listener: RequestListener = (request, response) => this.#handle(request, response);
    this.#server = settings.tls ? createTlsServer(settings.tls, listener) : createServer(listener);
    this.#server.on("connection", () => this.connections++);
  }

  static async start(settings: HttpCameraSettings): Promise<HttpCamera> {
    const camera = new HttpCamera(settings);
    await once(camera.#server.listen(settings.port ?? 0, camera.#host), "listening");
    return camera;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get #host(): string {
    return this.#settings.host ?? "127.0.0.1";
  }

  url(path = "/"): string {
    return `${this.#settings.tls ? "https" : "http"}://${this.#host}:${this.port}${path}`;
  }

  async openConnections(): Promise<number> {
    return promisify(this.#server.getConnections.bind(this.#server))();
  }

  /** Takes no more connections and drops those that it has. */
  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Takes connections again after `stop`, at the same port. */
  async resume(port: number): Promise<void> {
    await once(this.#server.listen(port, this.#host), "listening");
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    this.requests++;
    const verdict = this.#check(request);
    if (verdict === "ok") {
      this.#answered++;
      this.#settings.answer(request, response);
      return;
    }
    if (verdict === "wrong") this.wrongLogins++;
    if (verdict !== "none") this.#nonce++;
    this.#answered = 0;
    const { login, algorithm } = this.#settings;
    const named = algorithm ? `, algorithm=${algorithm}` : "";
    const stale = verdict === "stale" ? ", stale=true" : "";
    const digest = `Digest realm="test", qop="auth", nonce="${this.#nonce}"${named}${stale}`;
    const challenges = { basic: ['Basic realm="test"'], digest: [digest], both: ['Basic realm="test"', digest] };
    response.writeHead(401, { "www-authenticate": challenges[login ?? "basic"] }).end("no");
  }

  #check({ headers, method, url }: IncomingMessage): "ok" | "none" | "wrong" | "stale" {
    const { login, username, password, requestsPerNonce = Number.POSITIVE_INFINITY } = this.#settings;
    const { algorithm = "MD5" } = this.#settings;
    const { authorization } = headers;
    if (!login) return "ok";
    if (!authorization) return "none";
    if (login === "basic") {
      return authorization === `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}` ? "ok" : "wrong";
    }
    const field = (name: string) => new RegExp(`\\b${name}="?([^",]*)`).exec(authorization)?.[1];
    if (field("nonce") !== String(this.#nonce) || this.#answered >= requestsPerNonce) return "stale";
    const hash = (...parts: (string | undefined)[]) =>
      createHash(algorithm.replace("-", "").toLowerCase()).update(parts.join(":")).digest("hex");
    const expected = hash(
      hash(username, "test", password),
      field("nonce"),
      field("nc"),
      field("cnonce"),
      "auth",
      hash(method, url),
    );
    return field("response") === expected && Number.parseInt(field("nc") ?? "", 16) === this.#answered + 1
      ? "ok"
      : "wrong";
  }
}

/** A stream of the same JPEG, ten times a second, until the client leaves. */
export function mjpeg(
  jpeg: Buffer,
  options: { readonly times?: number; readonly boundary?: string } = {},
): RequestListener {
  const { times = Number.POSITIVE_INFINITY, boundary = "frame" } = options;
  return (_request, response) => {
    response.writeHead(200, { "content-type": 'multipart/x-mixed-replace; boundary="frame"' });
    let sent = 0;
    const timer = setInterval(() => {
      if (sent++ < times)
        response.write(
          Buffer.concat([Buffer.from(`--${boundary}\r\nContent-Type: image/jpeg\r\n\r\n`), jpeg, Buffer.from("\r\n")]),
        );
    }, 100);
    response.on("close", () => clearInterval(timer));
  };
}

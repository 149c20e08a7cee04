import { setTimeout as sleep } from "node:timers/promises";
import { CctvError } from "../../../errors.ts";
import { type NetworkAddress, parseNetworkAddress, toDisplay } from "../../address.ts";
import { CameraHttp } from "../../http/camera-http.ts";
import { explainStatus, tooMuch } from "../../http/http-failure.ts";
import { START_OF_JPEG, startsAsJpeg } from "../../http/jpeg-scanner.ts";
import { boundaryOf, readParts } from "../../http/multipart.ts";
import type { CameraConfig, JpegInput, Protocol } from "../protocol.ts";

const DEFAULT_PORTS = { http: 80, https: 443 } as const;
const MOST_PICTURE_BYTES = 8 * 1024 * 1024;
/** By then the first picture, or what stands before it, has begun. */
const ENOUGH_TO_SEE = 64 * 1024;
const NO_PICTURES = /^(?:text\/html\b|.*mpegurl\b)/i;
/** A boundary, or a header of a part. */
const LINE_BEFORE_PICTURE = /^(?:--\S|content-(?:type|length)[ \t]*:)/im;

/**
 * Cameras that show pictures to a browser: a stream of JPEGs in one answer (multipart), or one JPEG for
 * each request, which is then polled. What the camera's first answer holds decides which it is: many cameras
 * name another type, or none.
 */
export const httpProtocol: Protocol<JpegInput> = {
  name: "http",
  schemes: ["http", "https"],
  fields: ["username", "password", "certificate"],

  async resolve(config: CameraConfig): Promise<JpegInput> {
    const isSecure = /^\s*https:/i.test(config.address);
    const address = parseNetworkAddress(config.address, DEFAULT_PORTS[isSecure ? "https" : "http"], config);
    const { host, port, credentials } = address;
    return {
      kind: "jpeg",
      display: toDisplay(address),
      live: true,
      loop: false,
      endpoint: { host: host.replace(/^\[|\]$/g, ""), port },
      ...(credentials && { credentials }),
      async *jpegs(fps, signal) {
        const rejectUnauthorized = config.certificate !== "any";
        const camera = new CameraHttp({ host, port, credentials, tls: isSecure ? { rejectUnauthorized } : undefined });
        try {
          yield* pictures(camera, address, fps, signal);
        } finally {
          await camera.close();
        }
      },
    };
  },
};

async function* pictures(
  camera: CameraHttp,
  address: NetworkAddress,
  fps: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void> {
  const { headers, stream } = await camera.open(address.path, { signal });
  const contentType = headers["content-type"] ?? "";
  const display = toDisplay(address);
  if (NO_PICTURES.test(contentType)) {
    await stream.return();
    throw explainContent(contentType, display);
  }
  const beginning = new Beginning(contentType, display);
  let count = 0;
  const options = { boundary: boundaryOf(contentType), maxPartBytes: MOST_PICTURE_BYTES };
  for await (const { body } of readParts(beginning.watch(stream), options)) {
    // Others are events and the like.
    if (!startsAsJpeg(body)) continue;
    beginning.isOver = true;
    count++;
    yield body;
  }
  if (beginning.isJpeg && count < 2) yield* polled(camera, address, fps, signal);
  else if (count === 0) throw beginning.explain();
}

/** Looks at what comes before the first picture, so that an answer without pictures is not read for ever. */
class Beginning {
  /** A picture has come. */
  isOver = false;
  readonly #contentType: string;
  readonly #display: string;
  #bytes = Buffer.alloc(0);
  #length = 0;

  constructor(contentType: string, display: string) {
    this.#contentType = contentType;
    this.#display = display;
  }

  /** The answer is a picture from its first byte on. */
  get isJpeg(): boolean {
    return startsAsJpeg(this.#bytes);
  }

  async *watch(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
    for await (const chunk of stream) {
      if (!this.isOver) this.#look(chunk);
      yield chunk;
    }
  }

  explain(): CctvError {
    const isPage = /^\s*<(?:!doctype|html|head|body|\?xml)/i.test(this.#bytes.toString("latin1"));
    return explainContent(isPage ? "text/html" : this.#contentType, this.#display);
  }

  #look(chunk: Buffer): void {
    this.#length += chunk.length;
    if (this.#bytes.length < ENOUGH_TO_SEE) {
      this.#bytes = Buffer.concat([this.#bytes, chunk.subarray(0, ENOUGH_TO_SEE - this.#bytes.length)]);
      if (this.#bytes.length === ENOUGH_TO_SEE && !this.#promisesPictures()) throw this.explain();
    }
    if (this.#length > 2 * MOST_PICTURE_BYTES) throw tooMuch(this.#display, MOST_PICTURE_BYTES);
  }

  #promisesPictures(): boolean {
    return this.#bytes.includes(START_OF_JPEG) || LINE_BEFORE_PICTURE.test(this.#bytes.toString("latin1"));
  }
}

/** Asks again and again, `fps` times a second or as fast as the camera answers. */
async function* polled(
  camera: CameraHttp,
  address: NetworkAddress,
  fps: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void> {
  const display = toDisplay(address);
  let dueAt = performance.now();
  for (;;) {
    dueAt = Math.max(dueAt + 1000 / fps, performance.now());
    await sleep(dueAt - performance.now(), undefined, { signal });
    const { status, headers, body } = await camera.get(address.path, { signal, maxBytes: MOST_PICTURE_BYTES });
    if (status < 200 || status > 299) throw explainStatus(status, headers, display);
    if (!startsAsJpeg(body)) throw explainContent(headers["content-type"] ?? "", display);
    yield body;
  }
}

function explainContent(contentType: string, display: string): CctvError {
  const type = contentType.replace(/;.*$/s, "").trim().toLowerCase();
  if (type === "text/html") {
    return new CctvError(
      "CAMERA_NOT_FOUND",
      `${display} is a web page, not a picture: look in the camera's manual for the address of its MJPEG stream or snapshot`,
    );
  }
  if (type.endsWith("mpegurl")) {
    return new CctvError(
      "CAMERA_NOT_FOUND",
      `${display} is an HLS playlist, not a picture: give it an address that ends in .m3u8`,
    );
  }
  return new CctvError(
    "CAMERA_NOT_FOUND",
    `${display} sends ${type || "something unnamed"}, which is no JPEG; check the path, it should be that of an MJPEG stream or a snapshot`,
  );
}

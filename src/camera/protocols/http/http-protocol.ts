import { setTimeout as sleep } from "node:timers/promises";
import { CctvError } from "../../../errors.ts";
import { type NetworkAddress, parseNetworkAddress, toDisplay } from "../../address.ts";
import { CameraHttp, type HttpStream } from "../../http/camera-http.ts";
import { explainStatus, tooMuch } from "../../http/http-failure.ts";
import { startsAsJpeg } from "../../http/jpeg-scanner.ts";
import { boundaryOf, readParts } from "../../http/multipart.ts";
import type { CameraConfig, JpegInput, Protocol } from "../protocol.ts";

const DEFAULT_PORTS = { http: 80, https: 443 } as const;
const MOST_PICTURE_BYTES = 8 * 1024 * 1024;

/**
 * Cameras that show pictures to a browser: a stream of JPEGs in one answer (multipart), or one JPEG for
 * each request, which is then polled. The camera's first answer decides which it is.
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
  const answer = await camera.open(address.path, { signal });
  const contentType = answer.headers["content-type"] ?? "";
  if (/^multipart\//i.test(contentType)) {
    yield* streamed(answer.stream, contentType);
    return;
  }
  const display = toDisplay(address);
  if (!/^(image\/|application\/octet-stream|$)/i.test(contentType)) {
    await answer.stream.return();
    throw explainContent(contentType, display);
  }
  yield await readPicture(answer, display);
  yield* polled(camera, address, fps, signal);
}

async function* streamed(stream: AsyncIterable<Buffer>, contentType: string): AsyncGenerator<Buffer, void> {
  const options = { boundary: boundaryOf(contentType), maxPartBytes: MOST_PICTURE_BYTES };
  for await (const { body } of readParts(stream, options)) {
    // Others are events and the like.
    if (startsAsJpeg(body)) yield body;
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

async function readPicture({ headers, stream }: HttpStream, display: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > MOST_PICTURE_BYTES) throw tooMuch(display, MOST_PICTURE_BYTES);
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks, length);
  if (!startsAsJpeg(body)) throw explainContent(headers["content-type"] ?? "", display);
  return body;
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

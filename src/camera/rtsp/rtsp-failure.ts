import { CctvError } from "../../errors.ts";
import { explainConnection, explainLock, explainRedirect, explainStatus } from "../http/http-failure.ts";
import type { Mask } from "../secrets.ts";
import { first } from "./rtsp-headers.ts";
import type { RtspResponse } from "./rtsp-message.ts";

/** A connection that failed or ended before the camera had answered. */
export function explainRtspConnection(error: NodeJS.ErrnoException, where: string): CctvError {
  const explained = explainConnection(error, where);
  if (explained === error || explained.code !== "CAMERA_REFUSED" || error.code === "ECONNREFUSED") return explained;
  if (/^(EPROTO|ERR_SSL_|ERR_TLS_)/.test(error.code ?? "")) {
    return new CctvError(
      "CAMERA_REFUSED",
      `${where} cannot agree on TLS with this machine (${error.code}); check the port, or try the address without TLS`,
      { cause: error },
    );
  }
  return hungUp(where, error);
}

export function hungUp(where: string, cause?: Error): CctvError {
  return new CctvError(
    "CAMERA_REFUSED",
    `${where} takes the connection but hangs up; check the port, whether it wants rtsps:// (TLS), and whether it has too many viewers`,
    cause && { cause },
  );
}

export function isWebServer(where: string): CctvError {
  return new CctvError(
    "CAMERA_REFUSED",
    `${where} gives no proper answer: a web server listens there; check the port, that of RTSP is usually 554`,
  );
}

export function notRtsp(where: string): CctvError {
  return new CctvError(
    "CAMERA_REFUSED",
    `${where} gives no proper answer: it does not speak RTSP; check the port and the kind of the camera`,
  );
}

export function noVideo(where: string): CctvError {
  return new CctvError("CAMERA_NOT_FOUND", `${where} sends no video; check the path and the channel`);
}

export function wrongTransport(where: string): CctvError {
  return new CctvError(
    "CAMERA_REFUSED",
    `${where} does not offer the chosen transport; choose another one or automatic`,
  );
}

export function streamLost(where: string, cause?: Error): CctvError {
  return new CctvError(
    "STREAM_LOST",
    `the stream of ${where} broke off; it is opened again as soon as the camera answers`,
    cause && { cause },
  );
}

/** What an answer other than 2xx and 401 means. */
export function explainAnswer({ status, headers, body }: RtspResponse, where: string, mask: Mask): CctvError {
  if (status >= 300 && status <= 399) return explainRedirect(where, mask(first(headers, "location") ?? ""));
  const locked = status === 403 ? explainLock(body.toString("latin1"), where) : undefined;
  if (locked) return locked;
  if (status === 461) return wrongTransport(where);
  const retryAfter = first(headers, "retry-after");
  // A session that is not found before there is one means a path that is not found.
  return explainStatus(status === 454 ? 404 : status, retryAfter ? { "retry-after": retryAfter } : {}, where);
}

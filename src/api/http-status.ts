import { CctvError, type ErrorCode } from "../errors.ts";
import { RefusedRequest } from "./access/refused-request.ts";
import type { Answer } from "./context.ts";

const SERVER_ERROR = 500;

/** By code, where it is not this side's fault: the request is wrong, or the camera does not do its part. */
const STATUS: Readonly<Partial<Record<ErrorCode, number>>> = {
  ACCESS_DENIED: 401,
  ADDRESS_FORBIDDEN: 422,
  ADDRESS_INVALID: 400,
  ADDRESS_SCHEME_UNKNOWN: 400,
  CAMERA_AUTH_FAILED: 502,
  CAMERA_CERTIFICATE: 502,
  CAMERA_DEVICE_MISSING: 502,
  CAMERA_EXISTS: 409,
  CAMERA_LOCKED: 502,
  CAMERA_NOT_FOUND: 502,
  CAMERA_REFUSED: 502,
  CAMERA_STALLED: 502,
  CAMERA_UNKNOWN: 404,
  CAMERA_UNREACHABLE: 502,
  CAMERA_UNSUPPORTED: 502,
  DISCOVERY_RUNNING: 409,
  MESSAGE_INVALID: 400,
  RATE_LIMITED: 429,
  REQUEST_INVALID: 400,
  SETTING_INVALID: 400,
  STREAM_LOST: 502,
};

/** The one place where an error becomes an answer. Nothing of an error that is not ours is told to the client. */
export function toErrorAnswer(error: unknown): Answer {
  const failure = error instanceof CctvError ? error : unforeseen(error);
  const status = failure instanceof RefusedRequest ? failure.status : (STATUS[failure.code] ?? SERVER_ERROR);
  const headers = failure instanceof RefusedRequest ? failure.headers : {};
  const { code, message } = failure;
  return {
    status,
    headers: { "cache-control": "no-store", ...headers },
    body: { status: "error", message, code },
    ...(status >= SERVER_ERROR && { failure }),
  };
}

/** Whether it is the camera that could not be shown, rather than the request or this side that is wrong. */
export function isCameraFailure(error: unknown): error is CctvError {
  return error instanceof CctvError && (STATUS[error.code] === 502 || error.code === "DECODER_FAILED");
}

function unforeseen(cause: unknown): CctvError {
  return new CctvError(
    "REQUEST_FAILED",
    "the request failed for a reason that was not foreseen; see Node-RED's log, and please report it",
    { cause },
  );
}

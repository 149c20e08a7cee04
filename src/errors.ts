/**
 * Every failure that a user can meet, by code. `docs/errors.md` says for each what to do about it;
 * a test keeps the two lists the same.
 */
export const ERROR_CODES = [
  "ACCESS_DENIED",
  "ADDRESS_FORBIDDEN",
  "ADDRESS_INVALID",
  "ADDRESS_SCHEME_UNKNOWN",
  "CAMERA_AUTH_FAILED",
  "CAMERA_AWAITED",
  "CAMERA_CERTIFICATE",
  "CAMERA_DEVICE_MISSING",
  "CAMERA_EXISTS",
  "CAMERA_LOCKED",
  "CAMERA_NOT_FOUND",
  "CAMERA_REFUSED",
  "CAMERA_RUNTIME_MISSING",
  "CAMERA_STALLED",
  "CAMERA_UNKNOWN",
  "CAMERA_UNREACHABLE",
  "CAMERA_UNSUPPORTED",
  "DATA_INVALID",
  "DECODER_FAILED",
  "DISCOVERY_FAILED",
  "DISCOVERY_RUNNING",
  "FFMPEG_MISSING",
  "FFMPEG_TOO_OLD",
  "FILE_EMPTY",
  "FILE_NOT_FOUND",
  "FILE_NOT_VIDEO",
  "FRAME_INVALID",
  "INFERENCE_FAILED",
  "MESSAGE_INVALID",
  "MODEL_NOT_FOUND",
  "MODEL_UNREADABLE",
  "MODEL_UNSUPPORTED",
  "RATE_LIMITED",
  "REQUEST_FAILED",
  "REQUEST_INVALID",
  "RUNTIME_MISSING",
  "SETTING_INVALID",
  "SNAPSHOT_FAILED",
  "STORE_FAILED",
  "STREAM_LOST",
  "TREES_INVALID",
  "TREES_NOT_FOUND",
  "TREES_TOO_LARGE",
  "TREES_UNSUPPORTED",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/**
 * The one error type of this package. `message` says in a sentence what is wrong and what to do; it
 * never holds a password. Node-RED passes `code` on to Catch nodes.
 */
export class CctvError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "CctvError";
    this.code = code;
  }

  /** What logs and Catch nodes show. */
  override toString(): string {
    return `${this.code}: ${this.message}`;
  }
}

/** Wraps what is not ours yet, so that nothing crosses a boundary without a code. */
export function asCctvError(error: unknown, code: ErrorCode): CctvError {
  if (error instanceof CctvError) return error;
  return new CctvError(code, error instanceof Error ? error.message : String(error), { cause: error });
}

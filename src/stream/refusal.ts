import { CctvError } from "../errors.ts";

/** Whether a camera has refused the login: each further try may lock the account. */
export function isRefusal(error: unknown): error is CctvError {
  return error instanceof CctvError && (error.code === "CAMERA_AUTH_FAILED" || error.code === "CAMERA_LOCKED");
}

import { CctvError } from "../../errors.ts";
import type { HttpAnswer } from "./camera-http.ts";

/**
 * Gives a 404, and a redirect, as an answer of 404 without a body: for what one camera has and another one has not.
 *
 * @param asked what `CameraHttp.get` or `send` returned
 * @throws what that throws for all else.
 */
export async function orNotFound(asked: Promise<HttpAnswer>): Promise<HttpAnswer> {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof CctvError) || error.code !== "CAMERA_NOT_FOUND") throw error;
    return { status: 404, headers: {}, body: Buffer.alloc(0) };
  }
}

export function isSuccess({ status }: HttpAnswer): boolean {
  return status >= 200 && status <= 299;
}

/** The device has no such thing, or this user may not have it; other failures may pass. */
export function isDenied({ status }: HttpAnswer): boolean {
  return (status >= 400 && status <= 499) || status === 501;
}

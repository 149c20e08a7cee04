import { CctvError } from "../../errors.ts";
import type { CameraHttp, HttpStream } from "./camera-http.ts";
import { boundaryOf, type Part, readParts } from "./multipart.ts";

export interface EventPartsOptions {
  readonly signal: AbortSignal;
  /** The device, for people. */
  readonly where: string;
  /** Fails where the login itself is no longer good; tells a login that was refused from a right that is missing. */
  readonly checkLogin: () => Promise<unknown>;
  /** So long without any part, heartbeats included, counts as a dead connection, milliseconds; 30 s by default. */
  readonly quietMs?: number | undefined;
}

const QUIET_MS = 30_000;
const MOST_PART_BYTES = 8 * 1024 * 1024;

/**
 * The parts of an answer that a camera keeps open to tell what it notices, until the signal aborts.
 *
 * @throws CctvError CAMERA_UNSUPPORTED where the camera or the account has no such thing, CAMERA_STALLED when nothing
 * comes, STREAM_LOST when the camera ends it, and as `CameraHttp.open`.
 */
export async function* eventParts(
  http: CameraHttp,
  path: string,
  options: EventPartsOptions,
): AsyncGenerator<Part, void> {
  const { signal, where, quietMs = QUIET_MS } = options;
  const quiet = new AbortController();
  const timer = setTimeout(() => quiet.abort(stalled(where, quietMs)), quietMs);
  const either = AbortSignal.any([signal, quiet.signal]);
  try {
    const { headers, stream } = await open(http, path, { ...options, signal: either });
    const boundary = boundaryOf(headers["content-type"] ?? "");
    for await (const part of readParts(stream, { boundary, maxPartBytes: MOST_PART_BYTES })) {
      timer.refresh();
      yield part;
      timer.refresh();
    }
    throw new CctvError("STREAM_LOST", `${where} has ended its stream of events; it is asked again`);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function open(http: CameraHttp, path: string, options: EventPartsOptions): Promise<HttpStream> {
  const { signal, where, checkLogin } = options;
  const answer = await http.open(path, { signal }).catch(async (error: unknown) => {
    const code = error instanceof CctvError ? error.code : undefined;
    if (code !== "CAMERA_AUTH_FAILED" && code !== "CAMERA_NOT_FOUND") throw error;
    if (code === "CAMERA_AUTH_FAILED") await checkLogin();
    throw unsupported(where, error);
  });
  if (/^multipart\//i.test(answer.headers["content-type"] ?? "")) return answer;
  await answer.stream.return();
  throw unsupported(where);
}

function unsupported(where: string, cause?: unknown): CctvError {
  return new CctvError(
    "CAMERA_UNSUPPORTED",
    `${where} sends no events to this user; give the account the right to them, or leave events out if the device has none`,
    { cause },
  );
}

function stalled(where: string, quietMs: number): CctvError {
  return new CctvError(
    "CAMERA_STALLED",
    `${where} has sent no event and no heartbeat for ${quietMs / 1000} s; it is asked again, look at the network if it keeps happening`,
  );
}

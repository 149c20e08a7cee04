import { connect } from "node:net";
import type { Endpoint } from "../camera/protocols/protocol.ts";
import { CctvError } from "../errors.ts";

const CONNECT_TIMEOUT_MS = 5_000;
/** How long a camera gets to close its side: one that serves a single client is then free for the next. */
const GOODBYE_MS = 200;

/**
 * Opens and closes a TCP connection: tells a camera that is off from one that is there, at no login,
 * and without starting a decoder for it.
 *
 * @throws CctvError CAMERA_REFUSED, CAMERA_UNREACHABLE; the signal's reason when it aborts.
 */
export function reach({ host, port }: Endpoint, signal: AbortSignal, timeoutMs = CONNECT_TIMEOUT_MS): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const socket = connect({ host, port });
    const settle = (error?: unknown) => {
      signal.removeEventListener("abort", abort);
      socket.destroy();
      if (error === undefined) resolve();
      else reject(error);
    };
    const abort = () => settle(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    let connected = false;
    socket.setTimeout(timeoutMs);
    socket.once("timeout", () => settle(connected ? undefined : explainConnect("ETIMEDOUT", host, port)));
    socket.on("error", (error: NodeJS.ErrnoException) =>
      settle(connected ? undefined : explainConnect(error.code, host, port, error)),
    );
    socket.once("connect", () => {
      connected = true;
      socket.setTimeout(GOODBYE_MS);
      socket.once("close", () => settle());
      socket.resume().end();
    });
  });
}

function explainConnect(reason: string | undefined, host: string, port: number, cause?: Error): CctvError {
  const options = cause && { cause };
  switch (reason) {
    case "ECONNREFUSED":
    case "ECONNRESET":
      return new CctvError(
        "CAMERA_REFUSED",
        `${host} refuses connections on port ${port}; check the port, and whether the camera is running`,
        options,
      );
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new CctvError(
        "CAMERA_UNREACHABLE",
        `the host name ${host} is unknown; check its spelling or use the IP address`,
        options,
      );
    default:
      return new CctvError(
        "CAMERA_UNREACHABLE",
        `${host} cannot be reached on port ${port} (${reason ?? "no connection"}); check the cable, the address and the network`,
        options,
      );
  }
}

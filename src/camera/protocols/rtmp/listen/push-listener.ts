import { createServer, type Socket } from "node:net";
import { CctvError } from "../../../../errors.ts";
import { type PushTarget, RtmpSession } from "./rtmp-session.ts";

export interface ListenOptions extends PushTarget {
  /** On which of this machine's addresses; `0.0.0.0` for all of IPv4. */
  readonly host: string;
  readonly port: number;
  /** The same for people, without the key. */
  readonly display: string;
}

/** So many may be trying their key at a time. */
const MOST_VISITORS = 8;

/**
 * Listens until one camera pushes to the right place; all others are sent away, and the port is closed again.
 *
 * @throws CctvError CAMERA_REFUSED where the port is taken, SETTING_INVALID where it cannot be had at all; the
 * signal's reason when it aborts.
 */
export function awaitPush(
  { host, port, display, ...target }: ListenOptions,
  signal: AbortSignal,
): Promise<RtmpSession> {
  return new Promise((resolve, reject) => {
    const visitors = new Set<Socket>();
    const server = createServer();
    const abort = () => settle(() => reject(signal.reason));
    const settle = (outcome: () => void, chosen?: Socket) => {
      signal.removeEventListener("abort", abort);
      for (const socket of visitors) if (socket !== chosen) socket.destroy();
      // The one connection that stays does not keep the port.
      server.close();
      outcome();
    };
    server.maxConnections = MOST_VISITORS;
    server.on("connection", (socket) => {
      visitors.add(socket);
      socket.once("close", () => visitors.delete(socket));
      const session = new RtmpSession(socket, target, () => settle(() => resolve(session), socket));
    });
    server.on("error", (error) => settle(() => reject(explainListen(error, display))));
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    signal.addEventListener("abort", abort, { once: true });
    server.listen({ host, port });
  });
}

function explainListen(error: NodeJS.ErrnoException, display: string): CctvError {
  const options = { cause: error };
  switch (error.code) {
    case "EADDRINUSE":
      return new CctvError(
        "CAMERA_REFUSED",
        `another program, or another camera of this flow, listens at ${display} already; choose another port`,
        options,
      );
    case "EACCES":
      return new CctvError(
        "SETTING_INVALID",
        `this process may not listen at ${display}; choose a port above 1023`,
        options,
      );
    default:
      return new CctvError(
        "SETTING_INVALID",
        `this machine cannot listen at ${display} (${error.code}); use 0.0.0.0, or an address that this machine has`,
        options,
      );
  }
}

import { connect, isIP, isIPv6, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { Deadline } from "../http/deadline.ts";
import { explainRtspConnection } from "./rtsp-failure.ts";

export interface CameraAddress {
  /** A name or an IP address, without brackets. */
  readonly host: string;
  readonly port: number;
  /** TLS where it is present. */
  readonly tls?: { readonly rejectUnauthorized: boolean } | undefined;
  /** The address for people. */
  readonly where: string;
}

/** For the TCP connection and, where there is one, the TLS handshake. */
export const CONNECT_TIMEOUT_MS = 5_000;

/**
 * Opens a connection, with TLS where the address says so.
 * @throws CctvError CAMERA_UNREACHABLE, CAMERA_REFUSED, CAMERA_STALLED, CAMERA_CERTIFICATE; the signal's reason.
 */
export function openSocket({ host, port, tls, where }: CameraAddress, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const deadline = new Deadline(CONNECT_TIMEOUT_MS, [signal]);
    if (deadline.isOver) {
      deadline.release();
      reject(deadline.explain(where));
      return;
    }
    const socket = tls
      ? connectTls({ host, port, ...tls, ...(isIP(host) === 0 && { servername: host }) })
      : connect({ host, port });
    deadline.watch(socket);
    const fail = (error: Error) => {
      deadline.release();
      socket.destroy();
      reject(error);
    };
    const onError = (error: NodeJS.ErrnoException) => fail(explainRtspConnection(error, where));
    const onClose = () => onError(new Error("closed"));
    deadline.onEnd(() => fail(deadline.explain(where)));
    socket.once("error", onError);
    socket.once("close", onClose);
    socket.once(tls ? "secureConnect" : "connect", () => {
      deadline.release();
      socket.off("error", onError);
      socket.off("close", onClose);
      // Until somebody listens; "close" follows in any case.
      socket.on("error", () => {});
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}

/** As they stand in a URL. */
export function hostAndPort({ host, port }: CameraAddress): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

import type { IncomingHttpHeaders } from "node:http";
import { isAllowedOrigin } from "../api/access/cors.ts";

/** What a client says of itself when it connects. */
export interface Handshake {
  /** Socket.IO's own `auth`: whatever the client put there. */
  readonly auth: Readonly<Record<string, unknown>>;
  readonly headers: IncomingHttpHeaders;
}

/**
 * Where the client's key is to be found: itself, out of Socket.IO's `auth: { token }`, or the headers that hold it.
 * Never in the address, since addresses end up in logs.
 */
export function keyOf({ auth, headers }: Handshake): string | IncomingHttpHeaders | undefined {
  const { token } = auth;
  if (typeof token === "string" && token !== "") return token;
  return headers.authorization !== undefined || headers["x-api-key"] !== undefined ? headers : undefined;
}

/**
 * Whether a page of this origin may connect. Browsers ask nobody before they open a WebSocket, so the server
 * looks for itself. What is no browser sends no origin, and a page from the server's own host is at home.
 *
 * @param allowed origins such as `https://app.example.org`, or `*` for all
 */
export function mayConnect({ headers }: Pick<Handshake, "headers">, allowed: readonly string[]): boolean {
  const { origin, host } = headers;
  if (origin === undefined || isAllowedOrigin(origin, allowed)) return true;
  return host !== undefined && URL.canParse(origin) && new URL(origin).host === host.toLowerCase();
}

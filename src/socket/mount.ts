import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/** `originalUrl` is Express's: `url` lacks what the application is mounted on. */
export type HostRequest = IncomingMessage & { readonly originalUrl?: string };
export type RequestHandler = (req: HostRequest, res: ServerResponse, next: () => void) => void;
export type UpgradeHandler = (req: IncomingMessage, socket: Duplex, head: Buffer) => void;

interface Router {
  readonly stack: { readonly handle: unknown }[];
}

/** What is used of an Express application; version 4 names its router `_router`. */
export interface HostApp {
  use(path: string, handler: RequestHandler): unknown;
  readonly _router?: Router;
  readonly router?: Router;
}

/** A server of somebody else, on which sockets are a guest. */
export interface SocketHost {
  readonly server: Server;
  readonly app: HostApp;
  /** Where the application is mounted on the server: `/`, or such as `/api`. */
  readonly root: string;
}

/**
 * Adds two handlers to a server and changes nothing else of it. Socket.IO's own `attach` would take away
 * the listeners that others have put there.
 *
 * @param path below the host's root, such as `/socket.io`
 * @returns takes both out again.
 */
export function mount(
  { server, app }: SocketHost,
  path: string,
  onRequest: RequestHandler,
  onUpgrade: UpgradeHandler,
): () => void {
  app.use(path, onRequest);
  server.on("upgrade", onUpgrade);
  return () => {
    server.off("upgrade", onUpgrade);
    // Express has no opposite of use(). Its version 4 throws where `router` is read.
    const { stack } = app._router ?? app.router ?? { stack: [] };
    const place = stack.findIndex(({ handle }) => handle === onRequest);
    if (place >= 0) stack.splice(place, 1);
  };
}

/** The path of a guest on the whole server, without a slash at the end. */
export function pathOn({ root }: Pick<SocketHost, "root">, path: string): string {
  return `/${root}/${path}`.replace(/\/+/g, "/").replace(/\/$/, "");
}

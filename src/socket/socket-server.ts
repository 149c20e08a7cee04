import { EventEmitter } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { Server, type Socket } from "socket.io";
import type { Caller } from "../api/access/api-access.ts";
import { type Bucket, type RateRule, takeToken } from "../api/access/rate-limit.ts";
import { RefusedRequest } from "../api/access/refused-request.ts";
import type { Role } from "../api/access/roles.ts";
import { CctvError } from "../errors.ts";
import { type Logger, silent } from "../logger.ts";
import type { CameraSource } from "./camera-source.ts";
import { limitBacklog, onWritable } from "./connection.ts";
import { FrameLane } from "./frame-lane.ts";
import { keyOf, mayConnect } from "./handshake.ts";
import { mount, pathOn, type RequestHandler, type SocketHost, type UpgradeHandler } from "./mount.ts";

/** An event that a client sent. */
export interface ClientEvent {
  readonly topic: string;
  /** What came with it; an array where that was more than one thing. */
  readonly payload: unknown;
  readonly socketId: string;
  /** Of the client's key. */
  readonly role: Role;
}

/** Whom an event goes to: one client, or all that watch a camera. */
export type Audience = { readonly socketId: string } | { readonly cameraId: string };

export interface SocketServerOptions {
  readonly host: SocketHost;
  /** Below the host's root; `/socket.io` by default, as clients expect it. */
  readonly path?: string;
  /** Origins of web pages that may connect, or `*`; the server's own always may. */
  readonly origins?: readonly string[];
  readonly cameras: CameraSource;
  /**
   * Who the client is, by its key or the headers of its request; may be asynchronous.
   * @throws CctvError ACCESS_DENIED, which the client gets to read
   */
  readonly admit: (from: string | IncomingHttpHeaders) => Caller | Promise<Caller>;
  /** While it says no, connections are turned away in a way that makes clients try again by themselves. */
  readonly isReady?: () => boolean;
  readonly logger?: Logger;
  /** Epoch milliseconds. */
  readonly now?: () => number;
}

interface SocketServerEvents {
  event: [event: ClientEvent];
  /** How many there are now. */
  clients: [count: number];
}

/** The events that the server answers by itself. */
export const ANSWERED_EVENTS: readonly string[] = ["get_cameras", "watch_camera", "unwatch_camera"];

const NO_KEY = new CctvError(
  "ACCESS_DENIED",
  'this server takes an API key; connect with { auth: { token: "<key>" } }, or send the header Authorization: Bearer <key>',
);
const TOO_MANY_EVENTS = {
  status: "error",
  code: "RATE_LIMITED",
  message: "this client sends more events than it may; send fewer",
};
const GREETING = { data: "Connected to detection server" };
/** A connection that does not say what it wants in this time is closed. */
const JOIN_TIMEOUT_MS = 10_000;
/** How long clients may take to say goodbye. */
const GOODBYE_MS = 300;
/** The longest message from a client. */
const MOST_BYTES_FROM_CLIENT = 1_000_000;
const MOST_BYTES_WAITING = 8_000_000;
const MOST_CLIENTS = 1_000;
/** How often one client may send an event. */
const EVENT_RATE: RateRule = { burst: 200, perMinute: 1_200 };
const LONGEST_CAMERA_ID = 200;
const ROOM = "camera:";

/**
 * Socket.IO on a server that belongs to somebody else, for unmodified clients: the events of cameras,
 * and any event that others publish or want to hear of.
 *
 * A client that watches a camera is in the camera's room. A camera is watched while its room is not empty.
 */
export class SocketServer extends EventEmitter<SocketServerEvents> {
  readonly #io: Server;
  /** Never listens: Socket.IO takes it over, and gets the requests of its path from the host. */
  readonly #carrier = createServer();
  readonly #path: string;
  readonly #origins: readonly string[];
  readonly #cameras: CameraSource;
  readonly #admit: SocketServerOptions["admit"];
  readonly #logger: Logger;
  readonly #now: () => number;
  readonly #unmount: () => void;
  readonly #stopHearing: () => void;
  readonly #lanes = new Map<string, FrameLane>();
  /** By room. */
  readonly #watched = new Map<string, () => void>();
  readonly #upgraded = new Set<Duplex>();
  #listing: Promise<Readonly<Record<string, object>>> | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: SocketServerOptions) {
    super();
    const { host, path = "/socket.io", origins = [], isReady = () => true } = options;
    this.setMaxListeners(0);
    this.#path = pathOn(host, path);
    this.#origins = origins;
    this.#cameras = options.cameras;
    this.#admit = options.admit;
    this.#logger = options.logger ?? silent;
    this.#now = options.now ?? Date.now;
    this.#io = new Server(this.#carrier, {
      path: this.#path,
      addTrailingSlash: false,
      serveClient: false,
      connectTimeout: JOIN_TIMEOUT_MS,
      maxHttpBufferSize: MOST_BYTES_FROM_CLIENT,
      allowRequest: (_req, decide) => {
        const isFull = this.#io.engine.clientsCount >= MOST_CLIENTS;
        decide(isFull ? "the server has too many clients" : "the server is starting", !isFull && isReady());
      },
      ...(origins.length > 0 && { cors: { origin: origins.includes("*") ? "*" : [...origins] } }),
    });
    this.#io.use((socket, next) => void this.#judge(socket).then(next));
    this.#io.on("connection", (socket) => this.#welcome(socket));
    const { adapter } = this.#io.of("/");
    adapter.on("create-room", (room: string) => this.#startWatching(room));
    adapter.on("delete-room", (room: string) => this.#stopWatching(room));
    this.#stopHearing = this.#cameras.onRemoved((cameraId) => this.#dismiss(cameraId));
    this.#unmount = mount(host, pathOn({ root: "/" }, path), this.#onRequest, this.#onUpgrade);
  }

  /** How many clients are connected. */
  get clients(): number {
    return this.#lanes.size;
  }

  /**
   * Sends an event to all clients, or to some.
   * @throws CctvError MESSAGE_INVALID where the event or its payload cannot be sent
   */
  publish(event: string, payload?: unknown, to?: Audience): void {
    try {
      const audience = to === undefined ? this.#io : this.#io.to("socketId" in to ? to.socketId : ROOM + to.cameraId);
      audience.emit(event, ...(payload === undefined ? [] : [payload]));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new CctvError(
        "MESSAGE_INVALID",
        `the event cannot be sent to clients: ${why}; change its name or payload`,
        {
          cause: error,
        },
      );
    }
  }

  /** Says goodbye to all clients and leaves the host as it was. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#unmount();
    this.#stopHearing();
    const gone = [...this.#upgraded].map((socket) => new Promise((resolve) => socket.once("close", resolve)));
    await this.#io.close();
    await Promise.race([Promise.all(gone), sleep(GOODBYE_MS, undefined, { ref: false })]);
    for (const socket of this.#upgraded) socket.destroy();
  }

  readonly #onRequest: RequestHandler = (req, res, next) => {
    const url = req.originalUrl ?? req.url ?? "";
    if (!this.#owns(url)) return next();
    req.url = url;
    this.#carrier.emit("request", req, res);
  };

  readonly #onUpgrade: UpgradeHandler = (req, socket, head) => {
    if (!this.#owns(req.url ?? "")) return;
    this.#upgraded.add(socket);
    socket.once("close", () => this.#upgraded.delete(socket));
    this.#carrier.emit("upgrade", req, socket, head);
  };

  #owns(url: string): boolean {
    const path = url.split("?", 1)[0];
    return path === this.#path || path === `${this.#path}/`;
  }

  /** @returns why the client is turned away. */
  async #judge({ handshake, data }: Socket): Promise<Error | undefined> {
    const key = keyOf(handshake);
    try {
      if (!mayConnect(handshake, this.#origins)) {
        throw new CctvError(
          "ACCESS_DENIED",
          "pages of this origin may not connect; add it to the allowed origins of the socket server",
        );
      }
      const caller = await this.#admit(key ?? handshake.headers);
      data.role = caller.role;
      return undefined;
    } catch (error) {
      const told = this.#tellable(error, "ACCESS_DENIED", "access could not be checked");
      const { code, message } = key === undefined && told instanceof RefusedRequest ? NO_KEY : told;
      return Object.assign(new Error(message), { data: { status: "error", code, message } });
    }
  }

  #welcome(socket: Socket): void {
    const { id, conn } = socket;
    const lane = new FrameLane(
      {
        isFree: () => conn.transport.writable,
        send: (camera_id, data, timestamp) => socket.compress(false).emit("frame", { camera_id, data, timestamp }),
      },
      (error) => this.#logger.warn(`a live picture could not be encoded: ${error}`),
    );
    const stopAdvancing = onWritable(conn, () => lane.advance());
    const stopLimit = limitBacklog(conn, MOST_BYTES_WAITING, () =>
      this.#logger.warn("a socket client was cut off: it does not read the events that it gets"),
    );
    socket.once("disconnect", () => {
      stopAdvancing();
      stopLimit();
      lane.close();
      this.#lanes.delete(id);
      this.emit("clients", this.clients);
    });
    this.#lanes.set(id, lane);
    this.#passEvents(socket);
    this.#answerRequests(socket);
    socket.emit("message", GREETING);
    this.emit("clients", this.clients);
  }

  #passEvents(socket: Socket): void {
    let bucket: Bucket | undefined;
    socket.use(([topic, ...args], next) => {
      const taken = takeToken(bucket, EVENT_RATE, this.#now());
      bucket = taken.bucket;
      if (taken.waitMs > 0) return void socket.emit("error", TOO_MANY_EVENTS);
      const data = args.filter((arg) => typeof arg !== "function");
      const payload = data.length > 1 ? data : data[0];
      this.emit("event", { topic: String(topic), payload, socketId: socket.id, role: socket.data.role });
      next();
    });
  }

  /** In the order in which they come: who stops watching at once does not watch. */
  #answerRequests(socket: Socket): void {
    let last: Promise<void> = Promise.resolve();
    const answer = (event: string, work: (request: unknown) => Promise<object>): void => {
      socket.on(event, (...args: unknown[]) => {
        last = last.then(() => this.#answer(socket, args, () => work(args[0])));
      });
    };
    answer("get_cameras", () => this.#sendCameras(socket));
    answer("watch_camera", (request) => this.#watch(socket, request));
    answer("unwatch_camera", (request) => this.#unwatch(socket, request));
  }

  async #sendCameras(socket: Socket): Promise<object> {
    const cameras = await this.#list();
    socket.emit("cameras", cameras);
    return { cameras };
  }

  async #watch(socket: Socket, request: unknown): Promise<object> {
    const cameraId = cameraIdOf(request);
    if (!Object.hasOwn(await this.#list(), cameraId)) {
      throw new CctvError("CAMERA_UNKNOWN", `there is no camera "${cameraId}"; get_cameras tells which there are`);
    }
    // A client that has left meanwhile would stay in the room for ever.
    if (!socket.connected) return {};
    try {
      await socket.join(ROOM + cameraId);
    } catch (error) {
      await socket.leave(ROOM + cameraId);
      throw error;
    }
    return { camera_id: cameraId };
  }

  async #unwatch(socket: Socket, request: unknown): Promise<object> {
    const cameraId = cameraIdOf(request);
    await socket.leave(ROOM + cameraId);
    this.#lanes.get(socket.id)?.forget(cameraId);
    return { camera_id: cameraId };
  }

  /** Tells how a request went: by its acknowledgement where the client wants one, and failures as an event, too. */
  async #answer(socket: Socket, args: readonly unknown[], work: () => Promise<object>): Promise<void> {
    const acknowledge = args.find((arg) => typeof arg === "function");
    try {
      const result = await work();
      acknowledge?.({ status: "success", ...result });
    } catch (error) {
      const { code, message } = this.#tellable(error, "STORE_FAILED", "the cameras could not be read");
      const answer = { status: "error", code, message };
      acknowledge?.(answer);
      socket.emit("error", answer);
    }
  }

  /** Clients that ask while the list is being read share it. */
  #list(): Promise<Readonly<Record<string, object>>> {
    this.#listing ??= this.#cameras.list().finally(() => {
      this.#listing = undefined;
    });
    return this.#listing;
  }

  #startWatching(room: string): void {
    if (!room.startsWith(ROOM)) return;
    const cameraId = room.slice(ROOM.length);
    const stop = this.#cameras.watch(cameraId, (picture) => {
      for (const id of this.#io.of("/").adapter.rooms.get(room) ?? []) this.#lanes.get(id)?.offer(cameraId, picture);
    });
    this.#watched.set(room, stop);
  }

  #stopWatching(room: string): void {
    this.#watched.get(room)?.();
    this.#watched.delete(room);
  }

  /** A camera that comes back with the same id is another one, to be asked for anew. */
  #dismiss(cameraId: string): void {
    const room = this.#io.in(ROOM + cameraId);
    const message = `the camera "${cameraId}" was removed; get_cameras tells which there are`;
    room.emit("error", { status: "error", code: "CAMERA_UNKNOWN", message });
    room.socketsLeave(ROOM + cameraId);
  }

  /** Errors of this package are written for people; what others throw stays in the log. */
  #tellable(error: unknown, code: "ACCESS_DENIED" | "STORE_FAILED", what: string): CctvError {
    if (error instanceof CctvError) return error;
    this.#logger.warn(`${what}: ${error}`);
    return new CctvError(code, `${what}; the log of the server says why`);
  }
}

/** @throws CctvError REQUEST_INVALID */
function cameraIdOf(request: unknown): string {
  const id = (request as { camera_id?: unknown } | null | undefined)?.camera_id;
  if (typeof id === "string" && id !== "" && id.length <= LONGEST_CAMERA_ID) return id;
  throw new CctvError("REQUEST_INVALID", 'this event takes { "camera_id": "…" }, the id of a camera; send one');
}

import { io, type Socket } from "socket.io-client";

// The types of what crosses the network. `GET /api/openapi.json` and `GET /api/asyncapi.json` describe the same in full.

/** Why pictures are missing. */
export interface Reason {
  readonly code: string;
  readonly message: string;
}

/** A camera in the list of all. */
export interface Camera {
  readonly name: string;
  /** Its address, without user and password. */
  readonly source: string;
  readonly connected: boolean;
  /** Frames a second, over the last seconds. */
  readonly fps: number;
  /** Since the server was started. */
  readonly alerts: number;
  readonly location: string;
  readonly site: string;
  readonly protocol: string;
  readonly enabled: boolean;
  /** Whether detection is wanted. */
  readonly detecting: boolean;
  readonly reason?: Reason;
}

/** By camera id. */
export type Cameras = Readonly<Record<string, Camera>>;

/** All that is known of one camera. */
export interface CameraStatus extends Omit<Camera, "alerts"> {
  readonly camera_id: string;
  readonly alerts_total: number;
  /** RFC 3339, in UTC. */
  readonly last_frame_time: string | null;
  readonly status: "ACTIVE" | "CONNECTING" | "DISCONNECTED" | "FAILED" | "ENDED" | "STOPPED" | "DISABLED";
  readonly username: string;
  readonly has_password: boolean;
  readonly reconnects: number;
  readonly decode_errors: number;
  readonly created_at: string;
  readonly updated_at: string;
  readonly width?: number;
  readonly height?: number;
  readonly codec?: string;
  readonly bits_per_second?: number;
}

/** One way to reach a camera that was found. */
export interface FoundCamera {
  readonly ip: string;
  readonly protocol: "ONVIF" | "RTSP" | "HTTP";
  readonly port: number;
  readonly url: string;
}

/** A camera or recorder that was found. */
export interface FoundDevice {
  readonly ip: string;
  readonly ips: readonly string[];
  readonly protocols: readonly string[];
  readonly ports: readonly number[];
  /** What to open, in the order to try it. */
  readonly addresses: readonly string[];
  readonly mac?: string;
  readonly vendor?: string;
  readonly model?: string;
  readonly name?: string;
  readonly needsPassword?: boolean;
}

/** How a camera is reached. */
export interface Connection {
  readonly url: string;
  /** `auto` by default. */
  readonly protocol?: string;
  readonly username?: string | null;
  readonly password?: string | null;
  /** Of a recorder, from 1. */
  readonly channel?: number;
  readonly stream?: "main" | "sub";
}

export interface Registration extends Connection {
  /** Small letters, digits, - and _. */
  readonly camera_id: string;
  readonly name?: string;
  readonly location?: string;
  readonly site?: string;
  /** Keeps the camera without connecting to it first. */
  readonly force?: boolean;
}

export interface ConnectionTest {
  readonly connected: boolean;
  readonly url: string;
  readonly codec?: string;
  readonly width?: number;
  readonly height?: number;
  readonly fps?: number;
  readonly brand?: string;
  readonly model?: string;
  readonly first_frame_ms?: number;
  /** Why it is not connected. */
  readonly code?: string;
  readonly message?: string;
}

export interface Discovery {
  readonly discovered_count: number;
  readonly cameras: readonly FoundCamera[];
  readonly devices: readonly FoundDevice[];
}

export interface Detection {
  readonly message: string;
  /** Those that do as they were told. */
  readonly cameras: readonly string[];
  /** Those that were named and do not. */
  readonly skipped: readonly (Reason & { readonly camera_id: string })[];
}

/** A gesture for review, as it is kept. */
export interface StoredAlert {
  readonly alertId: string;
  readonly camera: string;
  readonly site: string;
  readonly personId: string;
  readonly label: string;
  /** 0 to 1. */
  readonly score: number;
  readonly severity: "info" | "warning" | "critical";
  readonly reasons: readonly string[];
  readonly openedAt: string;
  /** `null` while it is open. */
  readonly closedAt: string | null;
  /** Path of its picture, on this server. */
  readonly snapshot: string | null;
}

/** A gesture for review, as it is told when it is seen. */
export interface AlertEvent {
  readonly camera_id: string;
  /** 0 to 1. */
  readonly confidence: number;
  /** RFC 3339. */
  readonly timestamp: string;
  readonly type: "suspicious";
  readonly alert_id: string;
  readonly person_id: string;
  readonly severity: StoredAlert["severity"];
  readonly reasons: readonly string[];
  readonly snapshot: string | null;
}

export interface FrameEvent {
  readonly camera_id: string;
  /** The bytes of a JPEG: an ArrayBuffer in browsers and apps, a Buffer in Node.js. */
  readonly data: ArrayBuffer | Uint8Array;
  /** When it was captured, epoch milliseconds. */
  readonly timestamp: number;
}

export type DiscoveryEvent =
  | { readonly type: "found" | "updated"; readonly device: FoundDevice }
  /** The part that is done, 0 to 1. */
  | { readonly type: "progress"; readonly progress: number }
  | { readonly type: "finished"; readonly devices: readonly FoundDevice[] };

/** What the server says. */
export interface ServerEvents {
  message: (greeting: { readonly data: string }) => void;
  cameras: (cameras: Cameras) => void;
  frame: (frame: FrameEvent) => void;
  alert: (alert: AlertEvent) => void;
  alerts: (alerts: readonly StoredAlert[]) => void;
  "discovery-progress": (event: DiscoveryEvent) => void;
  error: (error: Reason) => void;
}

/** What a client may ask. */
export interface ClientEvents {
  get_cameras: () => void;
  get_alerts: () => void;
  watch_camera: (camera: { readonly camera_id: string }) => void;
  unwatch_camera: (camera: { readonly camera_id: string }) => void;
}

export type CameraSocket = Socket<ServerEvents, ClientEvents>;

/** What the server answers when something is wrong: `message` says what, and what to do. */
export class CameraServerError extends Error {
  override readonly name = "CameraServerError";
  readonly code: string;
  /** Of HTTP. */
  readonly status: number;

  constructor(status: number, { code, message }: Reason) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

export interface CameraClientOptions {
  /** Of the server, such as `http://192.168.1.10:1880`. */
  readonly url: string;
  /** An API key. */
  readonly key?: string;
  /** The platform's own by default. */
  readonly fetch?: typeof fetch;
}

type Method = "GET" | "POST" | "PATCH" | "DELETE";

/** The camera server's REST calls and events. Calls reject with CameraServerError, or as `fetch` does. */
export class CameraClient {
  readonly #url: string;
  readonly #key: string | undefined;
  readonly #fetch: typeof fetch;

  constructor({ url, key, fetch: given }: CameraClientOptions) {
    this.#url = url.replace(/\/+$/, "");
    this.#key = key;
    // Browsers call their own fetch on the window only.
    this.#fetch = given ?? ((input, init) => fetch(input, init));
  }

  /** Looks for cameras, in the server's own networks where no subnet is named. */
  discover(subnet?: string | readonly string[]): Promise<Discovery> {
    return this.#json("POST", "/api/cameras/discover", subnet === undefined ? {} : { subnet });
  }

  /** Connects once and says what was found. */
  testConnection(connection: Connection): Promise<ConnectionTest> {
    return this.#json("POST", "/api/cameras/test-connection", connection);
  }

  register(camera: Registration): Promise<{ readonly message: string; readonly camera_id: string }> {
    return this.#json("POST", "/api/cameras/register", camera);
  }

  list(): Promise<{ readonly total: number; readonly cameras: Cameras }> {
    return this.#json("GET", "/api/cameras");
  }

  async status(cameraId: string): Promise<CameraStatus> {
    const { data } = await this.#json<{ data: CameraStatus }>("GET", `${pathOf(cameraId)}/status`);
    return data;
  }

  async update(cameraId: string, changes: Partial<Omit<Registration, "camera_id" | "force">>): Promise<void> {
    await this.#json("PATCH", pathOf(cameraId), changes);
  }

  async enable(cameraId: string): Promise<void> {
    await this.#json("POST", `${pathOf(cameraId)}/enable`);
  }

  async disable(cameraId: string): Promise<void> {
    await this.#json("POST", `${pathOf(cameraId)}/disable`);
  }

  async remove(cameraId: string): Promise<void> {
    await this.#json("DELETE", pathOf(cameraId));
  }

  /** Of all cameras where none is named. */
  startDetection(cameras?: readonly string[]): Promise<Detection> {
    return this.#json("POST", "/api/cameras/start-detection", cameras ? { cameras } : {});
  }

  /** Of all cameras where none is named. */
  stopDetection(cameras?: readonly string[]): Promise<Detection> {
    return this.#json("POST", "/api/cameras/stop-detection", cameras ? { cameras } : {});
  }

  /** @returns a JPEG. */
  async snapshot(cameraId: string): Promise<ArrayBuffer> {
    return (await this.#request("GET", `${pathOf(cameraId)}/snapshot.jpg`)).arrayBuffer();
  }

  /** The newest first. */
  async alerts({ camera, limit }: { camera?: string; limit?: number } = {}): Promise<readonly StoredAlert[]> {
    const query = [
      ...(camera === undefined ? [] : [`camera=${encodeURIComponent(camera)}`]),
      ...(limit === undefined ? [] : [`limit=${limit}`]),
    ];
    const path = ["/api/alerts", ...query].join("&").replace("&", "?");
    return (await this.#json<{ alerts: readonly StoredAlert[] }>("GET", path)).alerts;
  }

  /** Where a picture is to be had, as `<Image source>` of React Native takes it. */
  imageSource(path: string): { readonly uri: string; readonly headers: Readonly<Record<string, string>> } {
    return { uri: `${this.#url}/${path.replace(/^\/+/, "")}`, headers: this.#headers() };
  }

  /** Opens the socket for events; its owner calls `disconnect()`. */
  connect(): CameraSocket {
    return io(this.#url, { auth: { token: this.#key }, forceNew: true });
  }

  #headers(): Record<string, string> {
    return this.#key === undefined ? {} : { authorization: `Bearer ${this.#key}` };
  }

  async #json<Answer>(method: Method, path: string, body?: object): Promise<Answer> {
    return (await this.#request(method, path, body)).json() as Promise<Answer>;
  }

  async #request(method: Method, path: string, body?: object): Promise<Response> {
    const response = await this.#fetch(this.#url + path, {
      method,
      headers: { ...this.#headers(), ...(body && { "content-type": "application/json" }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (response.ok) return response;
    throw new CameraServerError(response.status, await reasonOf(response));
  }
}

/** A proxy in between answers with pages of its own. */
async function reasonOf(response: Response): Promise<Reason> {
  const unknown = { code: "UNKNOWN", message: `the server answered ${response.status}` };
  const answer = (await response.json().catch(() => unknown)) as Partial<Reason>;
  return { ...unknown, ...answer };
}

function pathOf(cameraId: string): string {
  return `/api/cameras/${encodeURIComponent(cameraId)}`;
}

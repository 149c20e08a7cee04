import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { CameraAccounts } from "./camera-accounts.ts";
import { noteServer } from "./inventory.ts";

noteServer("CGI: simulated", true);

export interface DahuaCameraSettings {
  readonly kind?: "camera" | "nvr" | "xvr";
  readonly rtspPort?: number;
  /** What its snapshots show. */
  readonly jpeg?: Buffer;
  /** Names of tables, and actions, that it has not. */
  readonly lacks?: readonly string[];
  /** Writes its event stream, once for each listener; by default it stays silent. */
  readonly events?: (response: ServerResponse) => void;
  /** A new nonce and a new connection for each request, as some recorders have it. */
  readonly nonceEachRequest?: boolean;
  /** Answers 401 to a good login from so many requests on, as for one connection too many. */
  readonly mostRequests?: number;
}

export const ADMIN = { username: "admin", password: "Käse&Brot 1" } as const;
export const VIEWER = { username: "looker", password: "look-only" } as const;
/** What a recorder knows of its cameras, and nobody else should. */
export const CAMERA_PASSWORD = "behind-the-recorder";

const MOST_WRONG = 3;
const EVENTS = "/cgi-bin/eventManager.cgi?action=attach&codes=[All]&heartbeat=5";

/** A camera, a network recorder or an analog recorder that speaks Dahua's CGI, with data of our own invention. */
export class DahuaCamera {
  /** What was asked with a good login. */
  readonly requests: string[] = [];
  readonly accounts: CameraAccounts;
  readonly #settings: DahuaCameraSettings;
  readonly #server = createServer((request, response) => this.#handle(request, response));

  private constructor(settings: DahuaCameraSettings) {
    this.#settings = settings;
    this.accounts = new CameraAccounts({
      accounts: [ADMIN, { ...VIEWER, isViewer: true }],
      realm: "Login to TEST0000001",
      algorithms: ["MD5"],
      mostWrong: MOST_WRONG,
      nonceEachRequest: settings.nonceEachRequest ?? false,
    });
  }

  static async start(settings: DahuaCameraSettings = {}): Promise<DahuaCamera> {
    const camera = new DahuaCamera(settings);
    await once(camera.#server.listen(0, "127.0.0.1"), "listening");
    return camera;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    if (this.#settings.nonceEachRequest) response.setHeader("connection", "close");
    const verdict = this.accounts.check(request);
    if (verdict.kind === "locked") {
      response.writeHead(403, { "content-type": "text/plain" }).end("Error\r\nUser Locked\r\n");
      return;
    }
    const { mostRequests = Number.POSITIVE_INFINITY } = this.#settings;
    if (verdict.kind === "out" || this.requests.length >= mostRequests) {
      const challenges = verdict.kind === "out" ? verdict.challenges : ['Digest qop="auth", realm="x", nonce="full"'];
      response.writeHead(401, { "www-authenticate": [...challenges] }).end("Invalid Authority!");
      return;
    }
    const target = request.url ?? "";
    this.requests.push(target);
    const url = new URL(target, "http://camera");
    const name = url.searchParams.get("name") ?? url.searchParams.get("action") ?? "";
    const isSetting = /^\/cgi-bin\/(configManager|ptz|eventManager)\.cgi/.test(target);
    if (verdict.account.isViewer && isSetting) response.writeHead(403).end("Error\r\nForbidden\r\n");
    else if (this.#settings.lacks?.includes(name)) badRequest(response);
    else this.#answer(target, url, name, response);
  }

  #answer(target: string, url: URL, name: string, response: ServerResponse): void {
    const { events, jpeg, kind = "camera" } = this.#settings;
    const channel = Number(url.searchParams.get("channel"));
    if (target === EVENTS) {
      response.writeHead(200, { "content-type": "multipart/x-mixed-replace; boundary=myboundary" }).flushHeaders();
      events?.(response);
      return;
    }
    // The second camera of the recorder is reached by ONVIF.
    const hasPicture = kind === "nvr" ? channel === 1 || channel === 4 : channel === 1;
    if (url.pathname === "/cgi-bin/snapshot.cgi" && jpeg && hasPicture) {
      response.setHeader("content-type", "image/jpeg").end(jpeg);
      return;
    }
    const text = this.#textOf(url, name, channel);
    if (text === undefined) badRequest(response);
    else response.setHeader("content-type", "text/plain;charset=utf-8").end(text);
  }

  #textOf({ pathname }: URL, name: string, channel: number): string | undefined {
    const { kind = "camera", rtspPort = 554 } = this.#settings;
    if (pathname === "/cgi-bin/magicBox.cgi") return SYSTEM[kind][name];
    if (pathname === "/cgi-bin/ptz.cgi" && kind === "camera" && channel === 1) {
      return name === "getPresets"
        ? lines(["presets[0].Index=1", "presets[0].Name=Till", "presets[1].Index=7"])
        : "OK\r\n";
    }
    if (pathname !== "/cgi-bin/configManager.cgi") return undefined;
    if (name === "RTSP") return lines(["table.RTSP.Enable=true", `table.RTSP.Port=${rtspPort}`]);
    return TABLES[kind][name];
  }
}

/** One part of an event stream, as these devices write it. */
export function eventPart(body: string, boundary = "--myboundary"): string {
  return `${boundary}\r\nContent-Type: text/plain\r\nContent-Length:${Buffer.byteLength(body)}\r\n\r\n${body}\r\n\r\n`;
}

function badRequest(response: ServerResponse): void {
  response.writeHead(400, { "content-type": "text/plain" }).end("Error\r\nBad Request!\r\n");
}

const lines = (all: readonly string[]) => all.map((line) => `${line}\r\n`).join("");

function system(type: string, deviceClass: string, name: string): Readonly<Record<string, string>> {
  return {
    getDeviceType: `type=${type}\r\n`,
    getDeviceClass: `class=${deviceClass}\r\n`,
    getMachineName: `name=${name}\r\n`,
    getSoftwareVersion: "version=9.1.0000000.1.R,build:2026-01-01\r\n",
    getSystemInfo: "deviceType=31\r\nprocessor=TEST\r\nserialNumber=TEST0000001\r\n",
  };
}

const SYSTEM = {
  camera: system("TEST-IPC-4M", "IPC", "Corridor eye"),
  nvr: system("TEST-REC-8", "NVR", "Back office"),
  xvr: system("TEST-XVR-4", "HCVR", "Old shop"),
};

function slot(index: number, address: string, more: Readonly<Record<string, string | boolean>> = {}): string {
  const fields = {
    Address: address,
    Enable: true,
    Password: CAMERA_PASSWORD,
    Port: 37777,
    ProtocolType: "Private",
    UserName: "admin",
    "VideoInputs[0].Name": `slot ${index}`,
    ...more,
  };
  const key = `table.RemoteDevice.uuid:System_CONFIG_NETCAMERA_INFO_${index}`;
  return lines(Object.entries(fields).map(([field, value]) => `${key}.${field}=${value}`));
}

function titles(names: readonly string[]): string {
  return lines(names.map((name, index) => `table.ChannelTitle[${index}].Name=${name}`));
}

function encode(index: number, hasSub = true): string {
  const format = (name: string, codec: string, width: number, height: number, fps: number, on: boolean) =>
    lines(
      [
        `Video.Compression=${codec}`,
        `Video.Width=${width}`,
        `Video.Height=${height}`,
        `Video.FPS=${fps}`,
        `VideoEnable=${on}`,
      ].map((field) => `table.Encode[${index}].${name}[0].${field}`),
    );
  return format("MainFormat", "H.265", 2688, 1520, 25, true) + format("ExtraFormat", "H.264", 704, 576, 12.5, hasSub);
}

const TABLES: Readonly<Record<"camera" | "nvr" | "xvr", Readonly<Record<string, string>>>> = {
  camera: { ChannelTitle: titles(["Corridor"]), Encode: encode(0) },
  nvr: {
    ChannelTitle: titles(["Till; left = 1", "", "CAM 3", "CAM 4", "CAM 5", "CAM 6"]),
    RemoteDevice:
      slot(0, "192.0.2.11") +
      slot(1, "192.0.2.12", { ProtocolType: "Onvif" }) +
      slot(2, "192.168.0.0") +
      slot(3, "192.0.2.14") +
      slot(4, "192.0.2.15", { Enable: false }),
    Encode: encode(0) + encode(1, false) + encode(3),
  },
  xvr: {
    ChannelTitle: titles(["Front", "Aisle 1", "Aisle 2", "Cellar"]),
    RemoteDevice: slot(4, "192.0.2.21", { "VideoInputs[0].Name": "Gate" }) + slot(5, "192.168.0.0"),
    Encode: encode(0) + encode(1) + encode(2) + encode(3),
  },
};

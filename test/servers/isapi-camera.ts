import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { CameraAccounts } from "./camera-accounts.ts";
import { noteServer } from "./inventory.ts";

noteServer("ISAPI: simulated", true);

export type IsapiKind = "camera" | "nvr" | "dvr";

export interface IsapiCameraSettings {
  readonly kind?: IsapiKind;
  readonly rtspPort?: number;
  /** What its snapshots show. */
  readonly jpeg?: Buffer;
  /** Documents that it has not, as the beginnings of their paths. */
  readonly lacks?: readonly string[];
  /** Writes its event stream, once for each listener; by default it stays silent. */
  readonly alerts?: (response: ServerResponse) => void;
  /** Count the network cameras of a hybrid recorder from 1 again. */
  readonly countsProxiesApart?: boolean;
}

export const ADMIN = { username: "admin", password: "Käse&Brot 1" } as const;
export const VIEWER = { username: "looker", password: "look-only" } as const;

const MOST_WRONG = 3;
const NAMESPACE = 'version="2.0" xmlns="http://www.hikvision.com/ver20/XMLSchema"';
/** What a user who may only look gets no answer about. */
const SETTINGS = /^(Security|System\/Video|ContentMgmt\/InputProxy|Streaming\/channels(\/\d+)?$|PTZCtrl|Event)/;

/** A camera, a network recorder or a hybrid recorder that speaks ISAPI, with data of our own invention. */
export class IsapiCamera {
  /** What was asked with a good login. */
  readonly requests: string[] = [];
  /** Bodies of commands, by path. */
  readonly commands: { readonly path: string; readonly body: string }[] = [];
  readonly accounts = new CameraAccounts({
    accounts: [ADMIN, { ...VIEWER, isViewer: true }],
    realm: "IP Camera(T0001)",
    algorithms: ["MD5", "SHA-256"],
    mostWrong: MOST_WRONG,
  });
  readonly #settings: IsapiCameraSettings;
  readonly #documents: Readonly<Record<string, string>>;
  readonly #server = createServer((request, response) => void this.#handle(request, response));

  private constructor(settings: IsapiCameraSettings) {
    this.#settings = settings;
    this.#documents = documentsOf(settings);
  }

  static async start(settings: IsapiCameraSettings = {}): Promise<IsapiCamera> {
    const camera = new IsapiCamera(settings);
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

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = Buffer.concat(await request.toArray()).toString();
    const verdict = this.accounts.check(request);
    if (verdict.kind === "locked") {
      const locked = `<userCheck ${NAMESPACE}><statusValue>401</statusValue><lockStatus>lock</lockStatus><unlockTime>1800</unlockTime></userCheck>`;
      response.writeHead(401, { "content-type": "application/xml" }).end(locked);
      return;
    }
    if (verdict.kind === "out") {
      response.writeHead(401, { "www-authenticate": [...verdict.challenges] }).end("<html>401</html>");
      return;
    }
    const path = (request.url ?? "").replace(/^\/ISAPI\//, "");
    this.requests.push(path);
    if (verdict.account.isViewer && SETTINGS.test(path)) deny(response, "lowPrivilege");
    else if (this.#settings.lacks?.some((beginning) => path.startsWith(beginning))) deny(response, "notSupport");
    else this.#answer(path, request.method ?? "", body, response);
  }

  #answer(path: string, method: string, body: string, response: ServerResponse): void {
    const { alerts, jpeg, kind = "camera" } = this.#settings;
    const document = this.#documents[path];
    if (method === "PUT" && kind !== "dvr" && /^PTZCtrl\/channels\/1\/(continuous|presets\/[12]\/goto)$/.test(path)) {
      this.commands.push({ path, body });
      response.end(`<ResponseStatus ${NAMESPACE}><statusCode>1</statusCode></ResponseStatus>`);
    } else if (document !== undefined && method === "GET") {
      response.setHeader("content-type", 'application/xml; charset="UTF-8"');
      response.end(`<?xml version="1.0" encoding="UTF-8"?>\r\n${document}\r\n`);
    } else if (jpeg && this.#pictures().includes(path)) {
      response.setHeader("content-type", "image/jpeg").end(jpeg);
    } else if (path === "Event/notification/alertStream") {
      // Not the boundary that will be on the wire.
      response.writeHead(200, { "content-type": "multipart/mixed; boundary=MIME_boundary" }).flushHeaders();
      alerts?.(response);
    } else if (/^(ContentMgmt\/InputProxy|System\/Video)/.test(path)) deny(response, "notSupport");
    else response.writeHead(404).end();
  }

  #pictures(): string[] {
    if (this.#settings.kind === "nvr")
      return [101, 201, 301].map((id) => `ContentMgmt/StreamingProxy/channels/${id}/picture`);
    return ["Streaming/channels/101/picture"];
  }
}

/** One part of an event stream, as these devices write it. */
export function alertPart(body: string | Buffer, type = 'application/xml; charset="UTF-8"'): Buffer {
  const bytes = Buffer.from(body as string);
  const head = `--boundary\r\nContent-Type: ${type}\r\nContent-Length: ${bytes.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), bytes, Buffer.from("\r\n")]);
}

export function alertXml(eventType: string, eventState: string, more = "<channelID>1</channelID>"): string {
  return (
    `<EventNotificationAlert ${NAMESPACE}>\r\n<ipAddress>192.0.2.7</ipAddress>\r\n${more}\r\n` +
    `<eventType>${eventType}</eventType>\r\n<eventState>${eventState}</eventState>\r\n</EventNotificationAlert>\r\n`
  );
}

function deny(response: ServerResponse, subStatusCode: string): void {
  const body = `<ResponseStatus ${NAMESPACE}><statusCode>4</statusCode><subStatusCode>${subStatusCode}</subStatusCode></ResponseStatus>`;
  response.writeHead(403, { "content-type": "application/xml" }).end(body);
}

function documentsOf({ kind = "camera", rtspPort = 554, countsProxiesApart }: IsapiCameraSettings) {
  const all: Record<string, string> = {
    "Security/adminAccesses": list("AdminAccessProtocolList", "AdminAccessProtocol", [
      { id: 1, enabled: true, protocol: "HTTP", portNo: 80 },
      { id: 2, enabled: true, protocol: "RTSP", portNo: rtspPort },
    ]),
    "PTZCtrl/channels/1/presets": list("PTZPresetList", "PTZPreset", [
      { enabled: true, id: 1, presetName: "Till" },
      { enabled: true, id: 2, presetName: "Door &amp; window" },
      { enabled: false, id: 3, presetName: "Preset 3" },
    ]),
  };
  if (kind === "camera") {
    all["System/deviceInfo"] = deviceInfo("Corridor eye", "TEST-CAM-4MP", "IPCamera");
    all["Streaming/channels"] = list("StreamingChannelList", "StreamingChannel", [
      stream(101, "Corridor", "H.265", 2688, 1520, 2000),
      stream(102, "Corridor", "H.264", 640, 360, 1250),
      stream(103, "Corridor", "MJPEG", 1280, 720, 500),
    ]);
    all["System/Video/inputs/channels"] = list("VideoInputChannelList", "VideoInputChannel", [
      { id: 1, inputPort: 1, name: "Corridor" },
    ]);
  }
  if (kind === "nvr") {
    all["System/deviceInfo"] = deviceInfo("Back office", "TEST-NVR-8", "NVR");
    const proxies = ["Till", "Spirits", "Yard", "Store room"].map((name, index) => ({ id: index + 1, name }));
    all["ContentMgmt/InputProxy/channels"] = list("InputProxyChannelList", "InputProxyChannel", proxies);
    all["ContentMgmt/InputProxy/channels/status"] = list(
      "InputProxyChannelStatusList",
      "InputProxyChannelStatus",
      proxies.map(({ id }) => ({ id, online: id !== 4 })),
    );
    for (const channel of [1, 2, 3]) {
      const [main, sub] = [channel * 100 + 1, channel * 100 + 2];
      all[`Streaming/channels/${main}`] = element("StreamingChannel", stream(main, `${main}`, "H.264", 1920, 1080, 0));
      // The third camera has no sub-stream.
      if (channel === 3) continue;
      all[`Streaming/channels/${sub}`] = element("StreamingChannel", stream(sub, `${sub}`, "H.264", 704, 576, 1000));
    }
  }
  if (kind === "dvr") {
    all["System/deviceInfo"] = deviceInfo("Old shop", "TEST-DVR-4", "DVR");
    const inputs = ["Front", "Aisle 1", "Aisle 2", "Cellar"].map((name, index) => ({
      id: index + 1,
      videoInputEnabled: true,
      name,
      resDesc: index === 3 ? "NO VIDEO" : "1280*720P25",
    }));
    all["System/Video/inputs/channels"] = list("VideoInputChannelList", "VideoInputChannel", inputs);
    const first = countsProxiesApart ? 1 : 5;
    all["ContentMgmt/InputProxy/channels"] = list("InputProxyChannelList", "InputProxyChannel", [
      { id: first, name: "Gate" },
      { id: first + 1, name: "Ramp" },
    ]);
  }
  return all;
}

function deviceInfo(deviceName: string, model: string, deviceType: string): string {
  return element("DeviceInfo", {
    deviceName,
    model,
    serialNumber: `${model}20260101TEST`,
    firmwareVersion: "V9.9.1",
    firmwareReleasedDate: "build 260101",
    deviceType,
  });
}

function stream(id: number, channelName: string, codec: string, width: number, height: number, rate: number) {
  return {
    id,
    channelName,
    enabled: true,
    Video: `<videoCodecType>${codec}</videoCodecType><videoResolutionWidth>${width}</videoResolutionWidth><videoResolutionHeight>${height}</videoResolutionHeight><maxFrameRate>${rate}</maxFrameRate>`,
  };
}

function list(name: string, item: string, items: readonly object[]): string {
  return `<${name} ${NAMESPACE}>${items.map((fields) => element(item, fields)).join("")}</${name}>`;
}

/** Values are XML already. */
function element(name: string, fields: object): string {
  const children = Object.entries(fields).map(([field, value]) => `<${field}>${value}</${field}>`);
  return `<${name} ${NAMESPACE}>${children.join("\r\n")}</${name}>`;
}

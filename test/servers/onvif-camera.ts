import { createHash, randomBytes } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { childOf, escapeXml, parseXml, textOf, type XmlElement } from "../../src/camera/xml.ts";
import { noteServer } from "./inventory.ts";

noteServer("ONVIF: simulated", true);

export interface SimulatedProfile {
  readonly token: string;
  readonly source?: string;
  readonly encoding?: string;
  readonly width?: number;
  readonly height?: number;
  readonly ptz?: boolean;
}

export interface OnvifCameraSettings {
  /** A free port by default. */
  readonly port?: number;
  /** How it wants a login; `token` is WS-Security, `token or digest` takes either and says so with a challenge. */
  readonly auth?:
    | "none"
    | "token"
    | "token or digest"
    | "digest"
    | "sha-256"
    | "md5 and sha-256"
    | "qop with a space"
    | "md5-sess"
    | "lower case"
    | "basic and digest"
    | "basic";
  /** The status of the fault NotAuthorized where no login by HTTP is offered. */
  readonly faultStatus?: 400 | 401 | 500;
  readonly username?: string;
  readonly password?: string;
  /** Of its web pages, where that is another than ONVIF's. */
  readonly snapshotPassword?: string;
  /** How far its clock is ahead, milliseconds. */
  readonly skewMs?: number;
  readonly clockNeedsLogin?: boolean;
  /** Which media services it names. */
  readonly media?: "1" | "2" | "both" | "broken 2";
  readonly hasGetServices?: boolean;
  readonly hasVideoSources?: boolean;
  readonly profiles?: readonly SimulatedProfile[];
  readonly hasPtz?: boolean;
  readonly hasEvents?: boolean;
  /** Operations that this user has no right to. */
  readonly forbidden?: readonly string[];
  /** How a subscription is told from others. */
  readonly subscription?: "query" | "parameter";
  readonly lifetimeMs?: number;
  readonly canRenew?: boolean;
  /** What PullMessages does: waits for news, comes back at once with nothing, or always fails. */
  readonly pull?: "waits" | "hurries" | "fails";
  /** `host:port` as it writes it into the addresses of its services, where `PORT` is its own; its own by default. */
  readonly reportedHost?: string;
  readonly streamUri?: string;
  readonly snapshotUri?: string;
  /** What it answers to anything but the question for its time. */
  readonly evil?: "huge" | "deep" | "entities" | "html" | "hangs" | "reserved names";
}

interface Subscription {
  endsAt: number;
}

interface Answer {
  readonly status?: number;
  readonly body: string;
}

type Verdict = "ok" | "absent" | "wrong" | "stale";

const ENVELOPE = [
  '<env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope" xmlns:ter="http://www.onvif.org/ver10/error"',
  ' xmlns:wsa5="http://www.w3.org/2005/08/addressing" xmlns:b2="http://docs.oasis-open.org/wsn/b-2"',
  ' xmlns:sch="http://www.onvif.org/ver10/schema" xmlns:tns1="http://www.onvif.org/ver10/topics">',
].join("");
const VENDOR = "http://vendor.example/2026/events";
const WSDL = {
  device: "http://www.onvif.org/ver10/device/wsdl",
  media: "http://www.onvif.org/ver10/media/wsdl",
  media2: "http://www.onvif.org/ver20/media/wsdl",
  ptz: "http://www.onvif.org/ver20/ptz/wsdl",
  events: "http://www.onvif.org/ver10/events/wsdl",
} as const;
const PATHS = /^\/onvif\/(device_service|media2?|ptz|events|subscription(\?.*)?)$/;
const REALM = "simulated camera";
const TOKEN_AGE_MS = 5_000;
const HUGE_BYTES = 300 * 1024 * 1024;

export const TWO_STREAMS: readonly SimulatedProfile[] = [
  { token: "big", width: 1920, height: 1080, encoding: "H264" },
  { token: "small", width: 640, height: 360, encoding: "H264" },
];

/** An ONVIF camera on loopback that is strict about logins and can be as odd as real ones. */
export class OnvifCamera {
  /** Operations in the order in which they came, refused ones too. */
  readonly operations: string[] = [];
  /** Paths that were asked for by GET. */
  readonly downloads: string[] = [];
  /** Content of the PTZ operations that were done. */
  readonly moves: string[] = [];
  wrongLogins = 0;
  connections = 0;
  bytesSent = 0;
  /** Subscriptions that were made. */
  subscribed = 0;
  skewMs: number;
  readonly #settings: OnvifCameraSettings;
  readonly #server = createServer((request, response) => void this.#handle(request, response));
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #nonces = new Map<string, number>();
  readonly #seen = new Set<string>();
  readonly #news = new EventEmitter();
  #messages: string[] = [];

  private constructor(settings: OnvifCameraSettings) {
    this.#settings = settings;
    this.skewMs = settings.skewMs ?? 0;
    this.#server.on("connection", () => this.connections++);
  }

  static async start(settings: OnvifCameraSettings = {}): Promise<OnvifCamera> {
    const camera = new OnvifCamera(settings);
    await once(camera.#server.listen(settings.port ?? 0, "127.0.0.1"), "listening");
    return camera;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get address(): string {
    return `onvif://127.0.0.1:${this.port}`;
  }

  /** Subscriptions that live. */
  get subscriptions(): number {
    return [...this.#subscriptions.values()].filter(({ endsAt }) => endsAt > this.#now()).length;
  }

  count(operation: string): number {
    return this.operations.filter((name) => name === operation).length;
  }

  /** Tells whoever is subscribed. @param items of `Source` and `Data` by name */
  notice(topic: string, source: Record<string, string>, data: Record<string, string>): void {
    const items = (of: Record<string, string>) =>
      Object.entries(of)
        .map(([name, value]) => `<sch:SimpleItem Name="${escapeXml(name)}" Value="${escapeXml(value)}"/>`)
        .join("");
    this.#messages.push(
      [
        `<b2:NotificationMessage><b2:Topic Dialect="x">${topic}</b2:Topic><b2:Message>`,
        `<sch:Message UtcTime="${this.#time()}" PropertyOperation="Changed"><sch:Source>${items(source)}</sch:Source>`,
        `<sch:Data>${items(data)}</sch:Data></sch:Message></b2:Message></b2:NotificationMessage>`,
      ].join(""),
    );
    this.#news.emit("news");
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    response.setHeader("date", new Date(this.#now()).toUTCString());
    if (request.method === "GET") {
      this.#handleGet(request, response);
      return;
    }
    if (!PATHS.test(request.url ?? "")) {
      response.writeHead(404).end();
      return;
    }
    const envelope = parseXml(text, "the client");
    const operation = childOf(envelope, "Body")?.children[0];
    if (!operation || request.headers["content-type"]?.startsWith("application/soap+xml") !== true) {
      response.writeHead(400).end();
      return;
    }
    this.operations.push(operation.name);
    const isClock = operation.name === "GetSystemDateAndTime";
    if (this.#settings.evil && !isClock) {
      this.#misbehave(this.#settings.evil, response);
      return;
    }
    const isOpen = isClock && !this.#settings.clockNeedsLogin;
    if (!isOpen && !this.#letsIn(request, envelope, response)) return;
    const answer = this.#settings.forbidden?.includes(operation.name)
      ? fault("Sender", "NotAuthorized", "Sender not Authorized")
      : await this.#answer(operation, request, text);
    this.#send(response, answer);
  }

  #send(response: ServerResponse, { status = 200, body }: Answer): void {
    response.writeHead(status, { "content-type": "application/soap+xml; charset=utf-8" });
    response.end(`<?xml version="1.0"?>${ENVELOPE}<env:Body>${body}</env:Body></env:Envelope>`);
  }

  #handleGet(request: IncomingMessage, response: ServerResponse): void {
    this.downloads.push(request.url ?? "");
    if (request.url?.startsWith("/snapshot")) {
      const byHttp = this.#settings.auth === "token" ? "digest" : this.#settings.auth;
      if (!this.#passesHttp(request, response, byHttp ?? "none", this.#settings.snapshotPassword)) return;
      response.writeHead(200, { "content-type": "image/jpeg" }).end(Buffer.from([0xff, 0xd8, 0xff, 0xd9]));
      return;
    }
    response.writeHead(405).end();
  }

  // Logins

  #letsIn(request: IncomingMessage, envelope: XmlElement, response: ServerResponse): boolean {
    const { auth = "none", faultStatus = 400 } = this.#settings;
    if (auth === "none") return true;
    if (auth !== "token" && auth !== "token or digest") return this.#passesHttp(request, response, auth);
    const verdict = this.#checkToken(envelope);
    if (verdict === "ok") return true;
    if (verdict === "wrong") this.wrongLogins++;
    if (auth === "token or digest") return this.#passesHttp(request, response, "digest");
    this.#send(response, { ...fault("Sender", "NotAuthorized", "Sender not Authorized"), status: faultStatus });
    return false;
  }

  #passesHttp(
    request: IncomingMessage,
    response: ServerResponse,
    auth: string,
    password = this.#settings.password,
  ): boolean {
    if (auth === "none") return true;
    const { authorization } = request.headers;
    const verdict = /^basic/i.test(authorization ?? "")
      ? this.#checkBasic(authorization ?? "", auth, password)
      : this.#checkDigest(request, auth, password);
    if (verdict === "ok") return true;
    if (verdict === "wrong") this.wrongLogins++;
    response.writeHead(401, { "www-authenticate": this.#challenges(auth), "content-type": "text/html" });
    response.end("<html><body>Unauthorized</body></html>");
    return false;
  }

  #challenges(auth: string): string[] {
    const digest = (extra: string) => {
      const nonce = randomBytes(12).toString("hex");
      this.#nonces.set(nonce, 0);
      return `Digest realm="${REALM}", nonce="${nonce}", ${extra}`;
    };
    switch (auth) {
      case "sha-256":
        return [digest('qop="auth", algorithm=SHA-256')];
      case "md5 and sha-256":
        return [digest('qop="auth", algorithm=MD5'), digest('qop="auth", algorithm=SHA-256')];
      case "qop with a space":
        return [digest('qop="auth, auth-int"')];
      case "md5-sess":
        return [digest('qop="auth", algorithm=MD5-sess')];
      case "lower case":
        return [digest('qop="auth"').replace("Digest", "digest")];
      case "basic and digest":
        return [`Basic realm="${REALM}", ${digest('qop="auth"')}`];
      case "basic":
        return [`Basic realm="${REALM}"`];
      default:
        return [digest('qop="auth"')];
    }
  }

  #checkBasic(authorization: string, auth: string, password: string | undefined): Verdict {
    const { username } = this.#settings;
    const expected = Buffer.from(`${username}:${password}`).toString("base64");
    return auth.startsWith("basic") && authorization === `Basic ${expected}` ? "ok" : "wrong";
  }

  #checkDigest(request: IncomingMessage, auth: string, password: string | undefined): Verdict {
    const { method, url } = request;
    const { authorization } = request.headers;
    if (!authorization) return "absent";
    if (auth === "basic") return "wrong";
    const header = Buffer.from(authorization, "latin1").toString();
    const field = (name: string) =>
      new RegExp(`[\\s,]${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^,\\s]*))`)
        .exec(header)
        ?.slice(1)
        .find((value) => value !== undefined)
        ?.replace(/\\(.)/g, "$1");
    const nonce = field("nonce") ?? "";
    const counted = this.#nonces.get(nonce);
    if (counted === undefined) return "stale";
    const algorithm = field("algorithm") ?? "MD5";
    const sha = algorithm.startsWith("SHA-256");
    if (sha !== (auth === "sha-256" || (auth === "md5 and sha-256" && sha))) return "wrong";
    const hash = (...parts: (string | undefined)[]) =>
      createHash(sha ? "sha256" : "md5")
        .update(parts.join(":"))
        .digest("hex");
    const login = hash(this.#settings.username, REALM, password);
    const secret = algorithm.endsWith("-sess") ? hash(login, nonce, field("cnonce")) : login;
    const count = field("nc") ?? "";
    const expected = hash(secret, nonce, count, field("cnonce"), "auth", hash(method, url));
    const isRight =
      field("response") === expected &&
      field("username") === this.#settings.username &&
      field("uri") === url &&
      field("qop") === "auth" &&
      algorithm.endsWith("-sess") === (auth === "md5-sess") &&
      Number.parseInt(count, 16) === counted + 1;
    if (isRight) this.#nonces.set(nonce, counted + 1);
    return isRight ? "ok" : "wrong";
  }

  #checkToken(envelope: XmlElement): Verdict {
    const token = childOf(envelope, "Header", "Security", "UsernameToken");
    if (!token) return "absent";
    const nonce = textOf(token, "Nonce") ?? "";
    const created = textOf(token, "Created") ?? "";
    const digest = createHash("sha1")
      .update(Buffer.from(nonce, "base64"))
      .update(created)
      .update(Buffer.from(this.#settings.password ?? "", "utf8"))
      .digest("base64");
    const password = childOf(token, "Password");
    const isFresh = Math.abs(Date.parse(created) - this.#now()) <= TOKEN_AGE_MS && !this.#seen.has(nonce);
    this.#seen.add(nonce);
    const isRight =
      textOf(token, "Username") === this.#settings.username &&
      password?.text === digest &&
      password.attributes.Type?.endsWith("#PasswordDigest") === true;
    return isRight && isFresh ? "ok" : "wrong";
  }

  // Operations

  async #answer(operation: XmlElement, request: IncomingMessage, text: string): Promise<Answer> {
    switch (operation.name) {
      case "GetSystemDateAndTime":
        return { body: this.#dateAndTime() };
      case "GetServices":
        return this.#settings.hasGetServices === false ? unsupported() : { body: this.#services() };
      case "GetCapabilities":
        return { body: this.#capabilities() };
      case "GetDeviceInformation":
        return {
          body: '<t:GetDeviceInformationResponse xmlns:t="d"><t:Manufacturer>Example &amp; Sons</t:Manufacturer><t:Model>Dome 7</t:Model><t:FirmwareVersion>1.2.3</t:FirmwareVersion><t:SerialNumber>0042</t:SerialNumber><t:HardwareId>1</t:HardwareId></t:GetDeviceInformationResponse>',
        };
      case "GetScopes":
        return {
          body: `<t:GetScopesResponse xmlns:t="d">${["name/Back%20door", "hardware/Dome-7", "type/ptz"].map((scope) => `<t:Scopes><sch:ScopeDef>Fixed</sch:ScopeDef><sch:ScopeItem>onvif://www.onvif.org/${scope}</sch:ScopeItem></t:Scopes>`).join("")}</t:GetScopesResponse>`,
        };
      case "GetVideoSources":
        return this.#settings.hasVideoSources === false ? fault("Receiver", "Action", "") : { body: this.#sources() };
      case "GetProfiles":
      case "GetStreamUri":
      case "GetSnapshotUri":
        return this.#mediaAnswer(operation, request);
      case "ContinuousMove":
      case "Stop":
      case "GetPresets":
      case "GotoPreset":
        return this.#ptzAnswer(operation, text);
      default:
        return this.#eventAnswer(operation, request, text);
    }
  }

  #mediaAnswer(operation: XmlElement, request: IncomingMessage): Answer {
    const isMedia2 = request.url === "/onvif/media2";
    if (isMedia2 && this.#settings.media === "broken 2") return fault("Receiver", "Action", "not implemented");
    const wanted = textOf(operation, "ProfileToken");
    if (operation.name === "GetProfiles") return { body: this.#profiles(isMedia2) };
    if (!this.#profileList().some(({ token }) => token === wanted))
      return fault("Sender", "InvalidArgVal", "NoProfile");
    const { streamUri = `rtsp://${this.#host()}/live?profile=${wanted}`, snapshotUri } = this.#settings;
    const snapshot =
      snapshotUri?.replace("PORT", String(this.port)) ?? `http://${this.#host()}/snapshot.jpg?profile=${wanted}`;
    const uri = `<sch:Uri>${escapeXml(operation.name === "GetStreamUri" ? streamUri : snapshot)}</sch:Uri>`;
    return {
      body: isMedia2
        ? `<m:${operation.name}Response xmlns:m="${WSDL.media2}">${uri.replaceAll("sch:", "m:")}</m:${operation.name}Response>`
        : `<m:${operation.name}Response xmlns:m="${WSDL.media}"><m:MediaUri>${uri}</m:MediaUri></m:${operation.name}Response>`,
    };
  }

  #ptzAnswer(operation: XmlElement, text: string): Answer {
    const profile = this.#profileList().find(({ token }) => token === textOf(operation, "ProfileToken"));
    if (!profile?.ptz) return fault("Sender", "InvalidArgVal", "NoPTZProfile");
    const presets = ["p1", "p2"].map(
      (id, i) => `<p:Preset token="${id}"><sch:Name>${i ? "Till" : "Door"}</sch:Name></p:Preset>`,
    );
    const preset = textOf(operation, "PresetToken");
    if (operation.name === "GotoPreset" && preset !== "p1" && preset !== "p2") {
      return fault("Sender", "InvalidArgVal", "NoToken");
    }
    if (operation.name !== "GetPresets") {
      this.moves.push(text.replace(/^.*<s:Body>/s, "").replace(/<\/s:Body>.*$/s, ""));
    }
    const content = operation.name === "GetPresets" ? presets.join("") : "";
    return { body: `<p:${operation.name}Response xmlns:p="${WSDL.ptz}">${content}</p:${operation.name}Response>` };
  }

  async #eventAnswer(operation: XmlElement, request: IncomingMessage, text: string): Promise<Answer> {
    const { pull = "waits", canRenew = true } = this.#settings;
    if (operation.name === "CreatePullPointSubscription") return { body: this.#subscribe() };
    const subscription = this.#subscriptionOf(request, text);
    if (!subscription) return fault("Sender", "ResourceUnknownFault", "no such subscription");
    switch (operation.name) {
      case "PullMessages":
        if (pull === "fails") return fault("Receiver", "Action", "try later");
        await this.#wait(operation, request, pull);
        return { body: this.#pulled(subscription) };
      case "Renew":
        if (!canRenew) return unsupported();
        subscription.endsAt = this.#now() + this.#lifetime();
        return {
          body: `<b2:RenewResponse><b2:TerminationTime>${iso(subscription.endsAt)}</b2:TerminationTime><b2:CurrentTime>${this.#time()}</b2:CurrentTime></b2:RenewResponse>`,
        };
      case "Unsubscribe":
        for (const [id, one] of this.#subscriptions) if (one === subscription) this.#subscriptions.delete(id);
        return { body: "<b2:UnsubscribeResponse/>" };
      default:
        return unsupported();
    }
  }

  #subscribe(): string {
    const id = `sub ${++this.subscribed}&`;
    const endsAt = this.#now() + this.#lifetime();
    this.#subscriptions.set(id, { endsAt });
    const isQuery = this.#settings.subscription !== "parameter";
    const address = `http://${this.#host()}/onvif/subscription${isQuery ? `?Idx=${encodeURIComponent(id)}&x=1` : ""}`;
    const parameters = isQuery
      ? ""
      : `<wsa5:ReferenceParameters><v:SubscriptionId xmlns:v="${VENDOR}">${escapeXml(id)}</v:SubscriptionId><v:Shard xmlns:v="${VENDOR}">7</v:Shard></wsa5:ReferenceParameters>`;
    return [
      `<e:CreatePullPointSubscriptionResponse xmlns:e="${WSDL.events}"><e:SubscriptionReference>`,
      `<wsa5:Address>${escapeXml(address)}</wsa5:Address>${parameters}</e:SubscriptionReference>`,
      `<b2:CurrentTime>${this.#time()}</b2:CurrentTime><b2:TerminationTime>${iso(endsAt)}</b2:TerminationTime>`,
      "</e:CreatePullPointSubscriptionResponse>",
    ].join("");
  }

  /** By all that the address held: its query, or each parameter in its namespace and marked as such. */
  #subscriptionOf(request: IncomingMessage, text: string): Subscription | undefined {
    const parameter = (name: string) =>
      new RegExp(`<(\\w+):${name} xmlns:\\1="${VENDOR}" wsa:IsReferenceParameter="true">([^<]*)</\\1:${name}>`).exec(
        text.replace(/<s:Body>.*$/s, ""),
      )?.[2];
    const query = new URL(request.url ?? "", "http://camera").searchParams;
    const byQuery = query.get("x") === "1" ? query.get("Idx") : undefined;
    const byParameter =
      parameter("Shard") === "7" ? parameter("SubscriptionId")?.replace(/&(amp|#38);/g, "&") : undefined;
    const id = this.#settings.subscription === "parameter" ? byParameter : byQuery;
    const found = this.#subscriptions.get(id ?? "");
    return found && found.endsAt > this.#now() ? found : undefined;
  }

  async #wait(operation: XmlElement, request: IncomingMessage, pull: string): Promise<void> {
    const seconds = Number(/^PT(\d+)S$/.exec(textOf(operation, "Timeout") ?? "")?.[1]);
    if (pull === "hurries" || this.#messages.length > 0) return;
    const over = new AbortController();
    const timer = setTimeout(() => over.abort(), seconds * 1000);
    request.socket.once("close", () => over.abort());
    await once(this.#news, "news", { signal: over.signal }).catch(() => undefined);
    clearTimeout(timer);
  }

  #pulled({ endsAt }: Subscription): string {
    const messages = this.#messages.splice(0);
    return [
      `<e:PullMessagesResponse xmlns:e="${WSDL.events}"><e:CurrentTime>${this.#time()}</e:CurrentTime>`,
      `<e:TerminationTime>${iso(endsAt)}</e:TerminationTime>${messages.join("")}</e:PullMessagesResponse>`,
    ].join("");
  }

  #lifetime(): number {
    return this.#settings.lifetimeMs ?? 60_000;
  }

  #addresses(): (readonly [keyof typeof WSDL, string])[] {
    const { media = "1", hasPtz = false, hasEvents = true } = this.#settings;
    const names: (keyof typeof WSDL)[] = ["device"];
    if (media !== "2") names.push("media");
    if (media !== "1") names.push("media2");
    if (hasPtz) names.push("ptz");
    if (hasEvents) names.push("events");
    return names.map((name) => [name, `http://${this.#host()}/onvif/${name === "device" ? "device_service" : name}`]);
  }

  #services(): string {
    const services = this.#addresses().map(
      ([name, address]) =>
        `<t:Service><t:Namespace>${WSDL[name]}</t:Namespace><t:XAddr>${address}</t:XAddr></t:Service>`,
    );
    return `<t:GetServicesResponse xmlns:t="${WSDL.device}">${services.join("")}</t:GetServicesResponse>`;
  }

  #capabilities(): string {
    const names = { device: "Device", media: "Media", ptz: "PTZ", events: "Events", media2: "Unknown" };
    const capabilities = this.#addresses().map(
      ([name, address]) => `<sch:${names[name]}><sch:XAddr>${address}</sch:XAddr></sch:${names[name]}>`,
    );
    return `<t:GetCapabilitiesResponse xmlns:t="${WSDL.device}"><t:Capabilities>${capabilities.join("")}</t:Capabilities></t:GetCapabilitiesResponse>`;
  }

  #profileList(): readonly SimulatedProfile[] {
    return this.#settings.profiles ?? TWO_STREAMS;
  }

  #profiles(isMedia2: boolean): string {
    const profiles = this.#profileList().map(({ token, source = "lens", encoding = "H264", width, height, ptz }) => {
      const [video, coder, move] = isMedia2
        ? ["VideoSource", "VideoEncoder", "PTZ"]
        : ["VideoSourceConfiguration", "VideoEncoderConfiguration", "PTZConfiguration"];
      const size = width
        ? `<sch:Resolution><sch:Width>${width}</sch:Width><sch:Height>${height}</sch:Height></sch:Resolution>`
        : "";
      const configurations = [
        `<sch:${video} token="config-${source}"><sch:SourceToken>${source}</sch:SourceToken></sch:${video}>`,
        `<sch:${coder} token="e"><sch:Encoding>${encoding}</sch:Encoding>${size}<sch:RateControl><sch:FrameRateLimit>25</sch:FrameRateLimit></sch:RateControl></sch:${coder}>`,
        ptz ? `<sch:${move} token="ptz"/>` : "",
      ].join("");
      const inside = isMedia2 ? `<m:Configurations>${configurations}</m:Configurations>` : configurations;
      return `<m:Profiles token="${token}"><sch:Name>${token}</sch:Name>${inside}</m:Profiles>`;
    });
    const namespace = isMedia2 ? WSDL.media2 : WSDL.media;
    const soundOnly = '<m:Profiles token="sound"><sch:Name>sound</sch:Name></m:Profiles>';
    return `<m:GetProfilesResponse xmlns:m="${namespace}">${soundOnly}${profiles.join("")}</m:GetProfilesResponse>`;
  }

  /** In the order of the tokens' names, which need not be that of the profiles. */
  #sources(): string {
    const tokens = [...new Set(this.#profileList().map(({ source = "lens" }) => source))].sort();
    const sources = tokens.map((token) => `<m:VideoSources token="${token}"/>`);
    return `<m:GetVideoSourcesResponse xmlns:m="${WSDL.media}">${sources.join("")}</m:GetVideoSourcesResponse>`;
  }

  #dateAndTime(): string {
    const now = new Date(this.#now());
    const field = (name: string, value: number) => `<sch:${name}>${value}</sch:${name}>`;
    const time = [
      field("Hour", now.getUTCHours()),
      field("Minute", now.getUTCMinutes()),
      field("Second", now.getUTCSeconds()),
    ];
    const date = [
      field("Year", now.getUTCFullYear()),
      field("Month", now.getUTCMonth() + 1),
      field("Day", now.getUTCDate()),
    ];
    return [
      `<t:GetSystemDateAndTimeResponse xmlns:t="${WSDL.device}"><t:SystemDateAndTime>`,
      "<sch:DateTimeType>Manual</sch:DateTimeType><sch:DaylightSavings>true</sch:DaylightSavings>",
      `<sch:UTCDateTime><sch:Time>${time.join("")}</sch:Time><sch:Date>${date.join("")}</sch:Date></sch:UTCDateTime>`,
      "</t:SystemDateAndTime></t:GetSystemDateAndTimeResponse>",
    ].join("");
  }

  #now(): number {
    return Date.now() + this.skewMs;
  }

  #time(): string {
    return iso(this.#now());
  }

  #host(): string {
    return this.#settings.reportedHost?.replace("PORT", String(this.port)) ?? `127.0.0.1:${this.port}`;
  }

  // What no camera should do

  #misbehave(evil: NonNullable<OnvifCameraSettings["evil"]>, response: ServerResponse): void {
    const deep = 200_000;
    switch (evil) {
      case "hangs":
        return;
      case "huge":
        this.#flood(response);
        return;
      case "html":
        response.setHeader("content-type", "text/html");
        response.end("<!DOCTYPE html><html><head><title>Log in</title></head><body>hello</body></html>");
        return;
      case "deep":
        this.#send(response, { body: `${"<a>".repeat(deep)}${"</a>".repeat(deep)}` });
        return;
      case "reserved names":
        this.#send(response, {
          body: `<GetServicesResponse><Service __proto__="x" constructor="y"><__proto__><polluted>yes</polluted></__proto__><constructor><prototype><polluted>yes</polluted></prototype></constructor><Namespace>${WSDL.media}</Namespace></Service></GetServicesResponse>`,
        });
        return;
      case "entities": {
        const entities = Array.from({ length: 12 }, (_, i) => `<!ENTITY e${i + 1} "${`&e${i};`.repeat(10)}">`);
        response.end(
          `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "lots of text">${entities.join("")}<!ENTITY file SYSTEM "file:///etc/passwd">]>${ENVELOPE}<env:Body><GetServicesResponse><Service><Namespace>&e12;</Namespace><XAddr>&file;</XAddr></Service></GetServicesResponse></env:Body></env:Envelope>`,
        );
        return;
      }
    }
  }

  #flood(response: ServerResponse): void {
    const chunk = Buffer.alloc(256 * 1024, "a");
    response.writeHead(200, { "content-type": "application/soap+xml" });
    response.write(`${ENVELOPE}<env:Body>`);
    const more = () => {
      while (this.bytesSent < HUGE_BYTES && !response.destroyed) {
        this.bytesSent += chunk.length;
        if (!response.write(chunk)) {
          response.once("drain", more);
          return;
        }
      }
      response.end();
    };
    more();
  }
}

function fault(code: "Sender" | "Receiver", subcode: string, reason: string): Answer {
  return {
    status: 400,
    body: `<env:Fault><env:Code><env:Value>env:${code}</env:Value><env:Subcode><env:Value>ter:${subcode}</env:Value></env:Subcode></env:Code><env:Reason><env:Text xml:lang="en">${reason}</env:Text></env:Reason></env:Fault>`,
  };
}

function unsupported(): Answer {
  return fault("Receiver", "ActionNotSupported", "Optional Action Not Implemented");
}

function iso(time: number): string {
  return new Date(time).toISOString();
}

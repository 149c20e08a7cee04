import { createSocket } from "node:dgram";
import { createServer as createHttpServer, type IncomingMessage } from "node:http";
import { createServer, type Socket } from "node:net";
import { frameDhip } from "../../src/discovery/dhip.ts";

/** What a simulated host on a camera LAN does; what is absent it does not. */
export interface LanHost {
  readonly ip: string;
  readonly mac: string;
  readonly onvif?: {
    readonly uuid: string;
    readonly scopes: string;
    readonly types?: string;
    readonly xaddrs?: string;
    /** Answers only when asked by itself, as cameras behind a router do. */
    readonly unicastOnly?: boolean;
  };
  /** Bytes that it answers each probe with, instead. */
  readonly onvifGarbage?: string;
  readonly sadp?: { readonly model: string; readonly activated: boolean };
  readonly dhip?: { readonly model: string; readonly kind: string };
  readonly gvcp?: { readonly maker: string; readonly model: string };
  readonly mdns?: { readonly service: string; readonly instance: string; readonly port: number };
  readonly ssdp?: { readonly manufacturer: string; readonly model: string };
  readonly rtsp?: { readonly port: number; readonly realm: string; readonly server: string };
  readonly http?: {
    readonly port: number;
    readonly server: string;
    readonly realm?: string;
    /** Answers GetSystemDateAndTime. */
    readonly onvif?: boolean;
  };
  /** Ports that take a connection and say nothing. */
  readonly mute?: readonly number[];
}

/** A line on standard output: it is ready, or somebody tried to log in. */
export type LanHostNews = "ready" | "login";

const SSDP_PORT = 49_152;

/** Runs the host until the process ends. Everything is open before it says that it is ready. */
async function run(host: LanHost): Promise<void> {
  await Promise.all([
    host.onvif || host.onvifGarbage ? answerUdp(host.ip, 3702, "239.255.255.250", onvifAnswer(host)) : undefined,
    host.sadp ? answerUdp(host.ip, 37020, "239.255.255.250", sadpAnswer(host), true) : undefined,
    host.dhip ? answerUdp(host.ip, 37810, "239.255.255.251", dhipAnswer(host)) : undefined,
    host.gvcp ? answerUdp(host.ip, 3956, undefined, gvcpAnswer(host)) : undefined,
    host.mdns ? answerUdp(host.ip, 5353, "224.0.0.251", mdnsAnswer(host)) : undefined,
    host.ssdp ? answerUdp(host.ip, 1900, "239.255.255.250", ssdpAnswer(host)) : undefined,
    host.ssdp ? serveDescription(host) : undefined,
    host.rtsp ? serveRtsp(host) : undefined,
    host.http ? serveWeb(host) : undefined,
    ...(host.mute ?? []).map((port) =>
      listen(
        createServer(() => undefined),
        port,
      ),
    ),
  ]);
  tell("ready");
}

function tell(news: LanHostNews): void {
  process.stdout.write(`${news}\n`);
}

type Answer = (question: Buffer) => Buffer | string | undefined;

function answerUdp(
  ip: string,
  port: number,
  group: string | undefined,
  answer: Answer,
  toGroup = false,
): Promise<void> {
  const socket = createSocket({ type: "udp4", reuseAddr: true });
  socket.on("message", (question, from) => {
    const reply = answer(question);
    if (reply === undefined) return;
    socket.send(reply, toGroup ? port : from.port, toGroup && group ? group : from.address);
  });
  return new Promise((resolve) => {
    socket.bind(port, () => {
      if (group) socket.addMembership(group, ip);
      if (group) socket.setMulticastInterface(ip);
      resolve();
    });
  });
}

function onvifAnswer({ ip, onvif, onvifGarbage }: LanHost): Answer {
  return (question) => {
    if (onvifGarbage !== undefined) return onvifGarbage;
    const id = /MessageID>([^<]+)</.exec(question.toString())?.[1];
    if (id === undefined || !onvif) return undefined;
    const { uuid, scopes, types = "dn:NetworkVideoTransmitter", xaddrs = `http://${ip}/onvif/device_service` } = onvif;
    return `<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><s:Header><a:RelatesTo>${id}</a:RelatesTo></s:Header><s:Body><d:ProbeMatches><d:ProbeMatch><a:EndpointReference><a:Address>urn:uuid:${uuid}</a:Address></a:EndpointReference><d:Types>${types}</d:Types><d:Scopes>${scopes}</d:Scopes><d:XAddrs>${xaddrs}</d:XAddrs></d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>`;
  };
}

function sadpAnswer({ mac, sadp }: LanHost): Answer {
  return (question) => {
    const id = /^<\?xml[^>]*><Probe><Uuid>([^<]+)</.exec(question.toString())?.[1];
    if (id === undefined || !sadp) return undefined;
    return `<?xml version="1.0"?><ProbeMatch><Uuid>${id}</Uuid><Types>inquiry</Types><DeviceDescription>${sadp.model}</DeviceDescription><CommandPort>8000</CommandPort><HttpPort>80</HttpPort><MAC>${mac.replaceAll(":", "-")}</MAC><Activated>${sadp.activated}</Activated></ProbeMatch>`;
  };
}

function dhipAnswer({ mac, dhip }: LanHost): Answer {
  return (question) => {
    if (!dhip || question.toString("latin1", 4, 8) !== "DHIP" || question.readUInt32LE(16) !== question.length - 32) {
      return undefined;
    }
    const deviceInfo = { DeviceClass: dhip.kind, DeviceType: dhip.model, HttpPort: 80, Port: 37777 };
    return frameDhip({ mac, method: "client.notifyDevInfo", params: { deviceInfo } });
  };
}

function gvcpAnswer({ mac, gvcp }: LanHost): Answer {
  return (question) => {
    if (!gvcp || question.readUInt16BE(2) !== 2) return undefined;
    const answer = Buffer.alloc(256);
    answer.writeUInt16BE(3, 2);
    answer.writeUInt16BE(248, 4);
    question.copy(answer, 6, 6, 8);
    answer.write(mac.replaceAll(":", ""), 18, "hex");
    answer.write(gvcp.maker, 80);
    answer.write(gvcp.model, 112);
    return answer;
  };
}

function mdnsAnswer({ mdns }: LanHost): Answer {
  const name = (text: string): Buffer =>
    Buffer.concat([
      ...text.split(".").map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])),
      Buffer.from([0]),
    ]);
  const record = (owner: string, type: number, data: Buffer): Buffer => {
    const head = Buffer.alloc(10);
    head.writeUInt16BE(type, 0);
    head.writeUInt16BE(1, 2);
    head.writeUInt16BE(data.length, 8);
    return Buffer.concat([name(owner), head, data]);
  };
  return (question) => {
    const isWanted = mdns && question.includes(name(mdns.service)) && (question.readUInt16BE(2) & 0x8000) === 0;
    if (!isWanted) return undefined;
    const full = `${mdns.instance}.${mdns.service}`;
    const place = Buffer.alloc(6);
    place.writeUInt16BE(mdns.port, 4);
    const head = Buffer.alloc(12);
    head.writeUInt16BE(0x8400, 2);
    head.writeUInt16BE(2, 6);
    return Buffer.concat([
      head,
      record(mdns.service, 12, name(full)),
      record(full, 33, Buffer.concat([place, name("host.local")])),
    ]);
  };
}

function ssdpAnswer({ ip, ssdp }: LanHost): Answer {
  return (question) => {
    if (!ssdp || !question.toString().startsWith("M-SEARCH")) return undefined;
    return `HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nLOCATION: http://${ip}:${SSDP_PORT}/desc.xml\r\nUSN: uuid:x\r\n\r\n`;
  };
}

function serveDescription({ ssdp }: LanHost): Promise<void> {
  const server = createHttpServer((request, response) => {
    watchLogin(request.headers.authorization);
    response.end(
      `<?xml version="1.0"?><root><device><manufacturer>${ssdp?.manufacturer}</manufacturer><modelName>${ssdp?.model}</modelName></device></root>`,
    );
  });
  return listen(server, SSDP_PORT);
}

function serveRtsp({ rtsp }: LanHost): Promise<void> {
  const answer = (socket: Socket, request: string): void => {
    const sequence = /^CSeq: *(\d+)/im.exec(request)?.[1] ?? "0";
    watchLogin(/^Authorization:.*/im.exec(request)?.[0]);
    const head = `CSeq: ${sequence}\r\nServer: ${rtsp?.server}\r\n`;
    socket.write(
      request.startsWith("OPTIONS")
        ? `RTSP/1.0 200 OK\r\n${head}Public: OPTIONS, DESCRIBE\r\n\r\n`
        : `RTSP/1.0 401 Unauthorized\r\n${head}WWW-Authenticate: Digest realm="${rtsp?.realm}", nonce="1"\r\n\r\n`,
    );
  };
  const server = createServer((socket) => {
    socket.on("error", () => undefined).on("data", (data) => answer(socket, data.toString()));
  });
  return listen(server, rtsp?.port ?? 554);
}

function serveWeb({ http }: LanHost): Promise<void> {
  const server = createHttpServer((request: IncomingMessage, response) => {
    let body = "";
    watchLogin(request.headers.authorization);
    request.on("data", (data) => {
      body += data;
    });
    request.on("end", () => {
      if (/<(\w+:)?(UsernameToken|Password)\b/.test(body)) tell("login");
      response.setHeader("Server", http?.server ?? "");
      if (http?.onvif && body.includes("GetSystemDateAndTime")) {
        response.end("<s:Envelope><s:Body><tds:GetSystemDateAndTimeResponse/></s:Body></s:Envelope>");
        return;
      }
      if (http?.realm !== undefined) response.setHeader("WWW-Authenticate", `Digest realm="${http.realm}", nonce="1"`);
      response.writeHead(http?.realm === undefined ? 200 : 401).end("<html></html>");
    });
  });
  return listen(server, http?.port ?? 80);
}

function watchLogin(header: string | undefined): void {
  if (header !== undefined) tell("login");
}

function listen(server: { listen(port: number, ready: () => void): unknown }, port: number): Promise<void> {
  return new Promise((resolve) => {
    server.listen(port, resolve);
  });
}

const [, script, description] = process.argv;
if (script?.endsWith("camera-lan-host.js") && description !== undefined) void run(JSON.parse(description));

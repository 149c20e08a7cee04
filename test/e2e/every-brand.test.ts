import assert from "node:assert/strict";
import sharp from "sharp";
import { ADMIN as DAHUA_ADMIN, DahuaCamera, eventPart } from "../servers/dahua-camera.ts";
import { ffmpegs } from "../servers/ffmpeg.ts";
import { HttpCamera, mjpeg } from "../servers/http-camera.ts";
import { alertPart, alertXml, ADMIN as ISAPI_ADMIN, IsapiCamera } from "../servers/isapi-camera.ts";
import { OnvifCamera, TWO_STREAMS } from "../servers/onvif-camera.ts";
import { RtspServer } from "../servers/rtsp.ts";
import { edited, example, NodeRed } from "./node-red.ts";

const ONVIF_ADMIN = { username: "admin", password: "p@ss:w/o#r%d&+ü" };
const toConsole = { console: true, complete: "true", targetType: "full" };
const THREE_DAYS_MS = 3 * 24 * 60 * 60 * 1000;

describe("example: cameras of every brand", function () {
  this.timeout(120_000);
  const closing: (() => Promise<unknown>)[] = [];
  let nodeRed: NodeRed;
  let onvif: OnvifCamera;

  before(async function () {
    if (!RtspServer.available || ffmpegs.length === 0) return this.skip();
    const keep = <T>(server: T, close: () => Promise<unknown>): T => {
      closing.push(close);
      return server;
    };
    const stream = async (login: { username: string; password: string }) => {
      const server = await RtspServer.start({ auth: "digest", ...login });
      return keep(server, () => server.kill());
    };
    const jpeg = await sharp({ create: { width: 320, height: 180, channels: 3, background: "green" } })
      .jpeg()
      .toBuffer();

    const hikvisionStream = await stream(ISAPI_ADMIN);
    const hikvision = await IsapiCamera.start({
      rtspPort: hikvisionStream.port,
      jpeg,
      alerts: (response) => void response.write(alertPart(alertXml("VMD", "active"))),
    });
    closing.push(() => hikvision.stop());
    const dahuaStream = await stream(DAHUA_ADMIN);
    const dahua = await DahuaCamera.start({
      kind: "nvr",
      rtspPort: dahuaStream.port,
      jpeg,
      events: (response) => void response.write(eventPart("Code=VideoMotion;action=Start;index=3")),
    });
    closing.push(() => dahua.stop());
    const onvifStream = await stream(ONVIF_ADMIN);
    onvif = await OnvifCamera.start({
      auth: "token",
      ...ONVIF_ADMIN,
      skewMs: -THREE_DAYS_MS,
      hasPtz: true,
      profiles: TWO_STREAMS.map((profile) => ({ ...profile, ptz: profile.token === "big" })),
      hasEvents: true,
      streamUri: `rtsp://192.168.1.64:${onvifStream.port}/live`,
    });
    closing.push(() => onvif.stop());
    const http = await HttpCamera.start({ login: "basic", ...ONVIF_ADMIN, answer: mjpeg(jpeg) });
    closing.push(() => http.stop());

    const flow = edited(example("Cameras of every brand"), {
      "every-auto": { d: false, address: http.url("/video.mjpg") },
      "every-onvif": { d: false, host: "127.0.0.1", port: String(onvif.port) },
      "every-hikvision": { d: false, host: "127.0.0.1", port: String(hikvision.port) },
      "every-dahua": { d: false, host: "127.0.0.1", port: String(dahua.port), channel: "4" },
      "every-change": toConsole,
      "every-events": toConsole,
      "every-answers": toConsole,
      "every-errors": toConsole,
    });
    nodeRed = await NodeRed.start({
      flow,
      credentials: {
        "every-auto": ONVIF_ADMIN,
        "every-onvif": ONVIF_ADMIN,
        "every-hikvision": ISAPI_ADMIN,
        "every-dahua": DAHUA_ADMIN,
      },
    });
  });
  after(async () => {
    await nodeRed?.stop();
    for (const close of closing.reverse()) await close();
  });

  for (const camera of ["anything", "entrance", "till", "aisle-3"]) {
    it(`brings the camera ${camera} to life`, async () => {
      await nodeRed.logged(new RegExp(`topic: '${camera}'(?:(?!_msgid)[\\s\\S])*state: 'live'`), 60_000);
    });
  }

  it("tells what the cameras notice", async () => {
    await nodeRed.logged(/topic: 'till'(?:(?!_msgid)[\s\S])*kind: '/, 30_000);
    await nodeRed.logged(/topic: 'aisle-3'(?:(?!_msgid)[\s\S])*kind: '/, 30_000);
  });

  const press = async (id: string) => {
    const reply = await fetch(`${nodeRed.url}/inject/${id}`, { method: "POST" });
    assert.ok(reply.ok, String(reply.status));
  };

  it("moves a camera, and takes a picture, at the press of a button", async () => {
    await press("every-left");
    await nodeRed.logged(/payload: true,\s*topic: 'entrance'/, 10_000);
    assert.ok(onvif.moves.length > 0);
    await press("every-snap");
    await nodeRed.logged(/payload: <Buffer ff d8(?:(?!_msgid)[\s\S])*topic: 'till'/, 10_000);
  });

  it("shows no password anywhere", () => {
    assert.doesNotMatch(nodeRed.log, /p@ss|p%40ss|Käse|K%C3%A4se|K\\u00e4se/);
  });

  it("is quiet after an empty deploy", async () => {
    await nodeRed.deploy([]);
    await nodeRed.logged(/Stopped flows[\s\S]*Started flows/, 10_000);
    assert.deepEqual(nodeRed.children(), []);
  });
});

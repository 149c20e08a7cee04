import assert from "node:assert/strict";
import type { DiscoveredDevice } from "../../src/discovery/merge.ts";
import type { DiscoveryEvent } from "../../src/discovery/scan.ts";
import { CameraLan } from "../servers/camera-lan.ts";
import type { LanHost } from "../servers/camera-lan-host.ts";

const CLIENT = ["10.87.1.2", "10.87.2.2"] as const;
const SECOND = "10.87.2.0/24";
const scopes = (name: string, hardware: string): string =>
  `onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/name/${name} onvif://www.onvif.org/hardware/${hardware}`;
const uuid = (last: number): string => `00000000-0000-4000-8000-00000000000${last}`;

/** Eight cameras of several makers on two networks. */
const CAMERAS: readonly (LanHost & { vendor: string })[] = [
  {
    vendor: "Hikvision",
    ip: "10.87.1.11",
    mac: "c4:2f:90:00:00:11",
    onvif: { uuid: uuid(1), scopes: scopes("HIKVISION%20X1", "X1"), xaddrs: "http://0.0.0.0/onvif/device_service" },
    sadp: { model: "X1 & more", activated: true },
    rtsp: { port: 554, realm: "IP Camera(A1)", server: "" },
    http: { port: 80, server: "App-webs/" },
  },
  { vendor: "Hikvision", ip: "10.87.1.12", mac: "02:00:00:00:00:12", sadp: { model: "X2", activated: false } },
  {
    vendor: "Dahua",
    ip: "10.87.1.13",
    mac: "3c:ef:8c:00:00:13",
    dhip: { model: "R16", kind: "NVR" },
    rtsp: { port: 554, realm: "Login to 4C0048", server: "Rtsp Server/3.0" },
  },
  {
    vendor: "Axis",
    ip: "10.87.1.14",
    mac: "02:00:00:00:00:14",
    mdns: { service: "_axis-video._tcp.local", instance: "Yard", port: 80 },
    ssdp: { manufacturer: "AXIS", model: "P1" },
    http: { port: 80, server: "Apache", realm: "AXIS_ACCC8E000014" },
  },
  {
    vendor: "Basler",
    ip: "10.87.1.15",
    mac: "02:00:00:00:00:15",
    gvcp: { maker: "Basler", model: "area-12" },
  },
  {
    vendor: "Hanwha Vision",
    ip: "10.87.2.11",
    mac: "02:00:00:00:00:21",
    rtsp: { port: 554, realm: "iPolis", server: "" },
  },
  {
    vendor: "Bosch",
    ip: "10.87.2.12",
    mac: "02:00:00:00:00:22",
    http: { port: 80, server: "VCS-VideoJet-Webserver" },
    onvif: { uuid: uuid(2), scopes: scopes("Lobby", "B2") },
  },
  {
    vendor: "Reolink",
    ip: "10.87.2.13",
    mac: "02:00:00:00:00:23",
    rtsp: { port: 8554, realm: "BC Streaming Media", server: "" },
    http: { port: 8000, server: "nginx", onvif: true },
  },
];

/** Hosts that are no cameras, whatever they say. */
const OTHERS: readonly LanHost[] = [
  {
    ip: "10.87.1.20",
    mac: "02:00:00:00:00:30",
    http: { port: 80, server: "JetDirect" },
    onvif: { uuid: uuid(3), scopes: "", types: "wsdp:Device wprt:PrintDeviceType" },
    ssdp: { manufacturer: "Paperworks", model: "Laser" },
    mdns: { service: "_ipp._tcp.local", instance: "Laser", port: 631 },
  },
  { ip: "10.87.1.21", mac: "02:00:00:00:00:31", onvifGarbage: "<<<<&&&& not xml", mute: [554, 80] },
  {
    ip: "10.87.2.20",
    mac: "02:00:00:00:00:32",
    onvif: { uuid: uuid(4), scopes: scopes("x", "y"), xaddrs: "http://127.0.0.1:1880/onvif/device_service" },
  },
];

const devicesOf = (events: readonly { type: string }[]): readonly DiscoveredDevice[] => {
  const last = events.at(-1) as DiscoveryEvent;
  assert.ok(last.type === "finished");
  return last.devices;
};

describe("discovery: a LAN of cameras", function () {
  this.timeout(30_000);
  let lan: CameraLan | undefined;
  const theLan = (): CameraLan => {
    assert.ok(lan);
    return lan;
  };
  before(async function () {
    if (!CameraLan.isAvailable()) return this.skip();
    lan = await CameraLan.start(CLIENT, [...CAMERAS, ...OTHERS]);
  });
  after(async () => {
    await lan?.stop();
    if (lan) assert.deepEqual(CameraLan.leftovers(), []);
  });

  it("finds all cameras of both networks, each once, by the right name, and nothing else", async () => {
    const { events, ms } = await theLan().scan({});
    const devices = devicesOf(events);
    assert.deepEqual(
      devices.map(({ ip, vendor }) => [ip, vendor]),
      CAMERAS.map(({ ip, vendor }) => [ip, vendor]),
    );
    assert.deepEqual(
      devices.map(({ mac }) => mac),
      CAMERAS.map(({ mac }) => mac),
    );
    const found = events.flatMap((event) => (event.type === "found" ? [event.device.ip] : []));
    assert.deepEqual(found.toSorted(), CAMERAS.map(({ ip }) => ip).toSorted());
    assert.ok(ms < 5000, `${ms} ms`);
    const [hikvision, fresh] = devices;
    assert.deepEqual(hikvision?.addresses, [
      "onvif://10.87.1.11:80",
      "hik://10.87.1.11:80",
      "rtsp://10.87.1.11:554/Streaming/Channels/101",
      "rtsp://10.87.1.11:554/",
      "http://10.87.1.11:80/",
    ]);
    assert.deepEqual([hikvision?.model, hikvision?.needsPassword, hikvision?.activated], ["X1 & more", true, true]);
    assert.equal(fresh?.activated, false);
  });

  it("tells how far it is, to the end", async () => {
    const { events } = await theLan().scan({ listenMs: 600 });
    const progress = events.flatMap((event) => (event.type === "progress" ? [event.progress] : []));
    assert.ok(progress.length > 2);
    assert.equal(progress.at(-1), 1);
    assert.deepEqual(
      progress,
      progress.toSorted((one, other) => one - other),
    );
  });

  it("looks only on the interfaces that it is told", async () => {
    const { events } = await theLan().scan({ interfaces: ["e1"], listenMs: 600 });
    assert.ok(devicesOf(events).every(({ ip }) => ip.startsWith("10.87.2.")));
    assert.equal(devicesOf(events).length, 3);
  });

  it("finds by ports alone those that answer there, quickly by the table of neighbours", async () => {
    const { events, ms } = await theLan().scan({ methods: ["ports"], subnets: [SECOND] });
    assert.deepEqual(
      devicesOf(events).map(({ vendor }) => vendor),
      ["Hanwha Vision", "Bosch", "Reolink"],
    );
    assert.ok(ms < 3000, `${ms} ms`);
  });

  it("ends soon when it is cancelled", async () => {
    let cancelledAt = 0;
    const { events } = await theLan().scan({ listenMs: 20_000 }, (event, cancel) => {
      if (event.type !== "found" || cancelledAt > 0) return;
      cancelledAt = Date.now();
      cancel();
    });
    assert.ok(Date.now() - cancelledAt < 2000);
    assert.deepEqual(events.at(-1), { type: "failed", message: "cancelled" });
  });

  it("finds cameras of a network that is not its own, without the table of neighbours", async () => {
    theLan().detachSecond(CLIENT[1]);
    const { events, ms } = await theLan().scan({ subnets: [SECOND], interfaces: ["e0"] });
    const far = devicesOf(events).filter(({ ip }) => ip.startsWith("10.87.2."));
    assert.deepEqual(
      far.map(({ vendor }) => vendor),
      ["Hanwha Vision", "Bosch", "Reolink"],
    );
    assert.equal(far[1]?.endpoint, `urn:uuid:${uuid(2)}`);
    assert.ok(ms < 5000, `${ms} ms`);
  });

  it("tries no password anywhere", () => assert.equal(theLan().logins, 0));
});

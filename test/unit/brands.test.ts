import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import {
  type Brand,
  brandAddresses,
  brandOf,
  brandRtspAddress,
  brands,
  recogniseBrand,
} from "../../src/camera/brands/brands.ts";
import { brandProtocol } from "../../src/camera/protocols/brand/brand-protocol.ts";
import { dahuaProtocol } from "../../src/camera/protocols/dahua/dahua-protocol.ts";
import { gigeProtocol } from "../../src/camera/protocols/gige/gige-protocol.ts";
import { hikvisionProtocol } from "../../src/camera/protocols/hikvision/hikvision-protocol.ts";
import type { CctvError } from "../../src/errors.ts";

const MATRIX = [
  ...["hikvision", "dahua", "axis", "bosch", "uniview", "reolink", "hanwha", "sony", "pelco", "tvt"],
  ...["genicam", "ubiquiti"],
];
const table = JSON.parse(readFileSync("src/camera/brands/brands.json", "utf8")) as {
  placeholders: Record<string, string>;
  confidence: Record<string, string>;
  brands: Brand[];
};
const host = "10.0.0.9";
const credentials = { username: "ad min", password: "p&ss" };

function brand(id: string): Brand {
  const found = brandOf(id);
  assert.ok(found, id);
  return found;
}

function templatesOf({ rtsp, snapshot, mjpeg }: Brand): string[] {
  return [...(rtsp?.main ?? []), ...(rtsp?.sub ?? []), ...snapshot, ...mjpeg];
}

describe("brand table", () => {
  it("has the twelve brands of the compatibility matrix", () => {
    assert.deepEqual(
      brands.map(({ id }) => id),
      MATRIX,
    );
  });

  for (const one of table.brands) {
    it(`describes ${one.label} in full`, () => {
      assert.match(one.id, /^[a-z]+$/);
      assert.ok(one.label && one.channels);
      assert.ok(one.confidence in table.confidence, one.confidence);
      assert.ok(one.sources.length > 0 && one.sources.every((source) => source.length > 10));
      const { rtsp, rtsps = [], http, https = [], onvif = [], ...others } = one.ports;
      assert.deepEqual(others, {});
      const ports = [...(rtsp ?? []), ...rtsps, ...(http ?? []), ...https, ...onvif];
      assert.ok(ports.every((port) => Number.isInteger(port) && port > 0 && port < 65_536));
      assert.equal(one.rtsp !== undefined, rtsp !== undefined);
      assert.equal(one.snapshot.length > 0, http !== undefined);
      for (const template of templatesOf(one)) {
        assert.match(template, /^\/[!-~]*$/);
        const names = [...template.matchAll(/\{(.*?)\}/g)].map(([, name]) => name ?? "");
        assert.ok(
          names.every((name) => name in table.placeholders),
          template,
        );
      }
      for (const patterns of Object.values(one.fingerprint)) {
        assert.ok(patterns.every((pattern) => pattern.startsWith("^") && new RegExp(pattern)));
      }
    });

    it(`has templates of ${one.label} that fill for the first channel and the twelfth`, () => {
      for (const channel of [1, 12]) {
        for (const stream of ["main", "sub"] as const) {
          const { rtsp, snapshot, mjpeg } = brandAddresses(one, { host, channel, stream, credentials });
          const all = [...(rtsp ? [rtsp] : []), ...snapshot, ...mjpeg];
          for (const address of all) {
            assert.match(address, /^(?:rtsp|http):\/\/10\.0\.0\.9:\d+\/[^{}]*$/);
            assert.ok(URL.canParse(address));
            if (channel === 12) assert.match(address, /1[12]/, address);
          }
          if (channel === 1) assert.ok(one.rtsp ? rtsp : all.length === 0);
        }
      }
    });
  }

  it("uses no name twice", () => {
    const names = brands.flatMap(({ id, aliases }) => [id, ...aliases]);
    assert.equal(new Set(names).size, names.length);
    for (const name of names) assert.ok(brandOf(name.toUpperCase()), name);
    assert.equal(brandOf("nobody"), undefined);
  });

  it("names for each brand a protocol that takes its scheme", () => {
    const protocols = [brandProtocol, dahuaProtocol, gigeProtocol, hikvisionProtocol];
    for (const { protocol, scheme } of brands) {
      assert.ok(protocols.find(({ name }) => name === protocol)?.schemes.includes(scheme), scheme);
    }
  });

  it("is the list in the dialog of camera-auto", () => {
    const dialog = readFileSync("nodes/camera-auto.html", "utf8");
    const [list = ""] = /<select id="node-input-brand".*?<\/select>/s.exec(dialog) ?? [];
    const options = [...list.matchAll(/<option value="(.*?)">(.*?)<\/option>/g)].map(([, id, label]) => [id, label]);
    assert.deepEqual(
      options,
      brands.map(({ id, label }) => [id, label]),
    );
  });
});

describe("brand addresses", () => {
  for (const [id, channel, main, sub] of [
    ["hikvision", 1, "554/Streaming/Channels/101", "554/Streaming/Channels/102"],
    ["hikvision", 12, "554/Streaming/Channels/1201", "554/Streaming/Channels/1202"],
    ["dahua", 12, "554/cam/realmonitor?channel=12&subtype=0", "554/cam/realmonitor?channel=12&subtype=1"],
    [
      "axis",
      1,
      "554/axis-media/media.amp?videocodec=h264",
      "554/axis-media/media.amp?videocodec=h264&resolution=640x360",
    ],
    ["axis", 2, "554/axis-media/media.amp?videocodec=h264&camera=2", undefined],
    ["bosch", 1, "554/rtsp_tunnel?inst=1&h26x=4", "554/rtsp_tunnel?inst=2&h26x=4"],
    ["bosch", 3, "554/rtsp_tunnel?line=3&inst=1&h26x=4", "554/rtsp_tunnel?line=3&inst=2&h26x=4"],
    ["unv", 4, "554/unicast/c4/s0/live", "554/unicast/c4/s1/live"],
    ["reolink", 1, "554/Preview_01_main", "554/Preview_01_sub"],
    ["reolink", 12, "554/Preview_12_main", "554/Preview_12_sub"],
    ["hanwha", 1, "554/profile2/media.smp", "554/profile3/media.smp"],
    ["wisenet", 12, "554/11/profile2/media.smp", "554/11/profile3/media.smp"],
    ["sony", 1, "554/media/video1", "554/media/video2"],
    ["pelco", 2, "554/2/stream1", "554/2/stream2"],
    ["tvt", 2, "554/chID=2&streamType=main&linkType=tcp", "554/chID=2&streamType=sub&linkType=tcp"],
    ["unifi", 1, "554/s0", "554/s1"],
  ] as const) {
    it(`leads to channel ${channel} of ${id}`, () => {
      const at = (stream: "main" | "sub") => brandRtspAddress(brand(id), { host, channel, stream });
      assert.equal(at("main"), `rtsp://10.0.0.9:${main}`);
      if (sub) assert.equal(at("sub"), `rtsp://10.0.0.9:${sub}`);
    });
  }

  it("takes other ports, and TLS at a port that has it", () => {
    const { rtsp, snapshot } = brandAddresses(brand("hikvision"), {
      host,
      port: 322,
      httpPort: 8080,
      channel: 1,
      stream: "sub",
    });
    assert.equal(rtsp, "rtsps://10.0.0.9:322/Streaming/Channels/102");
    assert.equal(snapshot[0], "http://10.0.0.9:8080/ISAPI/Streaming/channels/101/picture");
  });

  it("puts a login into an address that wants one, percent-encoded, and leaves it out without a login", () => {
    const place = { host, channel: 3, stream: "sub" } as const;
    const { snapshot } = brandAddresses(brand("reolink"), { ...place, credentials });
    assert.match(snapshot[0] ?? "", /cmd=Snap&channel=2&.*user=ad%20min&password=p%26ss$/);
    assert.deepEqual(brandAddresses(brand("reolink"), place).snapshot, []);
  });

  for (const [id, channel, sentence] of [
    ["sony", 2, /no channel 2; set the channel to 1/],
    ["ubiquiti", 2, /no channel 2/],
    ["genicam", 1, /speak no RTSP; open them as gige:\/\/10\.0\.0\.9/],
  ] as const) {
    it(`says what to do about channel ${channel} of ${id}`, () => {
      assert.throws(
        () => brandRtspAddress(brand(id), { host, channel, stream: "sub" }),
        (error: CctvError) => error.code === "SETTING_INVALID" && sentence.test(error.message),
      );
    });
  }
});

describe("brand recognition", () => {
  for (const [id, signs] of [
    ["hikvision", { rtspRealm: "IP Camera(C6496)" }],
    ["hikvision", { rtspRealm: "IP Camera(DVR)", rtspServer: "Rtsp Server/2.0" }],
    ["hikvision", { httpRealm: "IP Camera(C6496)" }],
    ["hikvision", { httpServer: "App-webs/" }],
    ["hikvision", { httpServer: "DNVRS-Webs" }],
    ["hikvision", { httpServer: "DVRDVS-Webs" }],
    ["hikvision", { httpServer: "Hikvision-Webs" }],
    ["dahua", { rtspRealm: "Login to 4A0B1C2PAG00000" }],
    ["dahua", { httpRealm: "Login to 9c2b6d3f" }],
    ["dahua", { rtspServer: "Rtsp Server/3.0" }],
    ["axis", { rtspRealm: "AXIS_ACCC8E000001", rtspServer: "GStreamer RTSP server" }],
    ["axis", { httpRealm: "AXIS_00408C000001" }],
    ["bosch", { httpServer: "VCS-VideoJet-Webserver" }],
    ["bosch", { httpRealm: "Use 'live' as User Name" }],
    ["reolink", { rtspRealm: "BC Streaming Media" }],
    ["hanwha", { rtspRealm: "iPolis_00:09:18:00:00:01" }],
    ["hanwha", { httpRealm: "iPOLiS" }],
    ["hanwha", { rtspRealm: "NET-i" }],
    ["ubiquiti", { rtspServer: "UBNT Streaming Server v1.2" }],
    [undefined, { rtspServer: "GStreamer RTSP server", rtspRealm: "GStreamer RTSP server" }],
    [undefined, { httpServer: "webserver", httpRealm: "camera" }],
    [undefined, { httpServer: "nginx", rtspRealm: "My IP Camera(1)" }],
    [undefined, {}],
  ] as const) {
    it(`says ${id ?? "nothing"} of ${JSON.stringify(signs)}`, () => {
      assert.equal(recogniseBrand(signs)?.id, id);
      const fitting = brands.filter(({ fingerprint }) =>
        Object.entries(signs)
          .slice(0, 1)
          .some(([sign, text]) =>
            fingerprint[sign as keyof typeof fingerprint]?.some((pattern) => new RegExp(pattern, "i").test(text)),
          ),
      );
      assert.deepEqual(
        fitting.map((one) => one.id),
        id ? [id] : [],
      );
    });
  }
});

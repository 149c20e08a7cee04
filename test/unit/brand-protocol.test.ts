import assert from "node:assert/strict";
import { brandProtocol } from "../../src/camera/protocols/brand/brand-protocol.ts";
import type { CameraConfig, RtspInput } from "../../src/camera/protocols/protocol.ts";
import type { CctvError, ErrorCode } from "../../src/errors.ts";

const { signal } = new AbortController();
const open = async (address: string, config: Partial<CameraConfig> = {}) =>
  (await brandProtocol.resolve({ address, ...config }, signal)) as RtspInput;

describe("cameras by brand", () => {
  it("takes the brands that have no protocol of their own, by id and alias", () => {
    for (const scheme of ["axis", "reolink", "uniview", "unv", "hanwha", "wisenet", "ubiquiti", "unifi"]) {
      assert.ok(brandProtocol.schemes.includes(scheme), scheme);
    }
    for (const scheme of ["hik", "hikvision", "dahua", "gige", "genicam"]) {
      assert.ok(!brandProtocol.schemes.includes(scheme), scheme);
    }
  });

  for (const [address, config, display] of [
    ["reolink://10.0.0.9", {}, "rtsp://10.0.0.9:554/Preview_01_sub"],
    [" AXIS://camera.local ", {}, "rtsp://camera.local:554/axis-media/media.amp?videocodec=h264&resolution=640x360"],
    ["axis://10.0.0.9?stream=main", {}, "rtsp://10.0.0.9:554/axis-media/media.amp?videocodec=h264"],
    [
      "axis://10.0.0.9:8554/?channel=2&stream=main",
      {},
      "rtsp://10.0.0.9:8554/axis-media/media.amp?videocodec=h264&camera=2",
    ],
    ["hanwha://10.0.0.9:443?channel=2", {}, "rtsp://10.0.0.9:443/1/profile3/media.smp"],
    ["unv://10.0.0.9?channel=2", { channel: 5, stream: "main" }, "rtsp://10.0.0.9:554/unicast/c5/s0/live"],
    ["tvt://[fe80::1]?channel=2", {}, "rtsp://[fe80::1]:554/chID=2&streamType=sub&linkType=tcp"],
    ["unifi://10.0.0.9:7441", {}, "rtsps://10.0.0.9:7441/s1"],
    ["pelco://10.0.0.9", { transport: "http" }, "rtsp://10.0.0.9:80/stream2"],
  ] as const) {
    it(`opens ${address.trim()} with ${JSON.stringify(config)} as ${display}`, async () => {
      assert.equal((await open(address, config)).display, display);
    });
  }

  it("passes login, transport and certificate on, from fields or from the address", async () => {
    const { credentials, transport, tls } = await open("unifi://10.0.0.9:7441?user=viewer&pass=p%26ss", {
      transport: "tcp",
      certificate: "any",
    });
    assert.deepEqual(credentials, { username: "viewer", password: "p&ss" });
    assert.deepEqual([transport, tls], ["tcp", { rejectUnauthorized: false }]);
    const typed = await open("axis://root:p@ss@10.0.0.9", { username: "viewer", password: "x" });
    assert.deepEqual(typed.credentials, { username: "viewer", password: "x" });
    assert.ok(!typed.display.includes("p@ss"));
  });

  for (const [address, code] of [
    ["sony://10.0.0.9?channel=2", "SETTING_INVALID"],
    ["axis://10.0.0.9?channel=0", "SETTING_INVALID"],
    ["axis://10.0.0.9?stream=third", "SETTING_INVALID"],
    ["axis://10.0.0.9/axis-media/media.amp", "ADDRESS_INVALID"],
    ["axis://", "ADDRESS_INVALID"],
    ["nobody://10.0.0.9", "ADDRESS_SCHEME_UNKNOWN"],
  ] as const) {
    it(`says ${code} of ${address}`, async () => {
      await assert.rejects(open(address), (error: CctvError) => error.code === (code satisfies ErrorCode));
    });
  }
});

import assert from "node:assert/strict";
import { createAutoProtocol } from "../../src/camera/auto/auto-protocol.ts";
import { readAddress } from "../../src/camera/auto/read-address.ts";
import { brandProtocol } from "../../src/camera/protocols/brand/brand-protocol.ts";
import { dahuaProtocol } from "../../src/camera/protocols/dahua/dahua-protocol.ts";
import { fileProtocol } from "../../src/camera/protocols/file/file-protocol.ts";
import { gigeProtocol } from "../../src/camera/protocols/gige/gige-protocol.ts";
import { hikvisionProtocol } from "../../src/camera/protocols/hikvision/hikvision-protocol.ts";
import { hlsProtocol } from "../../src/camera/protocols/hls/hls-protocol.ts";
import { httpProtocol } from "../../src/camera/protocols/http/http-protocol.ts";
import { ndiProtocol } from "../../src/camera/protocols/ndi/ndi-protocol.ts";
import { onvifProtocol } from "../../src/camera/protocols/onvif/onvif-protocol.ts";
import type { CameraConfig, Protocol } from "../../src/camera/protocols/protocol.ts";
import { ProtocolRegistry } from "../../src/camera/protocols/registry.ts";
import { rtmpProtocol } from "../../src/camera/protocols/rtmp/rtmp-protocol.ts";
import { rtspProtocol } from "../../src/camera/protocols/rtsp/rtsp-protocol.ts";
import { webcamProtocol } from "../../src/camera/protocols/webcam/webcam-protocol.ts";
import type { CctvError } from "../../src/errors.ts";

const registry = new ProtocolRegistry([
  ...[brandProtocol, dahuaProtocol, fileProtocol, gigeProtocol, hikvisionProtocol, hlsProtocol, httpProtocol],
  ...[ndiProtocol, onvifProtocol, rtmpProtocol, rtspProtocol, webcamProtocol],
]);
registry.register(createAutoProtocol(registry));

/** What is pasted, what it is read as where that differs, and the protocol that takes it. */
const ADDRESSES: readonly (readonly [typed: string, read: string | undefined, protocol: string])[] = [
  // The specification's own.
  ["rtsp://user:pass@192.168.1.100:554/stream", undefined, "rtsp"],
  ["rtsp://192.168.1.100:554/stream", undefined, "rtsp"],
  ["http://192.168.1.100:8080/stream.mjpg", undefined, "http"],
  ["http://192.168.1.100:8080/mjpeg", undefined, "http"],
  ["http://192.168.1.100:8080/stream.m3u8", undefined, "hls"],
  ["onvif://192.168.1.100:8080", undefined, "onvif"],
  ["onvif://192.168.1.102:8080?user=admin&pass=123", undefined, "onvif"],
  ["hik://192.168.1.100?user=admin&pass=12345", undefined, "hikvision"],
  ["hik://192.168.1.103?user=admin&pass=123&channel=1", undefined, "hikvision"],
  ["dahua://192.168.1.100?user=admin&pass=12345", undefined, "dahua"],
  ["dahua://192.168.1.100?user=admin&pass=password&channel=1", undefined, "dahua"],
  ["rtmp://192.168.1.100:1935/live/stream", undefined, "rtmp"],
  ["ndi://STUDIO (Camera 1)", undefined, "ndi"],
  ["0", undefined, "webcam"],
  ["./video.mp4", undefined, "file"],
  ["video.avi", undefined, "file"],
  ["clips/door.mov", undefined, "file"],
  // Other whole addresses.
  ["  rtsps://192.168.1.64:322/x ", "rtsps://192.168.1.64:322/x", "rtsp"],
  ["https://shop.example/live/door.M3U8?token=1", undefined, "hls"],
  ["axis://192.168.1.64?channel=2", undefined, "brand"],
  ["gige:Basler-21234567", undefined, "gige"],
  ["webcam:HD Webcam", undefined, "webcam"],
  ["/dev/video2", undefined, "webcam"],
  ["file:///clips/door.mp4", undefined, "file"],
  ["C:\\clips\\door.avi", undefined, "file"],
  ["\\\\nas\\clips\\door.avi", undefined, "file"],
  ["../clips/door", undefined, "file"],
  ["/clips/camera.local/door.jpg", undefined, "file"],
  ["http://192.168.1.64/onvif/device_service", "onvif://192.168.1.64/onvif/device_service", "onvif"],
  ["https://192.168.1.64/onvif/device_service", "onvifs://192.168.1.64/onvif/device_service", "onvif"],
  ["https://192.168.1.64:8443/", undefined, "http"],
  // Without a scheme: port and path tell.
  ["192.168.1.64:554/stream", "rtsp://192.168.1.64:554/stream", "rtsp"],
  ["camera.local:8554/x", "rtsp://camera.local:8554/x", "rtsp"],
  ["192.168.1.64:322/x", "rtsps://192.168.1.64:322/x", "rtsp"],
  ["192.168.1.64:1935/live/door", "rtmp://192.168.1.64:1935/live/door", "rtmp"],
  ["192.168.1.64:8080/video", "http://192.168.1.64:8080/video", "http"],
  ["192.168.1.64:443/video", "https://192.168.1.64:443/video", "http"],
  ["192.168.1.64:443/a.jpg", "https://192.168.1.64:443/a.jpg", "http"],
  ["camera.local/stream.mjpg", "http://camera.local/stream.mjpg", "http"],
  ["192.168.1.64/axis-cgi/mjpg/video.cgi", "http://192.168.1.64/axis-cgi/mjpg/video.cgi", "http"],
  ["192.168.1.64/cgi-bin/snapshot.cgi?channel=1", "http://192.168.1.64/cgi-bin/snapshot.cgi?channel=1", "http"],
  ["192.168.1.64:8888/live.m3u8", "http://192.168.1.64:8888/live.m3u8", "hls"],
  ["192.168.1.64/onvif/device_service", "onvif://192.168.1.64/onvif/device_service", "onvif"],
  ["192.168.1.64/Streaming/Channels/101", "rtsp://192.168.1.64/Streaming/Channels/101", "rtsp"],
  [
    "192.168.1.64/cam/realmonitor?channel=1&subtype=0",
    "rtsp://192.168.1.64/cam/realmonitor?channel=1&subtype=0",
    "rtsp",
  ],
  ["192.168.1.64/onvif/profile2/media.smp", "rtsp://192.168.1.64/onvif/profile2/media.smp", "rtsp"],
  ["192.168.1.64/h264Preview_01_sub", "rtsp://192.168.1.64/h264Preview_01_sub", "rtsp"],
  ["[fe80::1]:554/stream", "rtsp://[fe80::1]:554/stream", "rtsp"],
  ["user:p@ss@192.168.1.64/Streaming/Channels/102", "rtsp://user:p@ss@192.168.1.64/Streaming/Channels/102", "rtsp"],
  ["user:p/ss@192.168.1.64:554/x", "rtsp://user:p/ss@192.168.1.64:554/x", "rtsp"],
  // Nothing tells: the host has to be asked.
  ["192.168.1.64", "auto://192.168.1.64", "auto"],
  ["camera.local", "auto://camera.local", "auto"],
  ["localhost:8000", "auto://localhost:8000", "auto"],
  ["192.168.1.64:554", "auto://192.168.1.64:554", "auto"],
  ["192.168.1.64:80/", "auto://192.168.1.64:80/", "auto"],
  ["192.168.1.64/live", "auto://192.168.1.64/live", "auto"],
  ["user:p@ss@192.168.1.64", "auto://user:p@ss@192.168.1.64", "auto"],
  ["http://192.168.1.64", "auto://192.168.1.64", "auto"],
  ["http://192.168.1.64:8080/", "auto://192.168.1.64:8080/", "auto"],
  ["https://192.168.1.64:443", "auto://192.168.1.64:443", "auto"],
  ["camera.local/door.mp4", "auto://camera.local/door.mp4", "auto"],
];

describe("reading an address", () => {
  for (const [typed, read = typed, protocol] of ADDRESSES) {
    it(`takes ${JSON.stringify(typed)} for ${protocol}`, () => {
      assert.equal(readAddress(typed), read);
      assert.equal(registry.forAddress(read).name, protocol);
    });
  }

  for (const typed of ["", "  ", "hello world", "user:hunter2@", "rtsp:/192.168.1.64", "192.168.1.64:99999", "a\nb"]) {
    it(`says what an address looks like instead of ${JSON.stringify(typed)}`, () => {
      assert.throws(
        () => readAddress(typed),
        (error: CctvError) => error.code === "ADDRESS_INVALID" && !error.message.includes("hunter2"),
      );
    });
  }
});

describe("automatic protocol", () => {
  const { signal } = new AbortController();

  /** A protocol that tells what it was given. */
  function recorder(scheme: string): { readonly protocol: Protocol; readonly opened: CameraConfig[] } {
    const opened: CameraConfig[] = [];
    const protocol: Protocol = {
      ...rtspProtocol,
      name: scheme,
      schemes: [scheme],
      resolve: async (config) => {
        opened.push(config);
        return rtspProtocol.resolve({ address: "rtsp://10.0.0.9/x" }, signal);
      },
    };
    return { protocol, opened };
  }

  it("opens an address that tells all without asking anybody", async () => {
    const { protocol, opened } = recorder("rtsp");
    const auto = createAutoProtocol(new ProtocolRegistry([protocol]), async () => assert.fail("asked"));
    await auto.resolve({ address: "admin:p@ss@10.0.0.9:554/x", channel: 2 }, signal);
    assert.deepEqual(opened, [{ address: "rtsp://admin:p@ss@10.0.0.9:554/x", channel: 2 }]);
  });

  it("asks the host without the login, and hands the login to what it has chosen", async () => {
    const { protocol, opened } = recorder("onvif");
    const asked: unknown[] = [];
    const auto = createAutoProtocol(new ProtocolRegistry([protocol]), async (host, question) => {
      asked.push(host, question.ports.onvif);
      return { onvif: { port: 8000, isSecure: false } };
    });
    await auto.resolve({ address: "auto://admin:p@ss@Camera.local", stream: "main" }, signal);
    assert.deepEqual(asked, ["camera.local", [80, 8080, 8000, 2020, 8899]]);
    assert.deepEqual(opened, [
      { address: "onvif://camera.local:8000", stream: "main", username: "admin", password: "p@ss" },
    ]);
  });

  it("gives the device of what it has chosen, and asks once", async () => {
    let asked = 0;
    let closed = 0;
    const device = {
      describe: async () => ({ brand: "Test", channels: [] }),
      snapshot: async () => Buffer.from("jpeg"),
      events: async function* () {},
      close: async () => {
        closed++;
      },
    };
    const inner: Protocol = { ...rtspProtocol, schemes: ["onvif"], device: () => device };
    const auto = createAutoProtocol(new ProtocolRegistry([inner]), async () => {
      asked++;
      return { onvif: { port: 80, isSecure: false } };
    });
    const found = auto.device?.({ address: "10.0.0.9" });
    assert.ok(found);
    assert.deepEqual(await Promise.all([found.describe(signal), found.snapshot(signal)]), [
      { brand: "Test", channels: [] },
      Buffer.from("jpeg"),
    ]);
    await assert.rejects(found.ptz?.stop(signal) ?? assert.fail(), { code: "CAMERA_UNSUPPORTED" });
    await found.close();
    await found.close();
    assert.deepEqual([asked, closed], [1, 2]);
  });

  it("says of a device that gives pictures alone that it does", async () => {
    const device = createAutoProtocol(new ProtocolRegistry([rtspProtocol])).device?.({ address: "rtsp://10.0.0.9/x" });
    assert.ok(device);
    assert.deepEqual(await device.describe(signal), { channels: [] });
    await assert.rejects(device.snapshot(signal), { code: "CAMERA_UNSUPPORTED" });
    await device.close();
  });
});

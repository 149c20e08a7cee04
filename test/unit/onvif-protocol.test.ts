import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { parseOnvifAddress } from "../../src/camera/protocols/onvif/onvif-address.ts";
import { onvifProtocol } from "../../src/camera/protocols/onvif/onvif-protocol.ts";
import { OnvifSession } from "../../src/camera/protocols/onvif/onvif-session.ts";
import { ReportedAddresses } from "../../src/camera/protocols/onvif/reported-address.ts";
import { readScopes } from "../../src/camera/protocols/onvif/scopes.ts";
import type { CameraConfig } from "../../src/camera/protocols/protocol.ts";
import type { CctvError, ErrorCode } from "../../src/errors.ts";
import { OnvifCamera, type OnvifCameraSettings } from "../servers/onvif-camera.ts";

const login = { username: "admin", password: "s3cret" };
const RSS_ALLOWED = 60 * 1024 * 1024;
const fails =
  (code: ErrorCode, message = /./) =>
  (error: CctvError) => {
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /s3cret/);
    return true;
  };

describe("onvif protocol", () => {
  const closing: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  const serve = async (settings: OnvifCameraSettings = {}) => {
    const camera = await OnvifCamera.start({ ...login, auth: "token", ...settings });
    closing.push(() => camera.stop());
    return camera;
  };
  const signal = new AbortController().signal;
  const resolve = async (camera: OnvifCamera, config: Partial<CameraConfig> = {}) =>
    onvifProtocol.resolve({ address: camera.address, ...login, ...config }, signal);
  const displayOf = async (camera: OnvifCamera, config: Partial<CameraConfig> = {}) =>
    (await resolve(camera, config)).display.replace(/^.*profile=/, "");
  const open = (camera: OnvifCamera, config: Partial<CameraConfig> = {}) => {
    const device = onvifProtocol.device?.({ address: camera.address, ...login, ...config });
    assert.ok(device);
    closing.push(() => device.close());
    return device;
  };

  describe("address", () => {
    const cases: readonly (readonly [string, Partial<CameraConfig>, object])[] = [
      [
        "onvif://10.0.0.5",
        {},
        { host: "10.0.0.5", device: { port: 80, secure: false, path: "/onvif/device_service" } },
      ],
      ["onvifs://cam/", {}, { host: "cam", device: { port: 443, secure: true, path: "/onvif/device_service" } }],
      ["ONVIF://cam:8899/other", {}, { host: "cam", device: { port: 8899, secure: false, path: "/other" } }],
      [
        "onvif://192.168.1.100:8080?user=admin&pass=password",
        {},
        {
          host: "192.168.1.100",
          device: { port: 8080, secure: false, path: "/onvif/device_service" },
          credentials: { username: "admin", password: "password" },
        },
      ],
      [
        "onvif://cam/x?id=7&user=a%26b&pass=p+%C3%BC&channel=3",
        {},
        {
          host: "cam",
          device: { port: 80, secure: false, path: "/x?id=7" },
          credentials: { username: "a&b", password: "p+ü" },
          channel: 3,
        },
      ],
      [
        "onvif://one:two@cam?user=three&channel=3",
        { username: "four", channel: 2 },
        {
          host: "cam",
          device: { port: 80, secure: false, path: "/onvif/device_service" },
          credentials: { username: "four", password: "two" },
          channel: 2,
        },
      ],
    ];
    for (const [address, fields, expected] of cases) {
      it(`reads ${address}`, () => {
        const { display, ...parsed } = parseOnvifAddress({ address, ...fields });
        assert.deepEqual(parsed, expected);
        assert.doesNotMatch(display, /password|two|pass=/);
      });
    }

    it("refuses a channel that is no number", () => {
      assert.throws(() => parseOnvifAddress({ address: "onvif://cam?channel=0" }), fails("ADDRESS_INVALID", /channel/));
    });
  });

  describe("choice of services and profiles", () => {
    for (const media of ["1", "2", "both", "broken 2"] as const) {
      it(`finds the stream where the camera has media ${media}`, async () => {
        const camera = await serve({ media });
        assert.equal(await displayOf(camera), "small");
        assert.equal(await displayOf(camera, { stream: "main" }), "big");
        assert.equal(await displayOf(camera, { longSide: 960 }), "big");
      });
    }

    it("asks GetCapabilities where there is no GetServices", async () => {
      assert.equal(await displayOf(await serve({ hasGetServices: false })), "small");
    });

    const lenses = [
      { token: "b-main", source: "b", width: 1280, height: 720 },
      { token: "a-main", source: "a", width: 1280, height: 720 },
    ];
    it("counts the channels in the camera's own order, else in that of the profiles", async () => {
      assert.equal(await displayOf(await serve({ profiles: lenses }), { channel: 1 }), "a-main");
      assert.equal(await displayOf(await serve({ profiles: lenses }), { channel: 2 }), "b-main");
      assert.equal(
        await displayOf(await serve({ profiles: lenses, hasVideoSources: false }), { channel: 1 }),
        "b-main",
      );
      await assert.rejects(displayOf(await serve(), { channel: 4 }), fails("CAMERA_NOT_FOUND", /only channel 1/));
    });

    it("passes on the login and the transport, and takes pictures by HTTP where the camera says so", async () => {
      const camera = await serve({ streamUri: "rtsp://192.168.7.7:8554/a?b=1&c=d" });
      const rtsp = await resolve(camera, { transport: "udp" });
      assert.ok(rtsp.kind === "rtsp");
      assert.deepEqual(
        { host: rtsp.host, port: rtsp.port, path: rtsp.path, transport: rtsp.transport, credentials: rtsp.credentials },
        { host: "127.0.0.1", port: 8554, path: "/a?b=1&c=d", transport: "udp", credentials: login },
      );
      const tunnel = await resolve(camera, { transport: "http" });
      assert.ok(tunnel.kind === "rtsp");
      assert.deepEqual([tunnel.port, tunnel.transport, tunnel.path], [camera.port, "http", "/a?b=1&c=d"]);
      const mjpeg = await resolve(await serve({ streamUri: "http://192.168.7.7:8081/video" }));
      assert.deepEqual([mjpeg.kind, mjpeg.display], ["jpeg", "http://127.0.0.1:8081/video"]);
    });
  });

  describe("device", () => {
    it("describes itself and its channels", async () => {
      const description = await open(await serve()).describe(signal);
      assert.deepEqual(description, {
        brand: "Example & Sons",
        model: "Dome 7",
        firmware: "1.2.3",
        serial: "0042",
        name: "Back door",
        channels: [
          {
            channel: 1,
            streams: [
              { stream: "main", codec: "H264", width: 1920, height: 1080, fps: 25 },
              { stream: "sub", codec: "H264", width: 640, height: 360, fps: 25 },
            ],
          },
        ],
      });
    });

    for (const auth of ["none", "token", "digest", "basic"] as const) {
      it(`takes a snapshot where the camera wants ${auth}`, async () => {
        const camera = await serve({ auth, ...(auth === "token" && { faultStatus: 401 as const }) });
        assert.deepEqual([...(await open(camera).snapshot(signal))], [0xff, 0xd8, 0xff, 0xd9]);
        assert.equal(camera.wrongLogins, 0);
      });
    }

    it("logs in once for many questions, and not at all after it was closed", async () => {
      const camera = await serve();
      const device = open(camera);
      await Promise.all([device.describe(signal), device.describe(signal), device.snapshot(signal)]);
      assert.equal(camera.count("GetProfiles"), 1);
      await device.close();
      await device.close();
      await assert.rejects(device.describe(signal), fails("STREAM_LOST"));
    });

    it("waits no longer than somebody wants it", async () => {
      const device = open(await serve({ evil: "hangs" }));
      const startedAt = performance.now();
      await assert.rejects(device.describe(AbortSignal.timeout(200)), { name: "TimeoutError" });
      assert.ok(performance.now() - startedAt < 1_000);
    });

    it("asks again after a failure that may have passed", async () => {
      const camera = await serve();
      const { port } = camera;
      const device = open(camera);
      await camera.stop();
      await assert.rejects(device.describe(signal), fails("CAMERA_REFUSED", /nothing listens/));
      await serve({ port });
      assert.equal((await device.describe(signal)).model, "Dome 7");
    });
  });

  describe("hostile cameras", () => {
    for (const [evil, code, message] of [
      ["deep", "CAMERA_REFUSED", /no XML document of a camera/],
      ["entities", "CAMERA_REFUSED", /no XML document of a camera/],
      ["html", "CAMERA_NOT_FOUND", /does not speak ONVIF/],
      ["reserved names", "CAMERA_REFUSED", /./],
    ] as const) {
      it(`explains an answer of ${evil}, soon and without harm`, async () => {
        const camera = await serve({ evil });
        const startedAt = performance.now();
        await assert.rejects(resolve(camera), fails(code, message));
        assert.ok(performance.now() - startedAt < 2_000);
        assert.equal(({} as { polluted?: string }).polluted, undefined);
        assert.ok(camera.operations.length <= 3);
      });
    }

    it("reads no more than it may of 300 MB", async () => {
      const camera = await serve({ evil: "huge" });
      const before = process.memoryUsage().rss;
      await assert.rejects(resolve(camera), fails("CAMERA_REFUSED", /more than 2048 KB/));
      assert.ok(camera.bytesSent < 40 * 1024 * 1024, `${camera.bytesSent} bytes were sent`);
      const grown = process.memoryUsage().rss - before;
      assert.ok(grown < RSS_ALLOWED, `${Math.round(grown / 1024 / 1024)} MB more`);
    });

    it("gives up on silence with the first answer that does not come", async () => {
      const camera = await serve({ evil: "hangs" });
      const options = { rejectUnauthorized: true, timeoutMs: 300 };
      const address = parseOnvifAddress({ address: camera.address });
      await assert.rejects(OnvifSession.open(address, options, signal), fails("CAMERA_STALLED", /0\.3 s/));
      assert.equal(camera.operations.length, 1);
    });

    it("says where there is no ONVIF", async () => {
      const camera = await serve();
      const address = `${camera.address}/other`;
      await assert.rejects(resolve(camera, { address }), fails("CAMERA_NOT_FOUND", /switch ONVIF on/));
    });

    it("visits no host but the configured one", async () => {
      const visited: string[] = [];
      const elsewhere = createServer((request, response) => {
        visited.push(request.url ?? "");
        response.end();
      });
      // Where another host reports itself under the camera's own port, only the host is wrong.
      const camera = await serve({
        reportedHost: "127.0.0.2:PORT",
        streamUri: "rtsp://a:b@127.0.0.2:554/x",
        snapshotUri: "http://127.0.0.2:PORT/snapshot.jpg",
      });
      await once(elsewhere.listen(camera.port, "127.0.0.2"), "listening");
      closing.push(() => close(elsewhere));
      const device = open(camera);
      assert.equal((await resolve(camera)).display, "rtsp://127.0.0.1:554/x");
      assert.equal((await device.snapshot(signal)).length, 4);
      const events = device.events(signal)[Symbol.asyncIterator]();
      camera.notice("tns1:VideoSource/MotionAlarm", {}, { State: "true" });
      assert.equal((await events.next()).value.kind, "motion");
      await events.return?.();
      await device.close();
      assert.deepEqual(visited, []);
      assert.equal(camera.subscriptions, 0);
    });

    it("finds its way through a router that gives the camera another port", async () => {
      const camera = await serve({ reportedHost: "192.168.9.9:80" });
      assert.equal((await open(camera).snapshot(signal)).length, 4);
    });
  });

  describe("reported addresses", () => {
    const addresses = new ReportedAddresses({ port: 8080, secure: false, path: "/d" });
    addresses.learnDevice("http://192.168.9.9/onvif/device_service");
    for (const [reported, expected] of [
      ["http://192.168.9.9/onvif/media?x=1", { port: 8080, secure: false, path: "/onvif/media?x=1" }],
      ["http://192.168.9.9:8000/m", { port: 8000, secure: false, path: "/m" }],
      ["https://[fe80::1]/m", { port: 443, secure: true, path: "/m" }],
      ["http://a:b@192.168.9.9/m x", { port: 8080, secure: false, path: "/m%20x" }],
      ["ftp://192.168.9.9/m", undefined],
      ["file:///etc/passwd", undefined],
      ["/onvif/media", undefined],
      ["", undefined],
    ] as const) {
      it(`takes ${reported || "nothing"} for what it is`, () => {
        assert.deepEqual(addresses.http(reported), expected);
      });
    }

    for (const [reported, expected] of [
      ["rtsp://10.1.1.1/s?u=1&p=2", { scheme: "rtsp", port: 554, path: "/s?u=1&p=2" }],
      ["rtsp://u:p@10.1.1.1:8554/s", { scheme: "rtsp", port: 8554, path: "/s" }],
      ["rtsps://10.1.1.1/s", { scheme: "rtsps", port: 322, path: "/s" }],
      ["http://10.1.1.1:81/mjpg", { scheme: "http", port: 81, path: "/mjpg" }],
      ["exec:rm", undefined],
    ] as const) {
      it(`takes the stream ${reported} for what it is`, () => {
        assert.deepEqual(addresses.stream(reported), expected);
      });
    }
  });

  it("reads scopes", () => {
    const scopes = [
      "name/Shop%20door",
      "hardware/X-1",
      "location/city/Ulm",
      "location/country/de",
      "name/%zz",
      "type/ptz",
    ];
    assert.deepEqual(readScopes([...scopes.map((scope) => `onvif://www.onvif.org/${scope}`), "lollipop"]), {
      name: "Shop door",
      hardware: "X-1",
      location: "city/Ulm, country/de",
    });
  });
});

function close(server: Server): Promise<unknown> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
}

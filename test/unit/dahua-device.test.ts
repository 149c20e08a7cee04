import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import sharp from "sharp";
import type { CameraEvent } from "../../src/camera/device.ts";
import { parseDeviceAddress } from "../../src/camera/device-address.ts";
import { DahuaDevice } from "../../src/camera/protocols/dahua/dahua-device.ts";
import { dahuaProtocol } from "../../src/camera/protocols/dahua/dahua-protocol.ts";
import type { CctvError, ErrorCode } from "../../src/errors.ts";
import {
  ADMIN,
  CAMERA_PASSWORD,
  DahuaCamera,
  type DahuaCameraSettings,
  eventPart,
  VIEWER,
} from "../servers/dahua-camera.ts";
import { HttpCamera } from "../servers/http-camera.ts";

const { signal } = new AbortController();
const fails =
  (code: ErrorCode, message = /./) =>
  (error: CctvError) => {
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /Käse|look-only|nonsense|behind-the/);
    return true;
  };

describe("Dahua", () => {
  let jpeg: Buffer;
  const closing: (() => Promise<void>)[] = [];
  before(async () => {
    const picture = sharp({ create: { width: 64, height: 48, channels: 3, background: "olive" } });
    jpeg = await picture.jpeg().toBuffer();
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  const serve = async (settings: DahuaCameraSettings = {}) => {
    const camera = await DahuaCamera.start({ jpeg, ...settings });
    closing.push(() => camera.stop());
    return camera;
  };
  const configOf = ({ port }: { port: number }, config: object = {}) => ({
    address: `dahua://127.0.0.1:${port}`,
    ...ADMIN,
    ...config,
  });
  const resolve = (camera: { port: number }, config?: object) =>
    dahuaProtocol.resolve(configOf(camera, config), signal);
  const open = (camera: { port: number }, config: object = {}, quietMs = 2000) => {
    const device = new DahuaDevice(parseDeviceAddress(configOf(camera, config)), { quietMs });
    closing.push(() => device.close());
    return device;
  };

  describe("resolves", () => {
    for (const [kind, config, path] of [
      ["camera", {}, "/cam/realmonitor?channel=1&subtype=1"],
      ["camera", { stream: "main" }, "/cam/realmonitor?channel=1&subtype=0"],
      ["nvr", { channel: 4 }, "/cam/realmonitor?channel=4&subtype=1"],
      ["nvr", { channel: 2 }, "/cam/realmonitor?channel=2&subtype=0"],
      ["xvr", { channel: 5 }, "/cam/realmonitor?channel=5&subtype=1"],
    ] as const) {
      it(`a ${kind} with ${JSON.stringify(config)} to ${path}`, async () => {
        const camera = await serve({ kind, rtspPort: 10554 });
        const input = await resolve(camera, { transport: "tcp", ...config });
        assert.deepEqual([input.host, input.port, input.path], ["127.0.0.1", 10554, path]);
        assert.deepEqual(input.credentials, { ...ADMIN });
        assert.equal(input.transport, "tcp");
        assert.equal(camera.accounts.wrongPasswords, 0);
      });
    }

    it("the address as it is written elsewhere", async () => {
      const camera = await serve({ kind: "nvr" });
      const { username, password } = ADMIN;
      const query = `user=${username}&pass=${encodeURIComponent(password)}&channel=4`;
      const input = await dahuaProtocol.resolve({ address: `dahua://127.0.0.1:${camera.port}?${query}` }, signal);
      assert.deepEqual([input.path, input.credentials], ["/cam/realmonitor?channel=4&subtype=1", { ...ADMIN }]);
    });

    it("a camera for a user who may only look", async () => {
      const input = await resolve(await serve({ rtspPort: 10554 }), VIEWER);
      assert.deepEqual([input.port, input.path], [554, "/cam/realmonitor?channel=1&subtype=1"]);
    });

    it("a device that has but few tables", async () => {
      const lacks = ["RTSP", "Encode", "RemoteDevice", "getDeviceClass"];
      const input = await resolve(await serve({ lacks, rtspPort: 10554 }));
      assert.deepEqual([input.port, input.path], [554, "/cam/realmonitor?channel=1&subtype=1"]);
    });

    it("a recorder that gives a new nonce for each request, and hangs up", async () => {
      const camera = await serve({ kind: "nvr", nonceEachRequest: true });
      assert.equal((await resolve(camera, { channel: 4 })).path, "/cam/realmonitor?channel=4&subtype=1");
      assert.equal(camera.accounts.wrongPasswords, 0);
    });
  });

  it("names the channels that there are when one is missing", async () => {
    const camera = await serve({ kind: "nvr" });
    await assert.rejects(
      resolve(camera, { channel: 3 }),
      fails("CAMERA_NOT_FOUND", /no channel 3; .*1 \(Till; left = 1\), 2 \(slot 1\), 4 \(CAM 4\)$/),
    );
  });

  it("tries a wrong password once, and says when the account is locked", async () => {
    const camera = await serve();
    for (const tries of [1, 2]) {
      await assert.rejects(resolve(camera, { password: "nonsense" }), fails("CAMERA_AUTH_FAILED"));
      assert.equal(camera.accounts.wrongPasswords, tries);
    }
    await assert.rejects(resolve(camera, { password: "nonsense" }), fails("CAMERA_LOCKED"));
    const device = open(camera);
    await assert.rejects(device.describe(signal), fails("CAMERA_LOCKED"));
    await assert.rejects(device.snapshot(signal), fails("CAMERA_LOCKED"));
    assert.equal(camera.accounts.wrongPasswords, 3);
    assert.deepEqual(camera.requests, []);
  });

  it("keeps one wrong password to one try, whatever is asked of a device", async () => {
    const camera = await serve();
    const device = open(camera, { password: "nonsense" });
    const asked = [device.describe(signal), device.snapshot(signal), device.events(signal).next()];
    for (const result of await Promise.allSettled(asked)) {
      fails("CAMERA_AUTH_FAILED")((result as PromiseRejectedResult).reason);
    }
    await assert.rejects(device.ptz.stop(signal), fails("CAMERA_AUTH_FAILED"));
    assert.equal(camera.accounts.wrongPasswords, 1);
  });

  it("tells a login that is refused for another reason than the password", async () => {
    const camera = await serve({ mostRequests: 2 });
    await assert.rejects(resolve(camera), fails("CAMERA_AUTH_FAILED", /has taken before; close other viewers/));
    assert.equal(camera.accounts.wrongPasswords, 0);
  });

  it("tells the same of events", async () => {
    const camera = await serve({ mostRequests: 1 });
    const device = open(camera);
    await device.snapshot(signal);
    await assert.rejects(device.events(signal).next(), fails("CAMERA_AUTH_FAILED", /has taken before/));
  });

  for (const [what, answer, code, message] of [
    [
      "a web page",
      (response: ServerResponse) => response.end("<html><body>Hello</body></html>"),
      "CAMERA_REFUSED",
      /kind/,
    ],
    ["another one's 404", (response: ServerResponse) => response.writeHead(404).end(), "CAMERA_REFUSED", /Dahua/],
    ["a device that is busy", (response: ServerResponse) => response.writeHead(503).end(), "CAMERA_REFUSED", /503/],
  ] as const) {
    it(`tells ${what}`, async () => {
      const server = await HttpCamera.start({ answer: (_, response) => void answer(response) });
      closing.push(() => server.stop());
      await assert.rejects(resolve(server), fails(code, message));
    });
  }

  it("describes a camera", async () => {
    assert.deepEqual(await open(await serve()).describe(signal), {
      brand: "Dahua",
      model: "TEST-IPC-4M",
      firmware: "9.1.0000000.1.R,build:2026-01-01",
      serial: "TEST0000001",
      name: "Corridor eye",
      channels: [
        {
          channel: 1,
          name: "Corridor",
          streams: [
            { stream: "main", codec: "H.265", width: 2688, height: 1520, fps: 25 },
            { stream: "sub", codec: "H.264", width: 704, height: 576, fps: 12.5 },
          ],
        },
      ],
    });
  });

  it("describes a recorder, without the passwords that it tells", async () => {
    const description = await open(await serve({ kind: "nvr" })).describe(signal);
    assert.deepEqual(
      description.channels.map(({ channel, name }) => [channel, name]),
      [
        [1, "Till; left = 1"],
        [2, "slot 1"],
        [4, "CAM 4"],
      ],
    );
    assert.ok(!JSON.stringify(description).includes(CAMERA_PASSWORD));
  });

  it("takes a snapshot", async () => {
    const camera = await serve({ kind: "nvr" });
    assert.deepEqual(await open(camera, { channel: 4 }).snapshot(signal), jpeg);
    assert.deepEqual(camera.requests, ["/cgi-bin/snapshot.cgi?channel=4"]);
  });

  it("says why there is no snapshot", async () => {
    const camera = await serve({ kind: "nvr" });
    await assert.rejects(open(camera, { channel: 2 }).snapshot(signal), fails("CAMERA_UNSUPPORTED", /ONVIF/));
    await assert.rejects(open(camera, { channel: 9 }).snapshot(signal), fails("CAMERA_NOT_FOUND", /no channel 9/));
  });

  describe("events", () => {
    const listen = async (device: DahuaDevice, count: number) => {
      const events: CameraEvent[] = [];
      for await (const event of device.events(signal)) if (events.push(event) === count) break;
      return events;
    };

    for (const boundary of ["--myboundary", "-- myboundary", "myboundary"]) {
      it(`come over a boundary of ${boundary}, between stray answers, in packets cut anywhere`, async () => {
        const wire = [
          eventPart("Heartbeat", boundary),
          eventPart('Code=VideoMotion;action=Start;index=0;data={\n  "Id" : [ 0 ]\n}\n', boundary),
          "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nOK\r\n",
          eventPart("Code=CrossLineDetection;action=Pulse;index=1", boundary),
          eventPart("Code=VideoMotion;action=Stop;index=0", boundary),
        ].join("");
        const camera = await serve({
          events: async (response) => {
            for (let at = 0; at < wire.length; at += 23) {
              response.write(wire.slice(at, at + 23));
              await sleep(1);
            }
          },
        });
        const events = await listen(open(camera), 3);
        assert.deepEqual(
          events.map(({ kind, active, channel }) => [kind, active, channel]),
          [
            ["motion", true, 1],
            ["line-crossing", undefined, 2],
            ["motion", false, 1],
          ],
        );
        assert.deepEqual(events[0]?.data.Id, [0]);
      });
    }

    it("are given up after a silence, but not over heartbeats", async () => {
      const camera = await serve({
        events: async (response) => {
          for (let beats = 0; beats < 4; beats++) {
            response.write(eventPart("Heartbeat"));
            await sleep(150);
          }
        },
      });
      const startedAt = performance.now();
      await assert.rejects(listen(open(camera, {}, 300), 1), fails("CAMERA_STALLED", /0\.3 s/));
      assert.ok(performance.now() - startedAt > 600);
    });

    it("throw when the camera hangs up", async () => {
      const camera = await serve({ events: (response) => void response.end(eventPart("Heartbeat")) });
      await assert.rejects(listen(open(camera), 1), fails("STREAM_LOST"));
    });

    it("end without a word when nobody wants them any more", async () => {
      const stop = new AbortController();
      const waiting = open(await serve())
        .events(stop.signal)
        .next();
      setTimeout(() => stop.abort(), 100);
      assert.deepEqual(await waiting, { done: true, value: undefined });
    });

    it("tell a user who may not hear them, without spoiling the login", async () => {
      const camera = await serve();
      const device = open(camera, VIEWER);
      await assert.rejects(listen(device, 1), fails("CAMERA_UNSUPPORTED", /right/));
      assert.deepEqual(await device.snapshot(signal), jpeg);
    });
  });

  describe("moves", () => {
    const codes = ({ requests }: DahuaCamera) =>
      requests
        .map((target) => new URL(target, "http://camera").searchParams)
        .filter((query) => query.get("code"))
        .map((query) => ["action", "channel", "code", "arg1", "arg2", "arg3"].map((name) => query.get(name)).join(" "));

    it("until it is stopped, each movement by its own end", async () => {
      const camera = await serve();
      const { ptz } = open(camera);
      await ptz.move({ pan: -0.5, zoom: 1 }, undefined, signal);
      await ptz.move({ tilt: 1, zoom: 1 }, undefined, signal);
      await ptz.stop(signal);
      assert.deepEqual(codes(camera), [
        "start 1 Left 0 4 0",
        "start 1 ZoomTele 0 8 0",
        "stop 1 Left 0 4 0",
        "start 1 Up 0 8 0",
        "start 1 ZoomTele 0 8 0",
        "stop 1 Up 0 8 0",
        "stop 1 ZoomTele 0 8 0",
      ]);
    });

    it("for a while, and stops when the device is closed", async () => {
      const camera = await serve();
      const device = open(camera);
      await device.ptz.move({ pan: 1 }, 60_000, signal);
      await device.close();
      assert.deepEqual(codes(camera), ["start 1 Right 0 8 0", "stop 1 Right 0 8 0"]);
    });

    it("and is stopped whoever has moved it", async () => {
      const camera = await serve();
      await open(camera).ptz.stop(signal);
      assert.deepEqual(codes(camera), ["stop 1 Up 0 0 0", "stop 1 ZoomTele 0 0 0"]);
    });

    it("to presets, by id or name", async () => {
      const camera = await serve();
      const { ptz } = open(camera);
      assert.deepEqual(await ptz.presets(signal), [
        { id: "1", name: "Till" },
        { id: "7", name: "7" },
      ]);
      await ptz.goToPreset("7", signal);
      await ptz.goToPreset("Till", signal);
      assert.deepEqual(codes(camera), ["start 1 GotoPreset 0 7 0", "start 1 GotoPreset 0 1 0"]);
      await assert.rejects(ptz.goToPreset("3", signal), fails("CAMERA_NOT_FOUND", /preset/));
    });

    it("not where the camera stands still, or the user may not", async () => {
      const fixed = await serve({ kind: "nvr" });
      await assert.rejects(open(fixed).ptz.move({ pan: 1 }, undefined, signal), fails("CAMERA_UNSUPPORTED"));
      await assert.rejects(open(await serve(), VIEWER).ptz.presets(signal), fails("CAMERA_UNSUPPORTED"));
    });
  });
});

import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import sharp from "sharp";
import type { CameraEvent } from "../../src/camera/device.ts";
import { parseDeviceAddress } from "../../src/camera/device-address.ts";
import { HikvisionDevice } from "../../src/camera/protocols/hikvision/hikvision-device.ts";
import { hikvisionProtocol } from "../../src/camera/protocols/hikvision/hikvision-protocol.ts";
import type { CctvError, ErrorCode } from "../../src/errors.ts";
import { HttpCamera } from "../servers/http-camera.ts";
import { ADMIN, alertPart, alertXml, IsapiCamera, type IsapiCameraSettings, VIEWER } from "../servers/isapi-camera.ts";

const { signal } = new AbortController();
const fails =
  (code: ErrorCode, message = /./) =>
  (error: CctvError) => {
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /Käse|look-only|nonsense/);
    return true;
  };

describe("Hikvision", () => {
  let jpeg: Buffer;
  const closing: (() => Promise<void>)[] = [];
  before(async () => {
    const picture = sharp({ create: { width: 64, height: 48, channels: 3, background: "teal" } });
    jpeg = await picture.jpeg().toBuffer();
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  const serve = async (settings: IsapiCameraSettings = {}) => {
    const camera = await IsapiCamera.start({ jpeg, ...settings });
    closing.push(() => camera.stop());
    return camera;
  };
  const configOf = ({ port }: { port: number }, config: object = {}) => ({
    address: `hik://127.0.0.1:${port}`,
    ...ADMIN,
    ...config,
  });
  const resolve = (camera: { port: number }, config?: object) =>
    hikvisionProtocol.resolve(configOf(camera, config), signal);
  const open = (camera: { port: number }, config: object = {}, quietMs = 2000) => {
    const device = new HikvisionDevice(parseDeviceAddress(configOf(camera, config)), { quietMs });
    closing.push(() => device.close());
    return device;
  };

  describe("resolves", () => {
    for (const [kind, config, path] of [
      ["camera", {}, "/Streaming/Channels/102"],
      ["camera", { stream: "main" }, "/Streaming/Channels/101"],
      ["nvr", { channel: 2 }, "/Streaming/Channels/202"],
      ["nvr", { channel: 3 }, "/Streaming/Channels/301"],
      ["nvr", { channel: 4 }, "/Streaming/Channels/402"],
      ["dvr", { channel: 4, stream: "main" }, "/Streaming/Channels/401"],
      ["dvr", { channel: 6 }, "/Streaming/Channels/602"],
    ] as const) {
      it(`a ${kind} with ${JSON.stringify(config)} to ${path}`, async () => {
        const camera = await serve({ kind, rtspPort: 10554 });
        const input = await resolve(camera, { transport: "tcp", ...config });
        assert.deepEqual([input.host, input.port, input.path], ["127.0.0.1", 10554, path]);
        assert.deepEqual(input.credentials, { ...ADMIN });
        assert.equal(input.transport, "tcp");
        assert.equal(input.display, `rtsp://127.0.0.1:10554${path}`);
        assert.equal(camera.accounts.wrongPasswords, 0);
      });
    }

    it("the address as it is written elsewhere", async () => {
      const camera = await serve({ kind: "nvr" });
      const { username, password } = ADMIN;
      const query = `user=${username}&pass=${encodeURIComponent(password)}&channel=2`;
      const address = `hik://127.0.0.1:${camera.port}?${query}`;
      const input = await hikvisionProtocol.resolve({ address }, signal);
      assert.deepEqual([input.path, input.credentials], ["/Streaming/Channels/202", { ...ADMIN }]);
    });

    it("a hybrid recorder that counts its network cameras apart", async () => {
      const camera = await serve({ kind: "dvr", countsProxiesApart: true });
      assert.equal((await resolve(camera, { channel: 5 })).path, "/Streaming/Channels/502");
      await assert.rejects(resolve(camera, { channel: 7 }), fails("CAMERA_NOT_FOUND", /5 \(Gate\), 6 \(Ramp\)$/));
    });

    for (const kind of ["camera", "nvr", "dvr"] as const) {
      it(`a ${kind} for a user who may only look`, async () => {
        const input = await resolve(await serve({ kind, rtspPort: 10554 }), VIEWER);
        assert.deepEqual([input.port, input.path], [554, "/Streaming/Channels/102"]);
      });
    }

    it("a device that may not be asked what it is", async () => {
      const input = await resolve(await serve({ lacks: ["System/deviceInfo"], rtspPort: 8554 }));
      assert.deepEqual([input.port, input.path], [8554, "/Streaming/Channels/102"]);
    });
  });

  it("names the channels that there are when one is missing", async () => {
    const camera = await serve({ kind: "nvr" });
    await assert.rejects(
      resolve(camera, { channel: 9 }),
      fails("CAMERA_NOT_FOUND", /no channel 9; .*1 \(Till\), 2 \(Spirits\), 3 \(Yard\), 4 \(Store room\)$/),
    );
  });

  it("tries a wrong password once, and says when the account is locked", async () => {
    const camera = await serve();
    for (const tries of [1, 2]) {
      await assert.rejects(resolve(camera, { password: "nonsense" }), fails("CAMERA_AUTH_FAILED"));
      assert.equal(camera.accounts.wrongPasswords, tries);
    }
    await assert.rejects(resolve(camera, { password: "nonsense" }), fails("CAMERA_LOCKED", /30 minutes/));
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

  for (const [what, answer, code, message] of [
    [
      "a web page",
      (response: ServerResponse) => response.end("<html><body>Hello</body></html>"),
      "CAMERA_REFUSED",
      /kind/,
    ],
    ["another one's 404", (response: ServerResponse) => response.writeHead(404).end(), "CAMERA_REFUSED", /Hikvision/],
    [
      "a redirect to HTTPS",
      (response: ServerResponse) => response.writeHead(302, { location: "https://127.0.0.1/" }).end(),
      "CAMERA_REFUSED",
      /sends on to https:\/\/127\.0\.0\.1/,
    ],
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
      brand: "Hikvision",
      model: "TEST-CAM-4MP",
      firmware: "V9.9.1 build 260101",
      serial: "TEST-CAM-4MP20260101TEST",
      name: "Corridor eye",
      channels: [
        {
          channel: 1,
          name: "Corridor",
          streams: [
            { stream: "main", codec: "H.265", width: 2688, height: 1520, fps: 20 },
            { stream: "sub", codec: "H.264", width: 640, height: 360, fps: 12.5 },
          ],
        },
      ],
    });
  });

  it("describes a recorder, with the streams of the channel that is meant", async () => {
    const { model, channels } = await open(await serve({ kind: "nvr" }), { channel: 2 }).describe(signal);
    assert.equal(model, "TEST-NVR-8");
    assert.deepEqual(
      channels.map(({ channel, online, streams }) => [channel, online, streams.length]),
      [
        [1, true, 0],
        [2, true, 2],
        [3, true, 0],
        [4, false, 0],
      ],
    );
  });

  for (const kind of ["camera", "nvr"] as const) {
    it(`takes a snapshot of a ${kind}`, async () => {
      assert.deepEqual(await open(await serve({ kind })).snapshot(signal), jpeg);
    });
  }

  it("says why there is no snapshot", async () => {
    const camera = await serve({ kind: "nvr" });
    await assert.rejects(open(camera, { channel: 4 }).snapshot(signal), fails("CAMERA_UNSUPPORTED", /channel 4/));
    await assert.rejects(open(camera, { channel: 5 }).snapshot(signal), fails("CAMERA_NOT_FOUND", /no channel 5/));
  });

  describe("events", () => {
    const listen = async (device: HikvisionDevice, count: number) => {
      const events: CameraEvent[] = [];
      for await (const event of device.events(signal)) if (events.push(event) === count) break;
      return events;
    };

    it("come with their pictures, over another boundary than announced and packets cut anywhere", async () => {
      const wire = Buffer.concat([
        alertPart(alertXml("videoloss", "inactive", "<channelID>0</channelID>")),
        alertPart(alertXml("VMD", "active")),
        alertPart('{"eventType":"IO","eventState":"active","channelID":1}', "application/json"),
        alertPart(alertXml("linedetection", "active", "<dynChannelID>3</dynChannelID>")),
        alertPart(jpeg, "image/jpeg"),
        alertPart(alertXml("VMD", "inactive")),
      ]);
      const camera = await serve({
        alerts: async (response) => {
          for (let at = 0; at < wire.length; at += 97) {
            response.write(wire.subarray(at, at + 97));
            await sleep(1);
          }
        },
      });
      const events = await listen(open(camera), 4);
      assert.deepEqual(
        events.map(({ kind, active, channel }) => [kind, active, channel]),
        [
          ["motion", true, 1],
          ["input", true, 1],
          ["line-crossing", true, 3],
          ["motion", false, 1],
        ],
      );
      assert.deepEqual(
        events.map(({ jpeg: picture }) => picture?.length),
        [undefined, undefined, jpeg.length, undefined],
      );
      assert.ok(Math.abs((events[0]?.at ?? 0) - Date.now()) < 10_000);
    });

    it("do not wait for a picture that does not come", async () => {
      const camera = await serve({
        alerts: (response) => void response.write(alertPart(alertXml("fielddetection", "active"))),
      });
      const [event] = await listen(open(camera), 1);
      assert.deepEqual([event?.kind, event?.jpeg], ["intrusion", undefined]);
    });

    it("are given up after a silence, but not over heartbeats", async () => {
      const camera = await serve({
        alerts: async (response) => {
          for (let beats = 0; beats < 4; beats++) {
            response.write(alertPart(alertXml("videoloss", "inactive")));
            await sleep(150);
          }
        },
      });
      const startedAt = performance.now();
      await assert.rejects(listen(open(camera, {}, 300), 1), fails("CAMERA_STALLED", /0\.3 s/));
      assert.ok(performance.now() - startedAt > 600);
    });

    it("throw when the camera hangs up, after the event that came before", async () => {
      const camera = await serve({
        alerts: (response) => void response.end(alertPart(alertXml("linedetection", "active"))),
      });
      const events = open(camera).events(signal);
      assert.equal((await events.next()).value?.kind, "line-crossing");
      await assert.rejects(events.next(), fails("STREAM_LOST"));
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
    it("until it is stopped", async () => {
      const camera = await serve();
      const { ptz } = open(camera);
      await ptz.move({ pan: -0.5, zoom: 1 }, undefined, signal);
      await ptz.stop(signal);
      assert.deepEqual(
        camera.commands.map(({ path, body }) => [path, body.replace(/^<\?xml.*?\?>/, "")]),
        [
          ["PTZCtrl/channels/1/continuous", "<PTZData><pan>-50</pan><tilt>0</tilt><zoom>100</zoom></PTZData>"],
          ["PTZCtrl/channels/1/continuous", "<PTZData><pan>0</pan><tilt>0</tilt><zoom>0</zoom></PTZData>"],
        ],
      );
    });

    it("for a while, and stops when the device is closed", async () => {
      const camera = await serve();
      const device = open(camera);
      await device.ptz.move({ tilt: 1 }, 60_000, signal);
      await device.close();
      assert.deepEqual(
        camera.commands.map(({ body }) => /<tilt>(.*?)</.exec(body)?.[1]),
        ["100", "0"],
      );
    });

    it("to presets, by id or name", async () => {
      const camera = await serve();
      const { ptz } = open(camera);
      assert.deepEqual(await ptz.presets(signal), [
        { id: "1", name: "Till" },
        { id: "2", name: "Door & window" },
      ]);
      await ptz.goToPreset("1", signal);
      await ptz.goToPreset("Door & window", signal);
      assert.deepEqual(
        camera.commands.map(({ path }) => path),
        ["PTZCtrl/channels/1/presets/1/goto", "PTZCtrl/channels/1/presets/2/goto"],
      );
      await assert.rejects(ptz.goToPreset("3", signal), fails("CAMERA_NOT_FOUND", /preset/));
    });

    it("not where the camera stands still, or the user may not", async () => {
      const fixed = await serve({ kind: "dvr" });
      await assert.rejects(open(fixed).ptz.move({ pan: 1 }, undefined, signal), fails("CAMERA_UNSUPPORTED"));
      await assert.rejects(open(await serve(), VIEWER).ptz.presets(signal), fails("CAMERA_UNSUPPORTED"));
    });
  });
});

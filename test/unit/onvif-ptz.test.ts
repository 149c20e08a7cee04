import assert from "node:assert/strict";
import type { PtzVelocity } from "../../src/camera/device.ts";
import { onvifProtocol } from "../../src/camera/protocols/onvif/onvif-protocol.ts";
import { findPreset, writeDuration, writeVelocity } from "../../src/camera/protocols/onvif/ptz.ts";
import type { CctvError } from "../../src/errors.ts";
import { OnvifCamera, type OnvifCameraSettings, TWO_STREAMS } from "../servers/onvif-camera.ts";

const login = { username: "admin", password: "s3cret" };
const MOVABLE: OnvifCameraSettings = {
  hasPtz: true,
  profiles: TWO_STREAMS.map((profile) => ({ ...profile, ptz: true })),
};
const NAMESPACE = ' xmlns="http://www.onvif.org/ver20/ptz/wsdl"';

describe("onvif ptz", () => {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });
  const signal = new AbortController().signal;
  const open = async (settings: OnvifCameraSettings) => {
    const camera = await OnvifCamera.start({ ...login, auth: "token", ...settings });
    const device = onvifProtocol.device?.({ address: camera.address, ...login });
    assert.ok(device?.ptz);
    closing.push(
      () => camera.stop(),
      () => device.close(),
    );
    return { camera, ptz: device.ptz };
  };

  it("moves for a time, or until it is stopped", async () => {
    const { camera, ptz } = await open(MOVABLE);
    await ptz.move({ pan: 0.5, zoom: -2 }, 1_500, signal);
    await ptz.move({ tilt: -1 }, undefined, signal);
    await ptz.move({}, undefined, signal);
    await ptz.stop(signal);
    const stop = `<Stop${NAMESPACE}><ProfileToken>big</ProfileToken><PanTilt>true</PanTilt><Zoom>true</Zoom></Stop>`;
    assert.deepEqual(camera.moves, [
      `<ContinuousMove${NAMESPACE}><ProfileToken>big</ProfileToken><Velocity><tt:PanTilt x="0.5" y="0"/><tt:Zoom x="-1"/></Velocity><Timeout>PT1.5S</Timeout></ContinuousMove>`,
      `<ContinuousMove${NAMESPACE}><ProfileToken>big</ProfileToken><Velocity><tt:PanTilt x="0" y="-1"/></Velocity></ContinuousMove>`,
      stop,
      stop,
    ]);
  });

  it("knows presets by id and by name", async () => {
    const { camera, ptz } = await open(MOVABLE);
    assert.deepEqual(await ptz.presets(signal), [
      { id: "p1", name: "Door" },
      { id: "p2", name: "Till" },
    ]);
    await ptz.goToPreset("p2", signal);
    await ptz.goToPreset("door", signal);
    assert.deepEqual(
      camera.moves.map((move) => /<PresetToken>(.*)<\/PresetToken>/.exec(move)?.[1]),
      ["p2", "p1"],
    );
    await assert.rejects(ptz.goToPreset("roof", signal), (error: CctvError) => {
      assert.equal(error.code, "CAMERA_NOT_FOUND");
      assert.match(error.message, /"roof"; it has Door, Till/);
      return true;
    });
  });

  for (const [what, settings] of [
    ["has no PTZ service", { ...MOVABLE, hasPtz: false }],
    ["has none in its profiles", { hasPtz: true }],
  ] as const) {
    it(`says so where the camera ${what}`, async () => {
      const { camera, ptz } = await open(settings);
      for (const attempt of [ptz.move({ pan: 1 }, 100, signal), ptz.stop(signal), ptz.presets(signal)]) {
        await assert.rejects(attempt, (error: CctvError) => error.code === "CAMERA_UNSUPPORTED");
      }
      assert.deepEqual(camera.moves, []);
    });
  }

  const velocities: readonly (readonly [PtzVelocity, string])[] = [
    [{}, ""],
    [{ pan: 0, tilt: 0, zoom: 0 }, ""],
    [{ pan: Number.NaN }, ""],
    [{ pan: 3, tilt: -3 }, '<tt:PanTilt x="1" y="-1"/>'],
    [{ zoom: 0.25 }, '<tt:Zoom x="0.25"/>'],
  ];
  for (const [velocity, expected] of velocities) {
    it(`writes the velocity ${JSON.stringify(velocity)}`, () => {
      assert.equal(writeVelocity(velocity), expected);
    });
  }

  it("writes durations, and prefers an id to a name", () => {
    assert.deepEqual([0, 1, 250, 60_000].map(writeDuration), ["PT0.001S", "PT0.001S", "PT0.25S", "PT60S"]);
    const presets = [
      { id: "1", name: "2" },
      { id: "2", name: "Door" },
    ];
    assert.equal(findPreset(presets, "2")?.id, "2");
    assert.equal(findPreset(presets, " DOOR ")?.id, "2");
    assert.equal(findPreset(presets, "3"), undefined);
  });
});

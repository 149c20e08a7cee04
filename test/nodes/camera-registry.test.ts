import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import cameraFleet from "../../nodes/camera-fleet.ts";
import cameraRegistry, { type CameraRegistryNode } from "../../nodes/camera-registry.ts";
import { type CameraStatus, runningCameras } from "../../nodes/shared/running-cameras.ts";
import type { CctvError } from "../../src/errors.ts";
import type { Fleet, FleetStatus } from "../../src/fleet/fleet.ts";
import { Frame } from "../../src/frame/frame.ts";
import { HttpCamera, mjpeg } from "../servers/http-camera.ts";
import { Postgresql } from "../servers/postgresql.ts";
import { helper, inbox, statuses, until } from "./helper.ts";

const LOGIN = { username: "admin", password: "p@ss:w/o#r%d&+ü" };

async function eventually(condition: () => Promise<boolean>, withinMs = 9000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe("camera-registry and camera-fleet", () => {
  let server: HttpCamera;
  let userDir: string;
  let secrets: Record<string, unknown>;

  before(async () => {
    const jpeg = await sharp({ create: { width: 64, height: 36, channels: 3, background: "blue" } })
      .jpeg()
      .toBuffer();
    server = await HttpCamera.start({ login: "digest", ...LOGIN, answer: mjpeg(jpeg) });
  });
  after(() => server.stop());
  beforeEach(() => {
    userDir = mkdtempSync(join(tmpdir(), "registry-"));
    secrets = { _credentialSecret: "made up by Node-RED" };
  });
  afterEach(async () => {
    await helper.unload();
    await eventually(async () => (await server.openConnections()) === 0);
    rmSync(userDir, { recursive: true, force: true });
  });

  const deploy = async (
    registry: object = {},
    { connection, cctv = {} }: { connection?: string; cctv?: object } = {},
  ): Promise<void> => {
    helper.settings({ userDir, cctv, get: (name: string) => secrets[name] } as object);
    const flow = [
      { id: "tab", type: "tab", label: "test" },
      { id: "cameras", type: "camera-registry", fps: 10, allowedAddresses: "127.0.0.1", ...registry },
      {
        id: "fleet",
        type: "camera-fleet",
        registry: "cameras",
        wires: [["frames"], ["changes"]],
        x: 0,
        y: 0,
        z: "tab",
      },
      { id: "frames", type: "helper", x: 0, y: 0, z: "tab" },
      { id: "changes", type: "helper", x: 0, y: 0, z: "tab" },
    ];
    const nodes = [cameraRegistry, cameraFleet];
    await helper.load(nodes, flow as unknown as Parameters<typeof helper.load>[1], {
      cameras: connection === undefined ? {} : { connection },
    });
  };
  const registryNode = () => helper.getNode("cameras") as unknown as CameraRegistryNode;
  const fleetNode = (): Fleet => {
    const { fleet } = registryNode();
    assert.ok(fleet);
    return fleet;
  };
  const errorsOf = (id: string): CctvError[] => {
    const { error } = helper.getNode(id) as unknown as { error: { thisValues: { id: string }[]; args: [CctvError][] } };
    return error.args.flatMap(([told], call) => (error.thisValues[call]?.id === id ? [told] : []));
  };
  const add = () => fleetNode().add({ id: "door", name: "Door", ...LOGIN, address: server.url("/video") });
  const isLive = () => eventually(async () => (await fleetNode().status("door")).state === "live");

  it("gives frames and states of what is started, and again after a restart", async () => {
    await deploy();
    await add();
    let frames = inbox("frames") as unknown as { topic: string; camera: object; payload: Frame }[];
    const changes = inbox("changes") as unknown as { topic: string; payload: FleetStatus }[];
    helper.getNode("fleet").receive({ payload: { command: "start", cameras: ["door"] } });
    await until(() => frames.length > 1);
    assert.ok(frames[0]?.payload instanceof Frame);
    assert.deepEqual(
      [frames[0].topic, frames[0].camera],
      ["door", { id: "door", name: "Door", location: "", site: "site" }],
    );
    assert.ok(changes.some(({ topic, payload }) => topic === "door" && payload.state === "live"));
    assert.doesNotMatch(JSON.stringify(changes), /p@ss|p%40ss/);
    await until(() => statuses("fleet").some(({ fill, text }) => fill === "green" && /live/.test(text ?? "")));
    await helper.unload();
    await eventually(async () => (await server.openConnections()) === 0);

    await deploy();
    frames = inbox("frames") as unknown as typeof frames;
    await until(() => frames.length > 1, 9000);
    helper.getNode("fleet").receive({ payload: "stop" });
    await eventually(async () => (await fleetNode().status("door")).state === "closed");
  }).timeout(15_000);

  it("has its cameras among those that camera-status tells of", async () => {
    await deploy();
    await add();
    const told: CameraStatus[] = [];
    const hear = (status: CameraStatus) => void told.push(status);
    runningCameras.on("change", hear);
    helper.getNode("fleet").receive({ payload: "start" });
    await until(() => told.some(({ state }) => state === "live"));
    runningCameras.off("change", hear);
    const [door, ...others] = await runningCameras.statuses();
    assert.deepEqual([door?.camera.id, door?.state, others.length], ["door", "live", 0]);
    assert.doesNotMatch(JSON.stringify(told), /p@ss|p%40ss/);
    await helper.unload();
    assert.deepEqual(await runningCameras.statuses(), []);
  });

  it("tells Catch nodes what it cannot do", async () => {
    await deploy();
    const told: CctvError[] = [];
    for (const payload of [
      "dance",
      { command: "start", cameras: "door" },
      { command: "start", cameras: ["nobody"] },
      7,
    ]) {
      const count = errorsOf("fleet").length;
      helper.getNode("fleet").receive({ payload });
      await until(() => errorsOf("fleet").length > count);
      told.push(...errorsOf("fleet").slice(count));
    }
    assert.deepEqual(
      told.map(({ code }) => code),
      ["MESSAGE_INVALID", "MESSAGE_INVALID", "CAMERA_UNKNOWN", "MESSAGE_INVALID"],
    );
  });

  it("leaves no file, connection or listener behind when it is deployed again", async () => {
    await deploy();
    await add();
    await fleetNode().start();
    await isLive();
    for (let times = 0; times < 5; times++) {
      const fleet = fleetNode();
      await helper.unload();
      await deploy();
      assert.deepEqual(
        [fleet.listenerCount("frame"), fleet.listenerCount("change"), fleet.listenerCount("removed")],
        [0, 0, 0],
      );
      await assert.rejects(fleet.statuses(), { code: "STORE_FAILED" });
    }
    await eventually(async () => (await server.openConnections()) <= 1);
    assert.equal((await fleetNode().statuses()).length, 1);
  }).timeout(15_000);

  it("keeps everything in a folder of the user directory, for the owner's eyes only", async () => {
    await deploy();
    await add();
    await until(() => registryNode().access);
    const folder = join(userDir, "cctv");
    const names = readdirSync(folder);
    assert.ok(names.includes("cameras.sqlite") && names.includes("cameras.sqlite.api-keys.json"), names.join());
    assert.equal(names.includes("cameras.sqlite.key"), false);
    for (const name of names) assert.equal(statSync(join(folder, name)).mode & 0o077, 0, name);
  });

  describe("the key of the passwords", () => {
    const restart = async (cctv: object = {}) => {
      await helper.unload();
      await deploy({}, { cctv });
    };
    const works = async () => {
      await fleetNode().snapshot("door");
    };

    it("is a file where Node-RED has no secret", async () => {
      secrets = { credentialSecret: false };
      await deploy();
      await add();
      const file = join(userDir, "cctv", "cameras.sqlite.key");
      assert.match(readFileSync(file, "utf8"), /^[0-9a-f]{64}\n$/);
      assert.equal(statSync(file).mode & 0o777, 0o600);
      await restart();
      await works();
    });

    it("moves on by itself when a secret is chosen after the one that was made up", async () => {
      await deploy();
      await add();
      secrets.credentialSecret = "chosen";
      await restart();
      await works();
      secrets = { credentialSecret: "chosen" };
      await restart();
      await works();
      secrets = { credentialSecret: "changed" };
      await restart({ formerCredentialSecret: "chosen" });
      await works();
      await restart();
      await works();
      secrets = { credentialSecret: false };
      await restart({ formerCredentialSecret: "changed" });
      await works();
      assert.ok(existsSync(join(userDir, "cctv", "cameras.sqlite.key")));
      secrets = { credentialSecret: "at last" };
      await restart();
      await works();
    }).timeout(15_000);

    it("is asked for where it has changed, in a sentence that says what to do", async () => {
      await deploy();
      await add();
      secrets = { credentialSecret: "another" };
      await restart();
      const error = await until(() => errorsOf("cameras")[0]);
      assert.equal(error.code, "STORE_FAILED");
      assert.match(error.message, /credentialSecret.*put the old one back.*cctv\.formerCredentialSecret/);
      await until(() => errorsOf("fleet")[0]);
      await assert.rejects(fleetNode().statuses(), { code: "STORE_FAILED", message: /formerCredentialSecret/ });
    });
  });

  describe("settings", () => {
    const bad: [string, object, RegExp][] = [
      ["a rate of 0", { fps: 0 }, /Frames per second/],
      ["an unknown database", { database: "oracle" }, /Database/],
      ["PostgreSQL without a connection string", { database: "postgresql" }, /Connection/],
      ["an allowed address that is none", { allowedAddresses: "the printer" }, /"the" is no address/],
    ];
    for (const [what, settings, message] of bad) {
      it(`refuses ${what}`, async () => {
        await deploy(settings);
        const error = await until(() => errorsOf("cameras")[0]);
        assert.equal(error.code, "SETTING_INVALID");
        assert.match(error.message, message);
        assert.equal(registryNode().fleet, undefined);
        assert.equal((await until(() => errorsOf("fleet")[0])).code, "SETTING_INVALID");
      });
    }

    it("refuses a second registry of the same database", async () => {
      helper.settings({ userDir, get: (name: string) => secrets[name] } as object);
      const flow = [
        { id: "cameras", type: "camera-registry" },
        { id: "others", type: "camera-registry" },
      ];
      await helper.load(cameraRegistry, flow as unknown as Parameters<typeof helper.load>[1]);
      const error = await until(() => errorsOf("others")[0] ?? errorsOf("cameras")[0]);
      assert.equal(error.code, "SETTING_INVALID");
    });
  });

  describe("with PostgreSQL", () => {
    let postgresql: Postgresql;
    before(async function () {
      if (!Postgresql.available) this.skip();
      this.timeout(30_000);
      postgresql = await Postgresql.start();
    });
    after(() => postgresql?.stop());

    it("runs, and waits for a server that comes later", async () => {
      const connection = await postgresql.newDatabase();
      await deploy({ database: "postgresql" }, { connection });
      await add();
      await fleetNode().start();
      await isLive();
      await helper.unload();

      await postgresql.pause();
      await deploy({ database: "postgresql" }, { connection });
      const error = await until(() => errorsOf("cameras")[0]);
      assert.match(error.message, /PostgreSQL does not answer/);
      assert.equal(error.message.includes(postgresql.password), false);
      await postgresql.resume();
      await eventually(
        async () =>
          (
            await fleetNode()
              .status("door")
              .catch(() => undefined)
          )?.state === "live",
        15_000,
      );
    }).timeout(40_000);

    it("goes on showing pictures while the server is away, and comes back with it", async () => {
      await deploy({ database: "postgresql" }, { connection: await postgresql.newDatabase() });
      await add();
      await fleetNode().start();
      await isLive();
      await postgresql.pause();
      await assert.rejects(fleetNode().update("door", { name: "Later" }), { code: "STORE_FAILED" });
      assert.equal((await fleetNode().status("door")).state, "live");
      await postgresql.resume();
      assert.equal((await fleetNode().update("door", { name: "Later" })).name, "Later");
    }).timeout(30_000);
  });
});

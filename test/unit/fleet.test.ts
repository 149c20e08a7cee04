import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import sharp from "sharp";
import { LoginGuard } from "../../src/camera/login-guard.ts";
import { CctvError } from "../../src/errors.ts";
import { Fleet, type FleetOptions, type FleetStatus } from "../../src/fleet/fleet.ts";
import type { Frame } from "../../src/frame/frame.ts";
import { CameraStore } from "../../src/store/camera-store.ts";
import { HttpCamera, mjpeg } from "../servers/http-camera.ts";

const KEY = new Uint8Array(32).fill(7);
const LOGIN = { username: "admin", password: "p@ss:w/o#r%d&+ü" };

describe("fleet", () => {
  let folder: string;
  let jpeg: Buffer;
  let camera: HttpCamera;
  let guarded: HttpCamera;
  let store: CameraStore;
  let fleet: Fleet;
  let databases = 0;
  let path: string;

  const openStore = () => CameraStore.open({ database: { kind: "sqlite", path }, key: KEY });
  const newFleet = (options: Partial<FleetOptions> = {}) =>
    new Fleet({ store, fps: 10, longSide: 320, startSpreadMs: 0, lingerMs: 100, logins: new LoginGuard(), ...options });
  /** As a restart of Node-RED does. */
  const reopen = async (options: Partial<FleetOptions> = {}) => {
    await fleet.close();
    await store.close();
    store = await openStore();
    fleet = newFleet(options);
    await fleet.open();
  };
  const until = async (condition: () => boolean | Promise<boolean>, withinMs = 6000) => {
    const deadline = Date.now() + withinMs;
    while (!(await condition())) {
      if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${condition}`);
      await sleep(20);
    }
  };
  const isIn = (id: string, state: FleetStatus["state"]) => until(async () => (await fleet.status(id)).state === state);
  const hasNoConnection = (server = camera) => until(async () => (await server.openConnections()) === 0);

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "fleet-"));
    jpeg = await sharp({ create: { width: 64, height: 36, channels: 3, background: "green" } })
      .jpeg()
      .toBuffer();
    camera = await HttpCamera.start({ answer: mjpeg(jpeg) });
    guarded = await HttpCamera.start({ login: "digest", ...LOGIN, answer: mjpeg(jpeg) });
  });
  after(async () => {
    await camera.stop();
    await guarded.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    path = join(folder, `${++databases}.sqlite`);
    store = await openStore();
    fleet = newFleet();
    await fleet.open();
  });
  afterEach(async () => {
    await fleet.close();
    await store.close();
    await hasNoConnection();
    await hasNoConnection(guarded);
  });

  it("runs nothing that was not started", async () => {
    const added = once(fleet, "added");
    await fleet.add({ id: "door", name: "Door", address: camera.url("/video") });
    assert.equal((await added)[0].id, "door");
    const status = await fleet.status("door");
    assert.deepEqual([status.state, status.camera.detecting, status.alerts], ["closed", false, 0]);
    assert.equal(await camera.openConnections(), 0);
  });

  it("starts and stops detection, all of it or by ids", async () => {
    for (const id of ["a", "b"]) await fleet.add({ id, name: id.toUpperCase(), address: camera.url("/video") });
    const frames: Frame[] = [];
    fleet.on("frame", (frame) => frames.push(frame));
    assert.deepEqual(await fleet.start(["b"]), ["b"]);
    await until(() => frames.length >= 2);
    assert.deepEqual(frames[0]?.camera, { id: "b", name: "B", location: "", site: "site" });
    assert.deepEqual(await fleet.start(), ["a", "b"]);
    await until(() => frames.some((frame) => frame.camera.id === "a"));
    assert.deepEqual(await fleet.stop(["b"]), ["b"]);
    assert.deepEqual(
      (await fleet.statuses()).map(({ camera: { id, detecting } }) => [id, detecting]),
      [
        ["a", true],
        ["b", false],
      ],
    );
    assert.deepEqual(await fleet.stop(), ["a", "b"]);
    await hasNoConnection();
    const count = frames.length;
    await sleep(250);
    assert.equal(frames.length, count);
  });

  it("starts none where one id is unknown", async () => {
    await fleet.add({ id: "a", address: camera.url("/video") });
    await assert.rejects(fleet.start(["a", "nobody"]), { code: "CAMERA_UNKNOWN" });
    assert.equal((await fleet.status("a")).camera.detecting, false);
  });

  it("says how each camera is, and each change of it", async () => {
    const states: string[] = [];
    fleet.on("change", ({ state }) => states.push(state));
    await fleet.add({ id: "door", ...LOGIN, address: guarded.url("/video") });
    await fleet.start();
    await isIn("door", "live");
    fleet.countAlert("door");
    fleet.countAlert("nobody");
    const status = await fleet.status("door");
    assert.deepEqual([status.alerts, status.width, status.height, status.camera.hasPassword], [1, 64, 36, true]);
    await fleet.stop();
    assert.deepEqual(
      states.filter((state, index) => state !== states[index - 1]),
      ["connecting", "live", "closed"],
    );
    assert.doesNotMatch(JSON.stringify([status, await fleet.statuses()]), /p@ss|p%40ss/);
  });

  it("leaves a disabled camera alone, and lets it detect again once it is enabled", async () => {
    await fleet.add({ id: "door", address: camera.url("/video") });
    await fleet.start();
    await isIn("door", "live");
    await fleet.disable("door");
    assert.equal((await fleet.status("door")).state, "closed");
    await hasNoConnection();
    assert.deepEqual(await fleet.start(), []);
    await assert.rejects(fleet.snapshot("door"), { code: "REQUEST_INVALID" });
    await fleet.enable("door");
    await isIn("door", "live");
  });

  it("opens a running camera anew where its address or name has changed", async () => {
    await fleet.add({ id: "door", name: "Door", ...LOGIN, password: "wrong", address: guarded.url("/video") });
    await fleet.start();
    await isIn("door", "waiting");
    assert.equal((await fleet.status("door")).reason?.code, "CAMERA_AUTH_FAILED");
    await fleet.update("door", { password: LOGIN.password });
    await isIn("door", "live");
    const connections = guarded.connections;
    const [renamed] = await Promise.all([once(fleet, "frame"), fleet.update("door", { name: "Back door" })]);
    assert.ok(renamed);
    await until(async () => ((await once(fleet, "frame"))[0] as Frame).camera.name === "Back door");
    assert.ok(guarded.connections > connections);
  });

  it("closes what it removes, and tells", async () => {
    await fleet.add({ id: "door", address: camera.url("/video") });
    await fleet.start();
    await isIn("door", "live");
    const removed = once(fleet, "removed");
    await fleet.remove("door");
    assert.deepEqual(await removed, ["door"]);
    await hasNoConnection();
    assert.deepEqual(await fleet.statuses(), []);
    for (const call of [fleet.remove("door"), fleet.status("door"), fleet.update("door", {}), fleet.snapshot("door")]) {
      await assert.rejects(call, { code: "CAMERA_UNKNOWN" });
    }
    assert.throws(() => fleet.watch("door", () => undefined), { code: "CAMERA_UNKNOWN" });
  });

  it("runs again by itself after a restart what was enabled and detecting", async () => {
    for (const id of ["a", "b", "c", "d"]) await fleet.add({ id, address: camera.url("/video") });
    await fleet.start(["a", "b", "c"]);
    await fleet.stop(["b"]);
    await fleet.disable("c");
    await reopen();
    await isIn("a", "live");
    assert.deepEqual(
      (await fleet.statuses()).map(({ state }) => state),
      ["live", "closed", "closed", "closed"],
    );
  });

  it("spreads those starts at random over the time it is given, and no longer", async () => {
    const ids = ["a", "b", "c", "d"];
    for (const id of ids) await fleet.add({ id, address: camera.url(`/${id}`) });
    await fleet.start();
    const draws = [0, 0.4, 0.8, 0.999];
    const startedAt = new Map<string, number>();
    await fleet.close();
    await store.close();
    store = await openStore();
    let draw = 0;
    fleet = newFleet({ startSpreadMs: 1000, random: () => draws[draw++] ?? 0.5 });
    const openedAt = Date.now();
    fleet.on("change", ({ camera: { id }, state }) => {
      if (state === "connecting" && !startedAt.has(id)) startedAt.set(id, Date.now() - openedAt);
    });
    await fleet.open();
    await until(() => startedAt.size === ids.length);
    ids.forEach((id, index) => {
      const due = (draws[index] ?? 0) * 1000;
      const after = startedAt.get(id) ?? 0;
      assert.ok(after >= due - 20 && after < due + 700, `${id} after ${after} ms, due after ${due} ms`);
    });
  });

  it("stops what has not begun yet", async () => {
    await fleet.add({ id: "door", address: camera.url("/video") });
    await fleet.start();
    await reopen({ startSpreadMs: 300, random: () => 0.9 });
    await fleet.stop();
    const connections = camera.connections;
    await sleep(400);
    assert.equal(camera.connections, connections);
  });

  describe("snapshot", () => {
    it("is the last frame of a camera that runs", async () => {
      await fleet.add({ id: "door", address: camera.url("/video") });
      await fleet.start();
      await isIn("door", "live");
      const connections = camera.connections;
      assert.deepEqual(await fleet.snapshot("door"), jpeg);
      assert.equal(camera.connections, connections);
    });

    it("of a stopped camera takes a connection for a moment, one for all who ask", async () => {
      await fleet.add({ id: "door", address: camera.url("/video") });
      const frames: Frame[] = [];
      fleet.on("frame", (frame) => frames.push(frame));
      const { requests } = camera;
      const pictures = await Promise.all([fleet.snapshot("door"), fleet.snapshot("door"), fleet.snapshot("door")]);
      assert.ok(pictures.every((picture) => picture.equals(jpeg)));
      assert.equal(camera.requests - requests, 1);
      await hasNoConnection();
      assert.equal((await fleet.status("door")).state, "closed");
      assert.equal(frames.length, 0);
    });

    it("says why there is none", async () => {
      await fleet.add({ id: "door", address: "http://127.0.0.1:1/video" });
      await assert.rejects(fleet.snapshot("door"), { code: "CAMERA_REFUSED" });
    });

    it("locks no account, however often it is asked for", async () => {
      await fleet.add({ id: "door", ...LOGIN, password: "wrong", address: guarded.url("/video") });
      const { wrongLogins } = guarded;
      for (let times = 0; times < 6; times++) {
        await assert.rejects(fleet.snapshot("door"), { code: "CAMERA_AUTH_FAILED" });
        await sleep(150);
      }
      assert.equal(guarded.wrongLogins - wrongLogins, 1);
    });
  });

  describe("watch", () => {
    it("opens a stopped camera for those who watch, and closes it after the last", async () => {
      await fleet.add({ id: "door", address: camera.url("/video") });
      const detected: Frame[] = [];
      fleet.on("frame", (frame) => detected.push(frame));
      const [one, other]: Frame[][] = [[], []];
      const leaveOne = fleet.watch("door", (frame) => one?.push(frame));
      const leaveOther = fleet.watch("door", (frame) => other?.push(frame));
      await until(() => (one?.length ?? 0) > 1 && (other?.length ?? 0) > 1);
      leaveOne();
      leaveOne();
      const count = one?.length;
      await sleep(300);
      assert.equal(one?.length, count);
      assert.equal((await fleet.status("door")).state, "live");
      leaveOther();
      await hasNoConnection();
      assert.equal(detected.length, 0);
    });

    it("goes on after detection has stopped, and detection after the last has left", async () => {
      await fleet.add({ id: "door", address: camera.url("/video") });
      await fleet.start();
      let count = 0;
      const leave = fleet.watch("door", () => count++);
      await isIn("door", "live");
      await fleet.stop();
      const before = count;
      await until(() => count > before + 1);
      await fleet.start();
      leave();
      await sleep(250);
      assert.equal((await fleet.status("door")).state, "live");
    });

    it("hands the same frame to all, and minds nobody who fails", async () => {
      await fleet.add({ id: "door", address: camera.url("/video") });
      const seen: Frame[][] = [[], []];
      fleet.watch("door", () => {
        throw new Error("a listener's own mistake");
      });
      fleet.watch("door", (frame) => seen[0]?.push(frame));
      fleet.watch("door", (frame) => seen[1]?.push(frame));
      await until(() => (seen[1]?.length ?? 0) > 1);
      assert.equal(seen[0]?.[0], seen[1]?.[0]);
    });

    it("is bounded", async () => {
      await fleet.add({ id: "door", address: camera.url("/video") });
      const leave = Array.from({ length: 100 }, () => fleet.watch("door", () => undefined));
      assert.throws(() => fleet.watch("door", () => undefined), { code: "RATE_LIMITED" });
      leave[0]?.();
      fleet.watch("door", () => undefined);
    });
  });

  it("refuses everything after it was closed, and closes twice", async () => {
    await fleet.add({ id: "door", address: camera.url("/video") });
    await fleet.start();
    fleet.watch("door", () => undefined);
    await isIn("door", "live");
    await Promise.all([fleet.close(), fleet.close()]);
    await hasNoConnection();
    for (const call of [fleet.statuses(), fleet.start(), fleet.add({ id: "x", address: "10.0.0.1" })]) {
      await assert.rejects(call, { code: "STORE_FAILED" });
    }
    // Closing is no stopping: the next fleet goes on.
    assert.deepEqual(
      (await store.list()).map(({ detecting }) => detecting),
      [true],
    );
  });

  it("tells the same story in store and streams when changes come at once", async () => {
    await fleet.add({ id: "door", address: camera.url("/video") });
    const changes = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? fleet.start() : fleet.stop()));
    await Promise.all([...changes, fleet.update("door", { name: "One" }), fleet.disable("door"), fleet.enable("door")]);
    const { camera: shown, state } = await fleet.status("door");
    assert.deepEqual([shown.detecting, shown.enabled, shown.name, state], [false, true, "One", "closed"]);
    assert.deepEqual(shown, await store.get("door"));
    await hasNoConnection();
  });

  it("says that the database is not there rather than let anybody wait for ever", async () => {
    let fail: (reason: Error) => void = () => undefined;
    const late = new Fleet({ store: new Promise((_, reject) => (fail = reject)), fps: 5, longSide: 320 });
    const opening = late.open();
    fail(new CctvError("STORE_FAILED", "the disk is full; make room on it"));
    await assert.rejects(opening, { message: /disk is full/ });
    await assert.rejects(late.statuses(), { code: "STORE_FAILED", message: /disk is full/ });
    await late.close();
  });
});

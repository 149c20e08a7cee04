import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NewCamera } from "../../src/store/camera-record.ts";
import { CameraStore } from "../../src/store/camera-store.ts";
import { type DatabaseSettings, openDatabase } from "../../src/store/database.ts";
import { Postgresql } from "../servers/postgresql.ts";

const KEY = new Uint8Array(32).fill(7);
const OTHER_KEY = new Uint8Array(32).fill(8);
const PASSWORD = "p@ss:w/o#r%d&+ü";
const DOOR: NewCamera = { id: "door", address: "rtsp://192.168.1.64/stream", username: "admin", password: PASSWORD };

let folder: string;
let postgresql: Postgresql | undefined;
let files = 0;

before(() => {
  folder = mkdtempSync(join(tmpdir(), "camera-store-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const newFile = (): string => join(folder, `${++files}`, "cameras.sqlite");

for (const kind of ["sqlite", "postgresql"] as const) {
  describe(`camera store on ${kind}`, () => {
    let database: DatabaseSettings;
    let store: CameraStore;
    const open = (key = KEY, formerKeys: Uint8Array[] = []) => CameraStore.open({ database, key, formerKeys });

    before(async function () {
      if (kind === "sqlite") return;
      if (!Postgresql.available) this.skip();
      this.timeout(30_000);
      postgresql = await Postgresql.start();
    });
    after(async () => {
      if (kind === "postgresql") await postgresql?.stop();
    });
    beforeEach(async () => {
      database =
        kind === "postgresql" && postgresql
          ? { kind, connectionString: await postgresql.newDatabase() }
          : { kind: "sqlite", path: newFile() };
      store = await open();
    });
    afterEach(() => store.close());

    it("keeps a camera and gives it back, after a restart too", async () => {
      const added = await store.add({
        ...DOOR,
        name: "Door ü 門",
        location: "entrance",
        site: "main-street",
        channel: 2,
        stream: "main",
        transport: "tcp",
        certificate: "any",
      });
      const { createdAt, updatedAt, ...rest } = added;
      assert.deepEqual(rest, {
        id: "door",
        name: "Door ü 門",
        location: "entrance",
        site: "main-street",
        address: "rtsp://192.168.1.64/stream",
        protocol: "rtsp",
        username: "admin",
        hasPassword: true,
        enabled: true,
        detecting: false,
        channel: 2,
        stream: "main",
        transport: "tcp",
        certificate: "any",
      });
      assert.ok(Math.abs(Date.now() - createdAt) < 10_000 && updatedAt === createdAt);
      await store.close();
      store = await open();
      assert.deepEqual(await store.get("door"), added);
      assert.deepEqual(await store.list(), [added]);
      assert.deepEqual(await store.config("door"), {
        address: "rtsp://192.168.1.64/stream",
        username: "admin",
        password: PASSWORD,
        channel: 2,
        stream: "main",
        transport: "tcp",
        certificate: "any",
      });
    });

    it("names a camera after its id, and its protocol after its address", async () => {
      const { name, protocol, hasPassword } = await store.add({ id: "yard", address: "192.168.1.65" });
      assert.deepEqual([name, protocol, hasPassword], ["yard", "auto", false]);
    });

    it("takes the login out of an address, and shows no secret of its query", async () => {
      await store.add({ id: "a", address: "rtsp://root:s%40cret9@10.0.0.9:8554/live" });
      await store.add({ id: "b", address: "hik://10.0.0.9?user=root&pass=s@cret9" });
      assert.deepEqual(
        (await store.list()).map(({ address, username, hasPassword }) => [address, username, hasPassword]),
        [
          ["rtsp://10.0.0.9:8554/live", "root", true],
          ["hik://10.0.0.9?user=root&pass=***", "", false],
        ],
      );
      assert.deepEqual(await store.config("a"), {
        address: "rtsp://10.0.0.9:8554/live",
        username: "root",
        password: "s@cret9",
      });
      assert.equal((await store.config("b")).address, "hik://10.0.0.9?user=root&pass=s@cret9");
    });

    it("refuses an id that is taken, also when two come at once, and keeps the first", async () => {
      const outcomes = await Promise.allSettled([store.add(DOOR), store.add({ ...DOOR, address: "rtsp://10.0.0.1/" })]);
      const refused = outcomes.filter((outcome) => outcome.status === "rejected");
      assert.deepEqual(
        refused.map(({ reason }) => reason.code),
        ["CAMERA_EXISTS"],
      );
      assert.equal((await store.list()).length, 1);
    });

    it("changes what it is told to and nothing else", async () => {
      const before = await store.add({ ...DOOR, location: "entrance", stream: "main" });
      const after = await store.update("door", { name: "Back door", enabled: false });
      assert.deepEqual(after, { ...before, name: "Back door", enabled: false, updatedAt: after.updatedAt });
      assert.equal((await store.config("door")).password, PASSWORD);
      await store.update("door", { password: "another" });
      assert.equal((await store.config("door")).password, "another");
      assert.equal((await store.update("door", { password: "" })).hasPassword, false);
      assert.equal((await store.config("door")).username, "admin");
    });

    it("takes back the address as it showed it without losing the secrets in it", async () => {
      const { address } = await store.add({ id: "b", address: "hik://10.0.0.9?user=root&pass=s@cret9" });
      await store.update("b", { address, name: "B" });
      assert.equal((await store.config("b")).address, "hik://10.0.0.9?user=root&pass=s@cret9");
    });

    it("carries a stored password to no other host", async () => {
      await store.add(DOOR);
      await assert.rejects(store.update("door", { address: "rtsp://10.9.9.9/stream" }), { code: "REQUEST_INVALID" });
      const { protocol } = await store.update("door", { address: "onvif://192.168.1.64" });
      assert.equal(protocol, "onvif");
      await store.update("door", { address: "rtsp://admin:new@10.9.9.9/stream" });
      assert.deepEqual(await store.config("door"), {
        address: "rtsp://10.9.9.9/stream",
        username: "admin",
        password: "new",
      });
    });

    it("removes a camera for good", async () => {
      await store.add(DOOR);
      await store.remove("door");
      assert.equal(await store.get("door"), undefined);
      assert.equal((await store.add({ id: "door", address: "10.0.0.1" })).hasPassword, false);
    });

    it("says of an unknown id that it is unknown", async () => {
      assert.equal(await store.get("nobody"), undefined);
      for (const call of [store.update("nobody", { name: "x" }), store.remove("nobody"), store.config("nobody")]) {
        await assert.rejects(call, { code: "CAMERA_UNKNOWN" });
      }
    });

    it("remembers whose frames are wanted", async () => {
      for (const id of ["a", "b", "c"]) await store.add({ id, address: "10.0.0.1" });
      await store.setDetecting(["a", "c", "nobody"], true);
      await store.setDetecting(["a"], false);
      await store.setDetecting([], true);
      await store.close();
      store = await open();
      assert.deepEqual(
        (await store.list()).map(({ detecting }) => detecting),
        [false, false, true],
      );
    });

    it("refuses another key with a sentence that says what to do", async () => {
      await store.add(DOOR);
      await store.close();
      await assert.rejects(open(OTHER_KEY), (error: Error & { code: string }) => {
        assert.equal(error.code, "STORE_FAILED");
        assert.match(error.message, /credentialSecret.*formerCredentialSecret/);
        return true;
      });
      store = await open();
      assert.equal((await store.config("door")).password, PASSWORD);
    });

    it("takes another key while nothing is sealed with the first", async () => {
      await store.close();
      store = await open(OTHER_KEY);
      await store.add(DOOR);
      await assert.rejects(open(KEY), { code: "STORE_FAILED" });
    });

    it("seals all passwords anew when it is told the former key", async () => {
      await store.add(DOOR);
      await store.add({ id: "b", address: "rtsp://u:other@10.0.0.1/" });
      await store.close();
      store = await open(OTHER_KEY, [new Uint8Array(32), KEY]);
      await store.close();
      store = await open(OTHER_KEY);
      assert.equal((await store.config("door")).password, PASSWORD);
      assert.equal((await store.config("b")).password, "other");
      await assert.rejects(open(KEY), { code: "STORE_FAILED" });
    });

    it("opens what is up to date without a change, and refuses what a newer release has written", async () => {
      await store.add(DOOR);
      await store.close();
      const db = await openDatabase(database);
      await db
        .withTables<{ cctv_migration: { name: string; timestamp: string } }>()
        .insertInto("cctv_migration")
        .values({ name: "2999-01-01-from-the-future", timestamp: "2999-01-01" })
        .execute();
      await db.destroy();
      await assert.rejects(open(), { code: "STORE_FAILED", message: /newer release.*2999-01-01-from-the-future/ });
    });

    it("keeps login and address of a row for that row alone", async () => {
      await store.add(DOOR);
      await store.add({ id: "yard", address: "rtsp://10.9.9.9/" });
      const db = await openDatabase(database);
      const { secrets } = await db
        .selectFrom("cctv_camera")
        .select("secrets")
        .where("id", "=", "door")
        .executeTakeFirstOrThrow();
      await db.updateTable("cctv_camera").set({ secrets }).where("id", "=", "yard").execute();
      await db.destroy();
      await assert.rejects(store.config("yard"), { code: "STORE_FAILED" });
    });

    it("fails with a code after it was closed, and closes twice", async () => {
      await store.close();
      await store.close();
      await assert.rejects(store.list(), { code: "STORE_FAILED" });
    });

    const unfit: [string, object][] = [
      ["a boolean for a name", { name: true }],
      ["an object for a name", { name: { toString: 1 } }],
      ["a null", { location: null }],
      ["a line break", { name: "a\nb" }],
      ["a zero byte", { name: "a\0b" }],
      ["half a surrogate pair", { name: "\ud800" }],
      ["an id with a slash", { id: "../door" }],
      ["an id of an object's own", { id: "__proto__" }],
      ["an id that is a number", { id: 7 }],
      ["a channel 0", { channel: 0 }],
      ["a channel as text", { channel: "1" }],
      ["an unknown stream", { stream: "huge" }],
      ["a text for enabled", { enabled: "yes" }],
      ["a name of a mebibyte", { name: "x".repeat(2 ** 20) }],
    ];
    for (const [what, fields] of unfit) {
      it(`refuses ${what}`, async () => {
        await assert.rejects(store.add({ ...DOOR, ...fields } as NewCamera), { code: "REQUEST_INVALID" });
        assert.deepEqual(await store.list(), []);
      });
    }
  });
}

describe("camera store in a file", () => {
  it("is for its owner's eyes only, and holds no readable password", async () => {
    const path = newFile();
    const store = await CameraStore.open({ database: { kind: "sqlite", path }, key: KEY });
    await store.add({ id: "a", address: "rtsp://admin:readable-secret@10.0.0.1/?token=other-secret" });
    await store.update("a", { password: "third-secret" });
    const home = join(path, "..");
    assert.ok(readdirSync(home).includes("cameras.sqlite-wal"));
    for (const name of readdirSync(home)) {
      assert.equal(statSync(join(home, name)).mode & 0o077, 0, name);
      const bytes = readFileSync(join(home, name));
      for (const secret of ["readable-secret", "other-secret", "third-secret"]) {
        for (const spelling of [
          secret,
          Buffer.from(secret).toString("base64").slice(0, 12),
          Buffer.from(secret).toString("hex"),
        ]) {
          assert.equal(bytes.includes(spelling), false, `${spelling} in ${name}`);
        }
      }
    }
    await store.close();
    assert.equal(statSync(join(home, "cameras.sqlite-wal"), { throwIfNoEntry: false })?.size ?? 0, 0);
  });

  const places: [string, string, RegExp][] = [
    ["a folder", "", /see that its path is right/],
    ["a file that is no database", "text", /no SQLite database/],
    ["a place below a file", "text/cameras.sqlite", /see that its path is right/],
  ];
  for (const [what, place, message] of places) {
    it(`says what is wrong with ${what}`, async () => {
      const home = mkdtempSync(join(folder, "place-"));
      writeFileSync(join(home, "text"), "no database at all\n".repeat(300));
      const database = { kind: "sqlite", path: join(home, place) } as const;
      await assert.rejects(CameraStore.open({ database, key: KEY }), { code: "STORE_FAILED", message });
    });
  }

  it("refuses a key of another length", async () => {
    const database = { kind: "sqlite", path: newFile() } as const;
    await assert.rejects(CameraStore.open({ database, key: new Uint8Array(16) }), { code: "SETTING_INVALID" });
  });
});

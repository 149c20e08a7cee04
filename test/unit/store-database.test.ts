import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import Database from "libsql";
import { CctvError } from "../../src/errors.ts";
import { openDatabase } from "../../src/store/database.ts";
import { openStoreWhenThere, pauseBeforeOpening } from "../../src/store/patient-open.ts";
import { Seal } from "../../src/store/seal.ts";
import { isPassing, storeFailure } from "../../src/store/store-failure.ts";
import { deriveStoreKey, keyFromFile, readKeyFile } from "../../src/store/store-key.ts";
import { Postgresql } from "../servers/postgresql.ts";

const KEY = new Uint8Array(32).fill(7);

describe("the database of the camera store", () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "store-database-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  describe("in a file", () => {
    it("is migrated whole or not at all", async () => {
      const path = join(folder, "half.sqlite");
      const database = new Database(path);
      // In the way of the migration's second table.
      database.exec("create table cctv_camera (id text)");
      database.close();
      await assert.rejects(openDatabase({ kind: "sqlite", path }), { code: "STORE_FAILED" });
      const after = new Database(path);
      const tables = after.prepare("select name from sqlite_master where type = 'table' order by name").all([]);
      after.close();
      assert.deepEqual(tables, [{ name: "cctv_camera" }, { name: "cctv_migration" }, { name: "cctv_migration_lock" }]);
    });

    it("writes ahead and waits for the disk", async () => {
      const db = await openDatabase({ kind: "sqlite", path: join(folder, "settings.sqlite") });
      const pragma = async (name: string) => {
        return (await sql.raw<Record<string, unknown>>(`pragma ${name}`).execute(db)).rows[0];
      };
      assert.deepEqual(await pragma("journal_mode"), { journal_mode: "wal" });
      // 2 is FULL.
      assert.deepEqual(await pragma("synchronous"), { synchronous: 2 });
      await db.destroy();
    });

    it("hands the driver nothing that would end the process", async () => {
      const db = await openDatabase({ kind: "sqlite", path: join(folder, "guarded.sqlite") });
      for (const value of [true, undefined, Number.NaN, {}, new Date()]) {
        const insert = db.insertInto("cctv_setting").values({ name: "x", value: value as string });
        await assert.rejects(insert.execute(), `${value}`);
      }
      await db.destroy();
    });
  });

  describe("on a PostgreSQL server", () => {
    let server: Postgresql;

    before(async function () {
      if (!Postgresql.available) this.skip();
      this.timeout(30_000);
      server = await Postgresql.start();
    });
    after(() => server?.stop());

    it("says what is wrong without the password", async () => {
      const cases: [string, RegExp][] = [
        [server.url("postgres", "wrong-secret"), /refuses user or password/],
        [server.url("nowhere"), /no such database/],
        ["postgresql://cctv:wrong-secret@127.0.0.1:1/postgres", /does not answer/],
      ];
      for (const [connectionString, message] of cases) {
        const failure = await openDatabase({ kind: "postgresql", connectionString }).then(
          () => assert.fail("it opened"),
          (error: CctvError) => error,
        );
        assert.equal(failure.code, "STORE_FAILED");
        assert.match(failure.message, message);
        assert.equal(failure.message.includes("secret"), false);
        assert.equal(failure.message.includes(server.password), false);
      }
    });

    it("is opened once it is there, and no more once nobody wants it", async () => {
      const connectionString = await server.newDatabase();
      const options = { database: { kind: "postgresql", connectionString }, key: KEY } as const;
      await server.pause();
      const failures: string[] = [];
      const { signal } = new AbortController();
      const opening = openStoreWhenThere(options, {
        signal,
        onWait: ({ code }) => {
          failures.push(code);
          void server.resume();
        },
      });
      const store = await opening;
      assert.deepEqual(await store.list(), []);
      await store.close();
      assert.equal(failures[0], "STORE_FAILED");

      await server.pause();
      const stop = new AbortController();
      const reason = new CctvError("STORE_FAILED", "nobody wants it any more");
      const waiting = openStoreWhenThere(options, { signal: stop.signal, onWait: () => stop.abort(reason) });
      await assert.rejects(waiting, reason);
      await server.resume();
    }).timeout(30_000);
  });

  for (const connectionString of [
    "",
    "mysql://u:secret@host/db",
    "postgresql://u:secret@ho st:x/db",
    "postgresql://u:se%cret@host:port/db",
  ]) {
    it(`refuses the connection string ${JSON.stringify(connectionString)} without repeating it`, async () => {
      await assert.rejects(
        openDatabase({ kind: "postgresql", connectionString }),
        (error: Error & { code: string }) => {
          assert.equal(error.code, "SETTING_INVALID");
          assert.doesNotMatch(JSON.stringify([error.message, error.stack, String(error.cause)]), /secret|se%cret/);
          return true;
        },
      );
    });
  }

  it("is tried again after pauses that grow to half a minute", () => {
    assert.deepEqual([1, 2, 3, 5, 6, 7, 60].map(pauseBeforeOpening), [1000, 2000, 4000, 16000, 30000, 30000, 30000]);
  });

  const failures: [string, object, RegExp, boolean][] = [
    ["a full disk", { code: "SQLITE_FULL" }, /make room/, false],
    ["a failing disk", { code: "SQLITE_IOERR_FSYNC" }, /make room/, false],
    ["a file that is held", { code: "SQLITE_BUSY" }, /another program/, true],
    ["a file that may not be written", { code: "EACCES" }, /permissions|may write/, false],
    ["a server that is starting", { code: "57P03" }, /tried again/, true],
    ["a host with several addresses", { errors: [{ code: "ECONNREFUSED" }] }, /does not answer/, true],
    ["a server that hangs", { message: "Query read timeout" }, /does not answer/, true],
    ["what nobody knows", { message: "boom" }, /boom/, false],
  ];
  for (const [what, fields, message, passes] of failures) {
    it(`says what to do about ${what}`, () => {
      const failure = storeFailure(Object.assign(new Error(), fields));
      assert.equal(failure.code, "STORE_FAILED");
      assert.match(failure.message, message);
      assert.equal(isPassing(failure), passes);
    });
  }
});

describe("the seal of the camera passwords", () => {
  const seal = new Seal(KEY);

  it("gives back what it sealed, for the same place and key alone", () => {
    for (const text of ["", "p@ss:w/o#r%d&+ü 門", "x".repeat(10_000)]) {
      const sealed = seal.close(text, "camera door");
      assert.equal(seal.open(sealed, "camera door"), text);
      assert.equal(seal.open(sealed, "camera yard"), undefined);
      assert.equal(new Seal(new Uint8Array(32)).open(sealed, "camera door"), undefined);
    }
  });

  it("seals the same text differently each time", () => {
    assert.notEqual(seal.close("same", "place"), seal.close("same", "place"));
  });

  it("opens nothing that was changed", () => {
    const sealed = seal.close("a text", "place");
    const bytes = Buffer.from(sealed.slice(3), "base64url");
    for (let index = 0; index < bytes.length; index++) {
      const changed = Buffer.from(bytes);
      changed[index] = (changed[index] ?? 0) ^ 1;
      assert.equal(seal.open(`v1.${changed.toString("base64url")}`, "place"), undefined);
    }
    for (const other of ["", "v1.", "v1.AAAA", "v2.AAAA", "a text", sealed.slice(0, -5)]) {
      assert.equal(seal.open(other, "place"), undefined);
    }
  });
});

describe("the key of the camera passwords", () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "store-key-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("is derived by HKDF with SHA-256, of its own for each secret", () => {
    // Computed with Python's hmac after RFC 5869.
    assert.equal(
      Buffer.from(deriveStoreKey("a secret")).toString("hex"),
      "1504d7ddfa5cd900e094d67f01d9db0054e438bf0ff918b204784fa31ce8d355",
    );
    assert.notDeepEqual(deriveStoreKey("a secret"), deriveStoreKey("b secret"));
  });

  it("is made once in a file for the owner alone", async () => {
    const path = join(folder, "new", "cameras.key");
    assert.equal(await readKeyFile(path), undefined);
    const key = await keyFromFile(path);
    assert.equal(key.length, 32);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(Buffer.from(await keyFromFile(path)), Buffer.from(key));
    assert.equal(readFileSync(path, "utf8").trim(), Buffer.from(key).toString("hex"));
  });

  it("is not made anew over a file that is damaged or cannot be read", async () => {
    const damaged = join(folder, "damaged.key");
    writeFileSync(damaged, "abc");
    await assert.rejects(keyFromFile(damaged), { code: "STORE_FAILED", message: /damaged/ });
    assert.equal(readFileSync(damaged, "utf8"), "abc");
    const directory = join(folder, "directory.key");
    mkdirSync(directory);
    await assert.rejects(keyFromFile(directory), { code: "STORE_FAILED" });
  });
});

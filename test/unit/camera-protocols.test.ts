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
    assert.deepEqual(registry.schemes, ["rtsp", "rtsps", "rtspx"]);
    takeBack();
    assert.equal(registry.forAddress("rtsp://a").name, "rtsp");
    assert.deepEqual(registry.schemes, ["rtsp", "rtsps"]);
  });
});

describe("RTSP protocol", () => {
  const resolve = (config: object) => rtspProtocol.resolve({ address: "rtsp://admin@10.0.0.9/x", ...config }, signal);

  it("keeps the credentials apart from all that is shown", async () => {
    const input = await resolve({ password: "p@ss" });
    assert.deepEqual([input.kind, input.host, input.port, input.path], ["rtsp", "10.0.0.9", 554, "/x"]);
    assert.equal(input.display, "rtsp://10.0.0.9:554/x");
    assert.deepEqual(input.credentials, { username: "admin", password: "p@ss" });
    assert.deepEqual(input.endpoint, { host: "10.0.0.9", port: 554 });
    assert.equal(input.live, true);
    assert.equal(input.tls, undefined);
  });

  it("takes any password, however long", async () => {
    const password = "ü".repeat(500);
    assert.equal((await resolve({ password })).credentials?.password, password);
  });

  it("looks for an IPv6 camera without the brackets", async () => {
    assert.equal((await resolve({ address: "rtsp://[fe80::1]/x" })).endpoint?.host, "fe80::1");
  });

  for (const [address, transport, port] of [
    ["rtsp://10.0.0.9/x", undefined, 554],
    ["rtsp://10.0.0.9/x", "udp", 554],
    ["rtsps://10.0.0.9/x", "tcp", 322],
    ["rtsp://10.0.0.9/x", "http", 80],
    ["RTSPS://10.0.0.9/x", "http", 443],
    ["rtsps://10.0.0.9:7441/x", "auto", 7441],
  ] as const) {
    it(`looks for ${address} by ${transport} at port ${port}`, async () => {
      const input = await resolve({ address, transport });
      assert.deepEqual([input.port, input.endpoint?.port, input.transport], [port, port, transport ?? "auto"]);
    });
  }

  for (const [certificate, rejectUnauthorized] of [
    [undefined, true],
    ["trusted", true],
    ["any", false],
  ] as const) {
    it(`with TLS and certificate ${certificate}`, async () => {
      assert.deepEqual((await resolve({ address: "rtsps://10.0.0.9/x", certificate })).tls, { rejectUnauthorized });
    });
  }

  it("refuses to send by UDP what is to be encrypted", async () => {
    await assert.rejects(resolve({ address: "rtsps://10.0.0.9/x", transport: "udp" }), withCode("SETTING_INVALID"));
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

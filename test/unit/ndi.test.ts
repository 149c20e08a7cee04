import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createNdiProtocol, ndiProtocol } from "../../src/camera/protocols/ndi/ndi-protocol.ts";
import { NdiRuntime } from "../../src/camera/protocols/ndi/ndi-runtime.ts";
import { type NdiPicture, reducedSize, toPackedRgb } from "../../src/camera/protocols/ndi/packed-rgb.ts";
import { explainMissingRuntime, runtimePlaces } from "../../src/camera/protocols/ndi/runtime-location.ts";
import { chooseSource, machineToAsk, readWanted } from "../../src/camera/protocols/ndi/source-choice.ts";
import type { RawPicture } from "../../src/camera/protocols/protocol.ts";
import { ProtocolRegistry } from "../../src/camera/protocols/registry.ts";
import type { CctvError, ErrorCode } from "../../src/errors.ts";
import type { Frame } from "../../src/frame/frame.ts";
import { CameraStream, type StreamState } from "../../src/stream/camera-stream.ts";
import { childrenOf } from "../servers/children.ts";
import { NdiStandIn } from "../servers/ndi-stand-in.ts";

const withCode = (code: ErrorCode, message: RegExp) => (error: CctvError) =>
  error.code === code && message.test(error.message);

describe("NDI source names", () => {
  const STUDIO_1 = { name: "STUDIO-PC (Camera 1)", address: "192.168.1.20:5961" };
  const STUDIO_2 = { name: "STUDIO-PC (Camera 2)", address: "192.168.1.20:5962" };
  const PHONE = { name: "PHONE (NDI HX (front))", address: "[fe80::7]:5961" };
  const ALL = [STUDIO_1, STUDIO_2, PHONE];

  for (const [address, wanted] of [
    ["ndi://STUDIO-PC (Camera 1)", "STUDIO-PC (Camera 1)"],
    [" NDI://STUDIO-PC%20(Camera%201) ", "STUDIO-PC (Camera 1)"],
    ["ndi://50% off", "50% off"],
    ["ndi:STUDIO-PC/Camera 1/", "STUDIO-PC/Camera 1"],
    ["ndi://", ""],
  ] as const) {
    it(`reads ${JSON.stringify(address)}`, () => assert.equal(readWanted(address), wanted));
  }

  it("refuses control characters", () =>
    assert.throws(() => readWanted("ndi://a%00b"), withCode("ADDRESS_INVALID", /characters/)));

  for (const [wanted, expected] of [
    ["studio-pc (camera 2)", { kind: "found", source: STUDIO_2, certain: true }],
    ["STUDIO-PC/Camera 2", { kind: "found", source: STUDIO_2, certain: true }],
    ["192.168.1.20/camera 1", { kind: "found", source: STUDIO_1, certain: true }],
    ["phone", { kind: "found", source: PHONE, certain: false }],
    ["NDI HX (front)", { kind: "found", source: PHONE, certain: false }],
    ["[fe80::7]", { kind: "found", source: PHONE, certain: false }],
    ["192.168.1.20", { kind: "several", sources: [STUDIO_1, STUDIO_2] }],
    ["", { kind: "several", sources: ALL }],
    ["Camera", { kind: "none" }],
  ] as const) {
    it(`chooses by "${wanted}"`, () => assert.deepEqual(chooseSource(wanted, ALL), expected));
  }

  it("takes the only one where none is named", () =>
    assert.deepEqual(chooseSource("", [PHONE]), { kind: "found", source: PHONE, certain: false }));

  for (const [wanted, machine] of [
    ["192.168.1.20/Camera 1", "192.168.1.20"],
    ["[fe80::7]", "fe80::7"],
    ["STUDIO-PC (Camera 1)", undefined],
    ["", undefined],
  ] as const) {
    it(`asks ${machine ?? "no machine"} directly for "${wanted}"`, () => assert.equal(machineToAsk(wanted), machine));
  }
});

describe("NDI runtime places", () => {
  for (const [platform, environment, first, last] of [
    ["linux", { NDI_RUNTIME_DIR_V6: "/opt/ndi" }, "/opt/ndi/libndi.so.6", "libndi.so.5"],
    ["linux", { NDI_RUNTIME_DIR_V5: "/opt/ndi" }, "/opt/ndi/libndi.so.5", "libndi.so.5"],
    ["linux", {}, "/usr/lib/libndi.so.6", "libndi.so.5"],
    ["darwin", {}, "/usr/local/lib/libndi.dylib", "libndi.dylib"],
    [
      "win32",
      { ProgramFiles: "D:\\Programs" },
      "D:\\Programs\\NDI\\NDI 6 Runtime\\v6\\Processing.NDI.Lib.x64.dll",
      "Processing.NDI.Lib.x64.dll",
    ],
  ] as const) {
    it(`looks on ${platform} with ${JSON.stringify(environment)}`, () => {
      const places = runtimePlaces(platform, environment);
      assert.deepEqual([places[0], places.at(-1)], [first, last]);
    });
  }

  for (const [platform, message] of [
    ["linux", /NDI SDK for Linux from ndi\.video.*NDI_RUNTIME_DIR_V6/],
    ["darwin", /NDI SDK for Apple/],
    ["win32", /NDI Tools/],
    ["sunos", /Linux, macOS and Windows/],
  ] as const) {
    it(`says what to install on ${platform}`, () => assert.match(explainMissingRuntime(platform).message, message));
  }

  it("says that a runtime is there but not for this processor", async () => {
    const folder = mkdtempSync(join(tmpdir(), "cctv-ndi-"));
    const file = join(folder, "libndi.so.6");
    writeFileSync(file, "no library");
    await assert.rejects(
      NdiRuntime.load({ platform: "linux", places: [file, "libcctv-no-such-library.so"] }),
      withCode("CAMERA_RUNTIME_MISSING", /is here but cannot be loaded \(.*libndi\.so\.6/),
    );
    rmSync(folder, { recursive: true });
  });

  it("says when the package that calls it is missing", () =>
    assert.rejects(
      NdiRuntime.load({ platform: "linux", places: [], importKoffi: () => Promise.reject(new Error("not found")) }),
      withCode("CAMERA_RUNTIME_MISSING", /npm install koffi/),
    ));
});

describe("NDI pixels", () => {
  const picture = (format: string, width: number, stride: number, data: number[]): NdiPicture => ({
    format,
    width,
    height: data.length / stride,
    stride,
    aspectRatio: 0,
    data: Uint8Array.from(data),
  });

  // Studio levels of BT.709: luma 16 to 235, colour difference 16 to 240 around 128.
  for (const [name, [blueness, luma, redness], expected] of [
    ["black", [128, 16, 128], [0, 0, 0]],
    ["white", [128, 235, 128], [255, 255, 255]],
    ["mid grey", [128, 126, 128], [128, 128, 128]],
    ["red", [102, 63, 240], [255, 0, 0]],
    ["green", [42, 173, 26], [0, 255, 0]],
    ["blue", [240, 32, 118], [0, 0, 255]],
    ["below black", [128, 0, 128], [0, 0, 0]],
    ["above white", [128, 255, 128], [255, 255, 255]],
  ] as const) {
    it(`reads ${name} in UYVY`, () => {
      const rgb = toPackedRgb(picture("UYVY", 2, 4, [blueness, luma, redness, luma]));
      assert.equal(rgb.length, 6);
      for (const [index, value] of rgb.entries()) {
        const wanted = expected[index % 3] ?? 0;
        assert.ok(Math.abs(value - wanted) <= 2, `${value} instead of ${wanted}`);
      }
    });
  }

  it("reads both luma values of a pair, rows with padding, and an odd width", () => {
    const row = [128, 16, 128, 235, 128, 126, 128, 0, 9, 9];
    const rgb = toPackedRgb(picture("UYVY", 3, 10, [...row, ...row]));
    const expected = [0, 0, 0, 255, 255, 255, 128, 128, 128];
    assert.deepEqual([...rgb], [...expected, ...expected]);
  });

  for (const [format, pixel] of [
    ["BGRA", [3, 2, 1, 99]],
    ["BGRX", [3, 2, 1, 0]],
    ["RGBA", [1, 2, 3, 99]],
    ["RGBX", [1, 2, 3, 0]],
  ] as const) {
    it(`reads ${format}`, () => {
      const rgb = toPackedRgb(picture(format, 1, 6, [...pixel, 7, 7, ...pixel, 7, 7]));
      assert.deepEqual([...rgb], [1, 2, 3, 1, 2, 3]);
    });
  }

  it("refuses another format", () =>
    assert.throws(() => toPackedRgb(picture("P216", 1, 4, [0, 0, 0, 0])), withCode("CAMERA_UNSUPPORTED", /"P216"/)));

  for (const [width, height, aspectRatio, longSide, expected] of [
    [1920, 1080, 16 / 9, 640, { width: 640, height: 360 }],
    [320, 180, 0, 640, { width: 320, height: 180 }],
    [1080, 1920, 0, 640, { width: 360, height: 640 }],
    [720, 480, 16 / 9, 1280, { width: 853, height: 480 }],
  ] as const) {
    it(`reduces ${width}x${height} of ${aspectRatio.toFixed(2)} to ${longSide}`, () =>
      assert.deepEqual(reducedSize({ width, height, aspectRatio }, longSide), expected));
  }
});

describe("NDI protocol", function () {
  this.timeout(15_000);
  let standIn: NdiStandIn;

  before(function () {
    if (!NdiStandIn.available) this.skip();
    standIn = new NdiStandIn();
  });
  after(() => standIn?.remove());
  afterEach(() => assert.deepEqual(childrenOf("ndi-process"), [], "no process is left over"));

  interface Wish {
    readonly address?: string;
    readonly stream?: "main" | "sub";
    readonly behaviour?: Record<string, string>;
    readonly fps?: number;
    readonly count?: number;
    readonly lingerMs?: number;
  }

  /** Takes so many pictures and stops. */
  const take = async (wish: Wish) => {
    const { address = "ndi://STUDIO-PC (Camera 1)", stream, behaviour, fps = 25, count = 4, lingerMs = 0 } = wish;
    const protocol = createNdiProtocol({ environment: standIn.environment(behaviour) });
    const closing = new AbortController();
    const input = await protocol.resolve({ address, stream }, closing.signal);
    const pictures: RawPicture[] = [];
    for await (const picture of input.pictures({ fps, longSide: 160 }, closing.signal)) {
      pictures.push(picture);
      if (pictures.length === count) closing.abort();
      await sleep(lingerMs);
    }
    return pictures;
  };

  const barOf = ({ data, width }: RawPicture) =>
    Array.from({ length: width }, (_, x) => data[x * 3] ?? 0).reduce(
      (best, value, x, row) => (value > (row[best] ?? 0) ? x : best),
      0,
    );

  it("declares what it takes", () =>
    assert.deepEqual([ndiProtocol.schemes, ndiProtocol.fields], [["ndi"], ["stream"]]));

  it("receives moving UYVY pictures at the lowest bandwidth, reduced, and gives every frame back", async () => {
    const pictures = await take({});
    for (const { data, width, height } of pictures) {
      assert.deepEqual([width, height, data.length], [160, 90, 160 * 90 * 3]);
    }
    assert.equal(new Set(pictures.map(barOf)).size, pictures.length, "the bar moves");
    const report = standIn.takeReport();
    assert.ok(report);
    assert.ok(report.captured >= 4);
    assert.equal(report.freed, report.captured);
    const { foreign, receivers, finders, bandwidth, color } = report;
    assert.deepEqual({ foreign, receivers, finders }, { foreign: 0, receivers: 0, finders: 0 });
    assert.deepEqual({ bandwidth, color }, { bandwidth: 0, color: 1 });
  });

  it("receives BGRA, and the full picture as main stream", async () => {
    const [picture] = await take({ address: "ndi://studio-pc/camera%202", stream: "main", count: 1 });
    assert.ok(picture);
    const { data, width } = picture;
    assert.deepEqual([...data.subarray((width - 1) * 3, width * 3)], [200, 20, 10]);
    assert.equal(standIn.takeReport()?.bandwidth, 100);
  });

  it("asks a machine of another network by its IP address", async () => {
    assert.equal((await take({ address: "ndi://192.0.2.20", count: 1 })).length, 1);
  });

  it("takes the only source where none is named", async () => {
    assert.equal((await take({ address: "ndi://", behaviour: { STAND_IN_SOURCES: "1" }, count: 1 })).length, 1);
  });

  it("gives no more than the wanted rate", async () => {
    const start = performance.now();
    await take({ fps: 5, count: 5 });
    const elapsed = performance.now() - start;
    assert.ok(elapsed > 700, `5 pictures in ${elapsed} ms`);
  });

  it("keeps nothing for a slow reader: the next picture is a new one", async () => {
    const bars = (await take({ count: 3, lingerMs: 400 })).map(barOf);
    // Of at most 50 frames a second, each with the bar a pixel on, about twenty pass in 400 ms.
    const steps = bars.slice(1).map((bar, index) => (bar - (bars[index] ?? 0) + 160) % 160);
    assert.ok(
      steps.every((step) => step >= 8),
      `the bar went ${steps}`,
    );
    const report = standIn.takeReport();
    assert.equal(report?.freed, report?.captured);
  });

  for (const [name, behaviour] of [
    ["the runtime reports an error", { STAND_IN_LOSE_AFTER: "5" }],
    ["nobody is connected any more", { STAND_IN_FADE_AFTER: "5" }],
  ] as const) {
    it(`says that the source is gone when ${name}`, async () => {
      await assert.rejects(take({ behaviour, count: 99 }), withCode("STREAM_LOST", /"STUDIO-PC \(Camera 1\)" is gone/));
      const report = standIn.takeReport();
      assert.deepEqual([report?.freed, report?.receivers], [5, 0]);
    });
  }

  it("survives a runtime that crashes", () =>
    assert.rejects(
      take({ behaviour: { STAND_IN_CRASH_AFTER: "3" }, count: 99 }),
      withCode("STREAM_LOST", /ended unexpectedly \(SIGABRT/),
    ));

  for (const [address, message] of [
    ["ndi://STUDIO-PC", /2 NDI sources fit.*"STUDIO-PC \(Camera 1\)", "STUDIO-PC \(Camera 2\)"/],
    ["ndi://", /2 NDI sources fit/],
  ] as const) {
    it(`lists the sources where ${address} fits several`, () =>
      assert.rejects(take({ address }), withCode("CAMERA_NOT_FOUND", message)));
  }

  it("lists the sources where none has the name", () =>
    assert.rejects(
      take({ address: "ndi://Nobody" }),
      withCode("CAMERA_NOT_FOUND", /no NDI source is called "Nobody".*"STUDIO-PC \(Camera 1\)"/),
    ));

  it("stops while it still looks for a source", async () => {
    const protocol = createNdiProtocol({ environment: standIn.environment() });
    const closing = new AbortController();
    const input = await protocol.resolve({ address: "ndi://Nobody" }, closing.signal);
    setTimeout(() => closing.abort(), 500);
    for await (const _ of input.pictures({ fps: 5, longSide: 160 }, closing.signal)) assert.fail("a picture");
    assert.equal(standIn.takeReport()?.finders, 0);
  });

  it("says what to install where there is no runtime", async () => {
    // Another system's: this machine may have one for its own.
    const protocol = createNdiProtocol({ platform: "win32" });
    const { signal } = new AbortController();
    const input = await protocol.resolve({ address: "ndi://Door" }, signal);
    const first = input.pictures({ fps: 5, longSide: 160 }, signal)[Symbol.asyncIterator]().next();
    await assert.rejects(
      first,
      withCode("CAMERA_RUNTIME_MISSING", /not on this machine: install NDI Tools .*ndi\.video/),
    );
  });

  it("plays as a stream, is lost and comes back", async () => {
    const environment = standIn.environment({ STAND_IN_LOSE_AFTER: "10" });
    const stream = new CameraStream({
      camera: { id: "studio", name: "Studio", location: "hall", site: "works" },
      address: "ndi://STUDIO-PC (Camera 1)",
      fps: 25,
      longSide: 160,
      random: () => 0,
      registry: new ProtocolRegistry([createNdiProtocol({ environment })]),
    });
    const states: StreamState[] = [];
    stream.on("state", (state) => states.push(state));
    stream.start();
    const [frame] = (await once(stream, "frame")) as [Frame];
    const age = Date.now() - frame.timestamp;
    assert.ok(age >= 0 && age < 1_000, `a frame of ${age} ms ago`);
    while (states.filter(({ state }) => state === "live").length < 2) await once(stream, "state");
    await stream.close();
    assert.equal(states.find(({ state }) => state === "waiting")?.reason?.code, "STREAM_LOST");
    assert.equal(stream.health().reconnects, 1);
  });
});

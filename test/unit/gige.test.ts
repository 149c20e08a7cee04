import assert from "node:assert/strict";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import sharp from "sharp";
import { readGigeAddress } from "../../src/camera/protocols/gige/gige-address.ts";
import { createGigeProtocol, gigeProtocol } from "../../src/camera/protocols/gige/gige-protocol.ts";
import { GstLaunch } from "../../src/camera/protocols/gige/gst-launch.ts";
import { explainGStreamer, seenCameras } from "../../src/camera/protocols/gige/gstreamer-failure.ts";
import { lookArguments, PIXELS, readCaps, streamArguments } from "../../src/camera/protocols/gige/pipeline.ts";
import { ProtocolRegistry } from "../../src/camera/protocols/registry.ts";
import type { CctvError, ErrorCode } from "../../src/errors.ts";
import type { Frame } from "../../src/frame/frame.ts";
import { CameraStream, type StreamStatus } from "../../src/stream/camera-stream.ts";
import { childrenOf } from "../servers/children.ts";
import { FakeGigeCamera, LoopbackGstLaunch } from "../servers/gige.ts";

const withCode = (code: ErrorCode, message: RegExp) => (error: CctvError) =>
  error.code === code && message.test(error.message);

describe("GigE Vision address", () => {
  for (const [text, expected] of [
    ["gige://", { camera: "" }],
    [" GIGE://Basler-21234567/ ", { camera: "Basler-21234567" }],
    ["gige:192.168.1.50", { camera: "192.168.1.50" }],
    ["gige://till%20%231", { camera: "till #1" }],
    ["gige://?fps=10", { camera: "", fps: 10 }],
    [
      "gige://x?width=640&height=480&packet-size=1400&packet-delay=2000",
      { camera: "x", width: 640, height: 480, packetSize: 1400, packetDelay: 2000 },
    ],
  ] as const) {
    it(`reads ${JSON.stringify(text)}`, () => assert.deepEqual(readGigeAddress(text), expected));
  }

  for (const [text, message] of [
    ["gige://a ! filesink location=/b", /characters/],
    ['gige://a" b', /characters/],
    ["gige://a%0ab", /characters/],
    ["gige://a?exposure=3", /"exposure", which is not known; it takes width, height, fps/],
    ["gige://a?fps=1000000", /"fps" of the address takes a whole number from 1 to 1000/],
    ["gige://a?packet-size=1400 name=b", /"packet-size"/],
  ] as const) {
    it(`refuses ${JSON.stringify(text)}`, () =>
      assert.throws(() => readGigeAddress(text), withCode("ADDRESS_INVALID", message)));
  }
});

describe("GigE Vision pipeline", () => {
  const BAYER = {
    isBayer: true,
    text: "video/x-bayer, format=(string)rggb, width=(int)2448, height=(int)2048, framerate=(fraction)35/1",
    width: 2448,
    height: 2048,
  } as const;

  it("looks at the camera with what the address sets", () => {
    const address = { camera: "Basler-1", width: 640, fps: 10, packetSize: 1400 };
    assert.deepEqual(lookArguments(address, "video/x-raw"), [
      ...["-v", "aravissrc", "name=camera", "camera-name=Basler-1", "packet-size=1400", "num-buffers=1"],
      ...["!", "video/x-raw,width=640,framerate=10/1", "!", "fakesink"],
    ]);
  });

  it("reads what the camera sends", () => {
    const line = `/GstPipeline:pipeline0/GstAravis:camera.GstPad:src: caps = ${BAYER.text}`;
    assert.deepEqual(readCaps(line), BAYER);
  });

  for (const line of [
    `/GstPipeline:pipeline0/GstCapsFilter:capsfilter0.GstPad:src: caps = ${BAYER.text}`,
    "/GstPipeline:pipeline0/GstAravis:camera.GstPad:src: caps = video/x-raw, format=(string)GRAY8",
    "Setting pipeline to PAUSED ...",
  ]) {
    it(`passes over ${line.slice(0, 60)}`, () => assert.equal(readCaps(line), undefined));
  }

  it("asks the camera for exactly what it sends, and scales afterwards", () => {
    const all = streamArguments({ camera: "" }, BAYER, { fps: 2.4, longSide: 640 });
    assert.ok(all.includes(`${BAYER.text}, pixel-aspect-ratio=(fraction)1/1`));
    assert.ok(all.includes("video/x-raw,width=640,height=535"));
    assert.ok(all.includes("max-rate=5"));
    assert.ok(all.includes("bayer2rgb"));
    assert.ok(!all.some((part) => part.startsWith("camera-name")));
  });

  it("neither enlarges nor converts what needs it not", () => {
    const grey = { isBayer: false, text: "video/x-raw, format=(string)GRAY8", width: 320, height: 240 } as const;
    const all = streamArguments({ camera: "" }, grey, { fps: 0.1, longSide: 640 });
    assert.ok(all.includes("video/x-raw,width=320,height=240"));
    assert.ok(all.includes("max-rate=1"));
    assert.ok(!all.includes("bayer2rgb"));
  });
});

describe("GStreamer's words", () => {
  const error = (text: string) => `ERROR: from element /GstPipeline:pipeline0/GstAravis:camera: ${text}`;
  const found = (name: string) => `interface> [GvInterface::discovery] Device '${name}' found (interface 192.0.2.2)`;

  it("lists the cameras that were seen, each once", () =>
    assert.deepEqual(seenCameras([found("Basler-1"), found("Basler-1"), "x", found("FLIR-2")]), [
      "Basler-1",
      "FLIR-2",
    ]));

  for (const [lines, code, message] of [
    [['WARNING: erroneous pipeline: no element "aravissrc"'], "CAMERA_RUNTIME_MISSING", /Debian: libaravis-0\.8-0/],
    [['WARNING: erroneous pipeline: no element "bayer2rgb"'], "CAMERA_RUNTIME_MISSING", /gstreamer1\.0-plugins-bad\)/],
    [[error('Could not find camera "x": no')], "CAMERA_NOT_FOUND", /none was found; check the cable/],
    [
      [found("Basler-1"), error('Could not find camera "x": no')],
      "CAMERA_NOT_FOUND",
      /found were "Basler-1": enter one/,
    ],
    [
      [error('Could not set caps on camera "x": Controller privilege required for streaming control')],
      "CAMERA_REFUSED",
      /another program/,
    ],
    [[error("Internal data stream error.")], "STREAM_LOST", /sends no more pictures/],
    [[error("Could not read features.")], "STREAM_LOST", /\(Could not read features\)/],
    [[], "STREAM_LOST", /sends no more pictures/],
  ] as const) {
    it(`makes ${code} of ${lines.join(" ") || "silence"}`, () =>
      assert.ok(withCode(code, message)(explainGStreamer(lines, "gige://x"))));
  }
});

async function reaches(stream: CameraStream, status: StreamStatus): Promise<void> {
  while (stream.state.state !== status) await once(stream, "state");
}

describe("GigE Vision protocol", function () {
  this.timeout(30_000);
  let camera: FakeGigeCamera;
  let launch: LoopbackGstLaunch;
  let stream: CameraStream | undefined;

  const resolve = (address: string, signal: AbortSignal, longSide = 128) =>
    createGigeProtocol({ program: launch.program }).resolve({ address, longSide }, signal);

  const take = async (address: string, { count = 3, fps = 5, longSide = 128 } = {}) => {
    const closing = new AbortController();
    const input = await resolve(address, closing.signal, longSide);
    const jpegs: Buffer[] = [];
    for await (const jpeg of input.jpegs(fps, closing.signal)) {
      jpegs.push(jpeg);
      if (jpegs.length === count) closing.abort();
    }
    return jpegs;
  };

  it("declares what it takes", () => assert.deepEqual([gigeProtocol.schemes, gigeProtocol.fields], [["gige"], []]));

  it("says what to install where there is no GStreamer", async () => {
    const { signal } = new AbortController();
    const input = await createGigeProtocol({ program: "/nowhere/gst-launch-1.0" }).resolve(
      { address: "gige://" },
      signal,
    );
    await assert.rejects(
      input.jpegs(5, signal)[Symbol.asyncIterator]().next(),
      withCode("CAMERA_RUNTIME_MISSING", /apt install gstreamer1\.0-tools .*libaravis-0\.8-0/),
    );
  });

  describe("with Aravis' fake camera", () => {
    before(async function () {
      if (!FakeGigeCamera.available) this.skip();
      launch = new LoopbackGstLaunch();
      camera = await FakeGigeCamera.start();
    });
    after(async () => {
      await camera?.stop();
      launch?.remove();
    });
    afterEach(async () => {
      await stream?.close();
      assert.deepEqual(childrenOf("gst-launch-1.0"), [], "no process is left over");
    });

    it("receives the colours of a Bayer sensor, by name, reduced", async () => {
      const jpegs = await take(`gige://Aravis-Fake-${camera.serial}?width=256&height=192`);
      for (const jpeg of jpegs) {
        const { width, height, channels, format } = await sharp(jpeg).metadata();
        assert.deepEqual([width, height, channels, format], [128, 96, 3, "jpeg"]);
      }
      assert.notDeepEqual(jpegs[0], jpegs[2], "the picture moves");
    });

    for (const [index, format] of ["bggr", "RGB", "GRAY8"].entries()) {
      it(`asks for ${format} as pixels number ${index + 1}`, async () => {
        const address = readGigeAddress("gige://127.0.0.1?width=256&height=192");
        const look = new GstLaunch(launch.program, lookArguments(address, PIXELS[index] ?? "video/x-raw"));
        const said = await text(look.output);
        await look.ended;
        const caps = said.split("\n").map(readCaps).find(Boolean);
        assert.match(caps?.text ?? "", new RegExp(`format=\\(string\\)${format}, width=\\(int\\)256`));
      });
    }

    it("finds it by its serial number alone, and keeps the size that was set", async () => {
      const [jpeg] = await take(`gige://${camera.serial}`, { count: 1, longSide: 640 });
      const { width, height } = await sharp(jpeg).metadata();
      assert.deepEqual([width, height], [256, 192]);
    });

    it("lists what there is where no camera has the name", () =>
      assert.rejects(
        take("gige://Nobody-1"),
        withCode("CAMERA_NOT_FOUND", new RegExp(`found were "Aravis-Fake-${camera.serial}"`)),
      ));

    it("stops while it looks", async () => {
      const closing = new AbortController();
      const input = await resolve("gige://127.0.0.1", closing.signal);
      setTimeout(() => closing.abort(), 200);
      for await (const _ of input.jpegs(5, closing.signal)) assert.fail("a picture");
    });

    it("says that the camera has no such format", () =>
      assert.rejects(take("gige://127.0.0.1?width=30000"), withCode("CAMERA_UNSUPPORTED", /take width/)));

    it("plays as a stream, is lost and comes back", async () => {
      stream = new CameraStream({
        camera: { id: "line", name: "Line", location: "hall", site: "works" },
        address: "gige://127.0.0.1?width=256&height=192",
        fps: 5,
        longSide: 128,
        random: () => 0,
        registry: new ProtocolRegistry([createGigeProtocol({ program: launch.program })]),
      });
      stream.start();
      const [frame] = (await once(stream, "frame")) as [Frame];
      assert.deepEqual([frame.width, frame.height], [128, 96]);
      const { serial } = camera;
      await camera.stop();
      await reaches(stream, "waiting");
      assert.equal(stream.state.reason?.code, "STREAM_LOST");
      camera = await FakeGigeCamera.start(serial);
      await reaches(stream, "live");
      assert.equal(stream.health().reconnects, 1);
    });
  });
});

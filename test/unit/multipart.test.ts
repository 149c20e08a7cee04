import assert from "node:assert/strict";
import sharp from "sharp";
import { boundaryOf, MultipartReader, type Part } from "../../src/camera/http/multipart.ts";
import { CctvError } from "../../src/errors.ts";
import { seededRandom } from "./seeded-random.ts";

type Piece = string | Buffer;
const bytes = (...pieces: Piece[]) => Buffer.concat(pieces.map((piece) => Buffer.from(piece as string, "latin1")));

function read(data: Buffer, boundary: string | undefined, step = data.length, maxPartBytes?: number): Part[] {
  const reader = new MultipartReader({ boundary, ...(maxPartBytes && { maxPartBytes }) });
  const parts: Part[] = [];
  for (let at = 0; at < data.length; at += step) parts.push(...reader.push(data.subarray(at, at + step)));
  return [...parts, ...reader.end()];
}

describe("multipart", () => {
  let red: Buffer;
  let blue: Buffer;
  before(async () => {
    const picture = (background: string) => sharp({ create: { width: 64, height: 48, channels: 3, background } });
    const thumbnail = await picture("green").jpeg().toBuffer();
    red = await picture("red").jpeg().toBuffer();
    blue = await picture("blue").jpeg({ progressive: true }).toBuffer();
    // As EXIF has it: a whole JPEG, with an end of its own, inside a segment.
    const segment = Buffer.concat([Buffer.from([0xff, 0xe1, 0, 0]), thumbnail]);
    segment.writeUInt16BE(thumbnail.length + 2, 2);
    red = Buffer.concat([red.subarray(0, 2), segment, red.subarray(2)]);
  });

  const type = "Content-Type: image/jpeg\r\n";
  const length = (body: Buffer, error = 0) => `Content-Length: ${body.length + error}\r\n`;
  const quirks: Record<string, (a: Buffer, b: Buffer) => Buffer> = {
    "as the standard says": (a, b) =>
      bytes("--b\r\n", type, length(a), "\r\n", a, "\r\n--b\r\n", type, length(b), "\r\n", b, "\r\n--b--\r\n"),
    "with another boundary on the wire": (a, b) =>
      bytes("--other\r\n", type, "\r\n", a, "\r\n--other\r\n", type, "\r\n", b, "\r\n"),
    "without dashes": (a, b) => bytes("b\r\n", type, "\r\n", a, "\r\nb\r\n", type, "\r\n", b, "\r\n"),
    "with a space in the boundary": (a, b) =>
      bytes("-- b\r\n", type, "\r\n", a, "\r\n-- b\r\n", type, "\r\n", b, "\r\n"),
    "without Content-Length": (a, b) => bytes("--b\r\n", type, "\r\n", a, "\r\n--b\r\n", type, "\r\n", b),
    "with a Content-Length too small": (a, b) =>
      bytes("--b\r\n", type, length(a, -9), "\r\n", a, "\r\n--b\r\n", type, length(b, -9), "\r\n", b),
    "with a Content-Length too large": (a, b) =>
      bytes("--b\r\n", type, length(a, 999), "\r\n", a, "\r\n--b\r\n", type, length(b, 999), "\r\n", b),
    "with line feeds alone": (a, b) =>
      bytes("--b\nContent-Type: image/jpeg\n\n", a, "\n--b\nContent-Type: image/jpeg\n\n", b, "\n"),
    "with rubbish around": (a, b) =>
      bytes(
        "hello\r\n\r\n<p>\r\n--b\r\n",
        type,
        "\r\n",
        a,
        "\0\0\0\r\nmore\r\n--b\r\n",
        type,
        "\r\n",
        b,
        "\r\n--b--\r\nbye",
      ),
    "with stray answers": (a, b) =>
      bytes(
        "HTTP/1.1 200 OK\r\nServer: x\r\n\r\n--b\r\n",
        type,
        "\r\n",
        a,
        "\r\nHTTP/1.1 200 OK\r\nContent-Type: multipart/mixed\r\n\r\n--b\r\n",
        type,
        "\r\n",
        b,
      ),
    "with an empty line too many": (a, b) =>
      bytes("--b\r\n", type, "\r\n\r\n", a, "\r\n\r\n--b\r\n", type, "\r\n\r\n", b),
    "without any headers": (a, b) => bytes("--b\r\n\r\n", a, "\r\n--b\r\n\r\n", b),
    "without any boundary": (a, b) => bytes(a, b),
  };
  for (const [what, make] of Object.entries(quirks)) {
    for (const step of [1, 7, 1000, 1e6]) {
      it(`reads JPEGs ${what}, ${step} bytes at a time`, () => {
        const parts = read(make(red, blue), "b", step);
        assert.deepEqual(
          parts.map(({ body }) => body.length),
          [red.length, blue.length],
        );
        assert.ok(parts[0]?.body.equals(red) && parts[1]?.body.equals(blue));
      });
    }
  }

  it("goes on with the next picture after one that lost its end", () => {
    const data = bytes("--b\r\n", type, "\r\n", red.subarray(0, -200), "\r\n--b\r\n", type, "\r\n", blue, "\r\n");
    assert.ok(read(data, "b").some(({ body }) => body.equals(blue)));
  });

  it("gives a picture without an end marker as far as its boundary", () => {
    const cut = red.subarray(0, -2);
    const parts = read(bytes("--b\r\n", type, "\r\n", cut, "\r\n--b\r\n", type, "\r\n", blue), "b");
    assert.deepEqual(
      parts.map(({ body }) => body.length),
      [cut.length, blue.length],
    );
  });

  for (const [what, after] of [
    ["the end of the line", "\r\n"],
    ["a boundary", "\r\n--b\r\nContent-Length: 9\r\n\r\n"],
    ["a boundary at once", "--b\r\nContent-Length: 9\r\n\r\n"],
  ] as const) {
    for (const step of [1, 7, 1e6]) {
      it(`does not wait for the end of a picture that has none, but a length and ${what}, ${step} bytes at a time`, () => {
        const cut = red.subarray(0, -2);
        const [first] = read(bytes("--b\r\n", type, length(cut), "\r\n", cut, after), "b", step);
        assert.equal(first?.body.length, cut.length);
      });
    }
  }

  const events: [what: string, data: string, ...bodies: string[]][] = [
    [
      "by Content-Length",
      "--b\r\nContent-Length: 3\r\n\r\none\r\n--b\r\nContent-Length: 3\r\n\r\ntwo\r\n",
      "one",
      "two",
    ],
    ["by the next boundary", "--b\r\nX: 1\r\n\r\none\r\n1\r\n--b\r\nX: 2\r\n\r\ntwo\r\n--b\r\n", "one\r\n1", "two"],
    [
      "with a Content-Length too large",
      "--b\r\nContent-Length: 99\r\n\r\none\r\n--b\r\nContent-Length: 3\r\n\r\ntwo",
      "one",
      "two",
    ],
    ["by another boundary", "--x\r\nX: 1\r\n\r\none\r\n--x\r\nX: 2\r\n\r\ntwo\r\n--x--\r\n", "one", "two"],
    ["of no bytes", "--b\r\nContent-Length: 0\r\n\r\n--b\r\nContent-Length: 3\r\n\r\ntwo", "", "two"],
    [
      "as Dahua sends events: data over several lines, a heartbeat, a boundary with a space",
      '-- myboundary\r\nContent-Type: text/plain\r\nContent-Length:46\r\n\r\nCode=VideoMotion;action=Start;data={\n"a": 1\n}\n\r\n\r\n-- myboundary\r\nContent-Type: text/plain\r\nContent-Length:9\r\n\r\nHeartbeat\r\n\r\n',
      'Code=VideoMotion;action=Start;data={\n"a": 1\n}\n',
      "Heartbeat",
    ],
    ["up to the end", "--b\r\nX: 1\r\n\r\none", "one"],
  ];
  for (const [what, data, ...bodies] of events) {
    for (const step of [1, 5, 1e6]) {
      it(`reads texts ${what}, ${step} bytes at a time`, () => {
        assert.deepEqual(
          read(bytes(data), "b", step).map(({ body }) => body.toString()),
          bodies,
        );
      });
    }
  }

  for (const step of [1, 100, 1e6]) {
    it(`reads a JPEG that follows an event, as Hikvision sends them, ${step} bytes at a time`, () => {
      const event = "<EventNotificationAlert>\r\n<eventType>linedetection</eventType>\r\n</EventNotificationAlert>\r\n";
      const head = `--boundary\r\nContent-Type: application/xml; charset="UTF-8"\r\nContent-Length: ${event.length}\r\n\r\n`;
      const picture = bytes(
        "--boundary\r\nContent-Disposition: form-data;\r\n",
        type,
        length(red),
        "\r\n",
        red,
        "\r\n",
      );
      const data = bytes(head, event, picture, head, event);
      const parts = read(data, "MIME_boundary", step);
      assert.deepEqual(
        parts.map(({ body }) => body.toString("latin1")),
        [event, red.toString("latin1"), event],
      );
      assert.equal(parts[1]?.headers["content-disposition"], "form-data;");
    });
  }

  it("gives the headers by lower-case name", () => {
    const [part] = read(bytes("--b\r\nContent-Type:text/xml\r\nX-Y : z\r\nContent-Length: 1\r\n\r\na"), "b");
    assert.deepEqual({ ...part?.headers }, { "content-type": "text/xml", "x-y": "z", "content-length": "1" });
  });

  for (const [contentType, boundary] of [
    ["multipart/x-mixed-replace; boundary=b", "b"],
    ['multipart/x-mixed-replace;boundary="my b"', "my b"],
    ["multipart/mixed; BOUNDARY=-- myboundary ; x=y", "-- myboundary"],
    ["multipart/x-mixed-replace", undefined],
    ["multipart/x-mixed-replace; boundary=", undefined],
  ] as const) {
    it(`finds the boundary in ${contentType}`, () => assert.equal(boundaryOf(contentType), boundary));
  }

  it("ends at a part that is too large, with and without a length", () => {
    const endless = Buffer.alloc(64 * 1024, 0x61);
    for (const head of ["", "Content-Length: 999999999\r\n"]) {
      const reader = new MultipartReader({ boundary: "b", maxPartBytes: 1024 * 1024 });
      reader.push(bytes("--b\r\n", head, "X: 1\r\n\r\n"));
      assert.throws(
        () => {
          for (let i = 0; i < 20; i++) reader.push(endless);
        },
        (error: CctvError) => error.code === "STREAM_LOST",
      );
    }
  });

  it("takes no time and no harm from 10,000 damaged streams", function () {
    this.timeout(30_000);
    const random = seededRandom(7);
    const pick = (below: number) => Math.floor(random() * below);
    const makers = Object.values(quirks);
    const scraps = [
      Buffer.from("--b\r\n"),
      Buffer.from("\r\n\r\n"),
      Buffer.from([0xff, 0xd8, 0xff]),
      Buffer.from("Content-Length: 7\r\n"),
      Buffer.from([0xff, 0xda, 0, 0]),
    ];
    for (let round = 0; round < 10_000; round++) {
      let data = makers[pick(makers.length)]?.(red, blue) ?? Buffer.alloc(0);
      for (let damage = pick(6); damage >= 0; damage--) {
        const at = pick(data.length);
        if (random() < 0.4) data[at] = pick(256);
        else if (random() < 0.5) data = Buffer.concat([data.subarray(0, at), data.subarray(at + pick(300))]);
        else data = Buffer.concat([data.subarray(0, at), scraps[pick(scraps.length)] ?? data, data.subarray(at)]);
        if (data.length === 0) data = Buffer.from("x");
      }
      try {
        const parts = read(data, "b", 1 + pick(data.length), 4096);
        assert.ok(parts.reduce((sum, { body }) => sum + body.length, 0) <= data.length);
      } catch (error) {
        if (!(error instanceof CctvError)) throw error;
      }
    }
  });
});

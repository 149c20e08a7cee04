import assert from "node:assert/strict";
import { first } from "../../src/camera/rtsp/rtsp-headers.ts";
import {
  type RtspItem,
  RtspReader,
  writeFrame,
  writeRequest,
  writeResponse,
} from "../../src/camera/rtsp/rtsp-message.ts";
import { parseTransport } from "../../src/camera/rtsp/transport.ts";
import type { CctvError, ErrorCode } from "../../src/errors.ts";

const read = (parts: readonly (string | Buffer)[], reader = new RtspReader({ where: "rtsp://camera/x" })) => {
  const items: RtspItem[] = [];
  for (const part of parts) {
    reader.append(Buffer.from(part as string, "latin1"));
    for (let item = reader.next(); item; item = reader.next()) items.push(item);
  }
  return items;
};
const refused = (code: ErrorCode, message: RegExp) => (error: CctvError) =>
  error.code === code && message.test(error.message);
/** One byte at a time. */
const bytes = (whole: Buffer) => Array.from(whole, (byte) => Buffer.from([byte]));

describe("RTSP messages", () => {
  const frame = Buffer.from([0x80, 96, 0, 1, 13, 10, 13, 10]);
  const stream = Buffer.concat([
    Buffer.from("\r\nRTSP/1.0 200 OK\r\nCSEQ: 3\r\ncontent-length:5\r\nX-Long: a\r\n  b\r\n\r\nhello"),
    writeFrame(1, frame),
    Buffer.from("OPTIONS * RTSP/1.0\nCSeq: 9\n\n"),
    writeFrame(0, Buffer.alloc(0)),
    Buffer.from(
      "rtsp/1.0 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nwww-authenticate : Digest x\r\nnonsense\r\n\r\n",
    ),
  ]);

  for (const [how, parts] of [
    ["in one packet", [stream]],
    ["byte by byte", bytes(stream)],
  ] as const) {
    it(`reads answers, questions and frames ${how}`, () => {
      const [answer, rtcp, question, empty, refusal, ...more] = read(parts);
      assert.ok(answer?.kind === "response" && answer.status === 200 && answer.reason === "OK");
      assert.equal(answer.body.toString(), "hello");
      assert.deepEqual([first(answer.headers, "cseq"), first(answer.headers, "x-long")], ["3", "a b"]);
      assert.deepEqual(rtcp, { kind: "frame", channel: 1, data: frame });
      assert.ok(question?.kind === "request" && question.method === "OPTIONS" && question.uri === "*");
      assert.ok(empty?.kind === "frame" && empty.data.length === 0);
      assert.ok(refusal?.kind === "response" && refusal.status === 401);
      assert.deepEqual(refusal.headers.get("www-authenticate"), ["Basic", "Digest x"]);
      assert.deepEqual(more, []);
    });
  }

  it("takes a description without a length when silence follows", () => {
    const reader = new RtspReader({ where: "camera" });
    assert.deepEqual(read(["RTSP/1.0 200 OK\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n", "m=x"], reader), []);
    assert.equal(reader.awaitsSilence, true);
    reader.endBody();
    const item = reader.next();
    assert.ok(item?.kind === "response" && item.body.toString() === "v=0\r\nm=x");
    assert.equal(reader.awaitsSilence, false);
  });

  it("reads what it writes", () => {
    const [question, answer, data] = read([
      writeRequest("PLAY", "rtsp://camera/x", { CSeq: "1", Session: undefined, Authorization: "Basic x" }),
      writeResponse(200, "OK", { CSeq: "1" }, "ü"),
      writeFrame(255, Buffer.alloc(65_535, 1)),
    ]);
    assert.ok(question?.kind === "request" && question.headers.size === 2);
    assert.ok(answer?.kind === "response" && answer.body.toString("latin1") === "ü");
    assert.ok(data?.kind === "frame" && data.channel === 255 && data.data.length === 65_535);
  });

  for (const [what, text, message] of [
    ["a web server", "HTTP/1.1 400 Bad Request\r\n", /web server/],
    ["another protocol", "SSH-2.0-OpenSSH_9.2\r\n", /does not speak RTSP/],
    ["a greeting without an end", "\x15\x03\x01\x02\x02", /does not speak RTSP/],
    ["a text", "hello world\n", /does not speak RTSP/],
    ["an endless header", `RTSP/1.0 200 OK\r\n${"X: 1234567890\r\n".repeat(5_000)}`, /more than/],
    ["an endless line", `RTSP/1.0 200 OK\r\nX: ${"x".repeat(70_000)}`, /more than/],
    ["a huge body", "RTSP/1.0 200 OK\r\nContent-Length: 300000000\r\n\r\n", /more than/],
    [
      "an endless description",
      `RTSP/1.0 200 OK\r\nContent-Type: application/sdp\r\n\r\n${"a=x\r\n".repeat(60_000)}`,
      /more than/,
    ],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.throws(() => read([text]), refused("CAMERA_REFUSED", message));
      assert.throws(() => read(bytes(Buffer.from(text, "latin1"))), refused("CAMERA_REFUSED", message));
    });
  }

  it("skips rubbish between packets when told to, within bounds", () => {
    const reader = new RtspReader({ where: "camera" });
    reader.resynchronise();
    const parts = [writeFrame(0, frame), Buffer.from([1, 2, 0xff]), Buffer.from("abc$d$100"), writeFrame(0, frame)];
    assert.equal(read([Buffer.concat(parts)], reader).length, 2);
    assert.throws(() => read(Array(40).fill(Buffer.alloc(8_192, 1)), reader), refused("CAMERA_REFUSED", /RTSP/));
  });
});

describe("Transport header", () => {
  for (const [header, channels, ports, source] of [
    ["RTP/AVP/TCP;unicast;interleaved=0-1", [0, 1], undefined, undefined],
    ["RTP/AVP/TCP;interleaved=2;ssrc=1", [2, 3], undefined, undefined],
    ["RTP/AVP;unicast;client_port=5000-5001;server_port=6970-6971", undefined, [6970, 6971], undefined],
    ["RTP/AVP;server_port=6970;source=10.0.0.9", undefined, [6970, 6971], "10.0.0.9"],
    ["RTP/AVP;source=camera.local;interleaved=300-301;server_port=70000", undefined, undefined, undefined],
    ["", undefined, undefined, undefined],
  ] as const) {
    it(`reads "${header}"`, () => {
      assert.deepEqual(parseTransport(header), { channels, serverPorts: ports, source });
    });
  }
});

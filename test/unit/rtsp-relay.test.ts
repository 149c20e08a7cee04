import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type RelayedSession, RtspRelay } from "../../src/camera/rtsp/relay.ts";
import { first } from "../../src/camera/rtsp/rtsp-headers.ts";
import { type RtspItem, RtspReader, writeFrame, writeRequest } from "../../src/camera/rtsp/rtsp-message.ts";
import { CctvError } from "../../src/errors.ts";

/** A session whose camera does what the test says. */
class Session implements RelayedSession {
  readonly video = { control: "trackID=1", formats: "96", lines: ["a=rtpmap:96 H264/90000"] };
  readonly calls: string[] = [];
  readonly reports: string[] = [];
  onPlay: () => Promise<void> = async () => {};

  async setup(): Promise<void> {
    this.calls.push("setup");
  }
  async play(): Promise<void> {
    this.calls.push("play");
    await this.onPlay();
  }
  pause(): void {
    this.calls.push("pause");
  }
  resume(): void {
    this.calls.push("resume");
  }
  sendRtcp(data: Buffer): void {
    this.reports.push(data.toString());
  }
}

/** What a decoder does, one step at a time. */
class Visitor {
  readonly socket: Socket;
  readonly #reader = new RtspReader({ where: "relay" });
  readonly #items: RtspItem[] = [];
  #count = 0;

  constructor(url: string) {
    this.socket = connect({ host: "127.0.0.1", port: Number(new URL(url).port) });
    this.socket.on("error", () => {});
    this.socket.on("data", (bytes: Buffer) => {
      this.#reader.append(bytes);
      for (let item = this.#reader.next(); item; item = this.#reader.next()) this.#items.push(item);
    });
  }

  async next(): Promise<RtspItem> {
    for (;;) {
      const item = this.#items.shift();
      if (item) return item;
      await sleep(2);
    }
  }

  async ask(method: string, url: string, headers: Record<string, string> = {}) {
    this.socket.write(writeRequest(method, url, { CSeq: String(++this.#count), ...headers }));
    const answer = await this.next();
    assert.ok(answer.kind === "response");
    assert.equal(first(answer.headers, "cseq"), String(this.#count));
    return answer;
  }

  async play(url: string): Promise<void> {
    await this.ask("SETUP", `${url}/video`, { Transport: "RTP/AVP/TCP;unicast;interleaved=6-7" });
    await this.ask("PLAY", `${url}/`);
  }
}

describe("RTSP relay", () => {
  const closing: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  const start = async () => {
    const session = new Session();
    const failures: unknown[] = [];
    const relay = await RtspRelay.listen({ session, onFailure: (error) => failures.push(error) });
    closing.push(() => relay.close());
    const visit = () => {
      const visitor = new Visitor(relay.url);
      closing.push(() => visitor.socket.destroy());
      return visitor;
    };
    return { relay, session, failures, visit };
  };

  it("has another address each time, on loopback", async () => {
    const [one, other] = [await start(), await start()];
    assert.match(one.relay.url, /^rtsp:\/\/127\.0\.0\.1:\d+\/[0-9a-f]{48}$/);
    assert.notEqual(new URL(one.relay.url).pathname, new URL(other.relay.url).pathname);
  });

  it("describes the video, and sets it up at the decoder's channels", async () => {
    const { relay, session, visit } = await start();
    const decoder = visit();
    assert.match(first((await decoder.ask("OPTIONS", relay.url)).headers, "public") ?? "", /DESCRIBE/);
    const description = (await decoder.ask("DESCRIBE", relay.url)).body.toString();
    assert.ok(description.includes("m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"));
    assert.ok(description.includes(`a=control:${relay.url}/video\r\n`) && !description.includes("trackID"));
    const udp = await decoder.ask("SETUP", `${relay.url}/video`, { Transport: "RTP/AVP;client_port=5000-5001" });
    assert.equal(udp.status, 461);
    await decoder.play(relay.url);
    assert.deepEqual(session.calls, ["setup", "play"]);
    relay.send({ kind: "rtp", data: Buffer.from("picture") });
    relay.send({ kind: "rtcp", data: Buffer.from("report") });
    assert.deepEqual(await decoder.next(), { kind: "frame", channel: 6, data: Buffer.from("picture") });
    assert.deepEqual(await decoder.next(), { kind: "frame", channel: 7, data: Buffer.from("report") });
    decoder.socket.write(writeFrame(7, Buffer.from("received")));
    decoder.socket.write(writeFrame(6, Buffer.from("nonsense")));
    assert.equal((await decoder.ask("RECORD", relay.url)).status, 501);
    assert.deepEqual(session.reports, ["received"]);
  });

  it("keeps packets that come before the answer to PLAY behind it", async () => {
    const { relay, session, visit } = await start();
    session.onPlay = async () => relay.send({ kind: "rtp", data: Buffer.from("early") });
    const decoder = visit();
    await decoder.play(relay.url);
    const frame = await decoder.next();
    assert.ok(frame.kind === "frame" && frame.data.toString() === "early");
  });

  it("sends strangers away, and lets nobody in after the decoder", async () => {
    const { relay, visit } = await start();
    const stranger = visit();
    const answer = await stranger.ask("DESCRIBE", relay.url.replace(/.$/, "x"));
    assert.equal(answer.status, 404);
    const silent = visit();
    await once(silent.socket, "connect");
    const shut = once(silent.socket, "close");
    assert.equal((await visit().ask("OPTIONS", relay.url)).status, 200);
    await shut;
    const late = visit();
    await new Promise((resolve) => late.socket.once("close", resolve));
    assert.equal(late.socket.bytesRead, 0);
  });

  it("holds the camera up while the decoder does not read, and lets it go on then", async () => {
    const { relay, session, visit } = await start();
    const decoder = visit();
    await decoder.play(relay.url);
    decoder.socket.pause();
    const packet = { kind: "rtp", data: Buffer.alloc(60_000) } as const;
    for (let sent = 0; !session.calls.includes("pause"); sent++) {
      assert.ok(sent < 500);
      relay.send(packet);
      await sleep(1);
    }
    assert.ok(!session.calls.includes("resume"));
    decoder.socket.resume();
    while (!session.calls.includes("resume")) await sleep(2);
  });

  it("tells of a camera that does not play, and hangs up", async () => {
    const { relay, session, failures, visit } = await start();
    const refusal = new CctvError("CAMERA_REFUSED", "no");
    session.onPlay = () => Promise.reject(refusal);
    const { socket } = visit();
    socket.write(writeRequest("PLAY", relay.url, { CSeq: "1" }));
    await once(socket, "close");
    assert.deepEqual(failures, [refusal]);
  });

  it("hangs up on what is no RTSP", async () => {
    const { visit } = await start();
    const { socket } = visit();
    socket.write("GET / HTTP/1.1\r\n\r\n");
    await once(socket, "close");
  });

  it("leaves nothing open", async () => {
    const { relay, visit } = await start();
    const { socket } = visit();
    await once(socket, "connect");
    const shut = once(socket, "close");
    await Promise.all([relay.close(), relay.close()]);
    await shut;
  });
});

import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { CameraConfig } from "../../src/camera/protocols/protocol.ts";
import { rtspProtocol } from "../../src/camera/protocols/rtsp/rtsp-protocol.ts";
import { RtspSession } from "../../src/camera/rtsp/rtsp-session.ts";
import type { MediaPacket } from "../../src/camera/rtsp/udp-ports.ts";
import { CctvError } from "../../src/errors.ts";
import { makeCertificate } from "../servers/certificate.ts";
import { RtspCamera, type RtspCameraSettings } from "../servers/rtsp-camera.ts";
import { serveTunnel } from "../servers/rtsp-tunnel.ts";

const credentials = { username: "admin", password: "p@ss:w/o#r%d&+ü" };
const SECRET = /p@ss|p%40ss|w\/o#r/;
const { signal } = new AbortController();

describe("RTSP session", function () {
  this.timeout(20_000);
  const closing: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  const serve = async (settings: RtspCameraSettings = {}) => {
    const camera = await RtspCamera.start(settings);
    closing.push(() => camera.stop());
    return camera;
  };
  const visit = async (address: string, config: Partial<CameraConfig> = {}) => {
    const input = await rtspProtocol.resolve({ address, ...config }, signal);
    const packets: MediaPacket[] = [];
    const session = new RtspSession({ input, onPacket: (packet) => packets.push(packet), answerTimeoutMs: 800 });
    closing.push(() => session.close());
    const numbers = async (count: number) => {
      while (packets.length < count) await sleep(5);
      return packets.slice(0, count).map(({ data }) => data.readUInt16BE(2));
    };
    return { session, packets, numbers };
  };
  const play = async (address: string, config: Partial<CameraConfig> = {}) => {
    const visited = await visit(address, config);
    await visited.session.open();
    await visited.session.setup();
    await visited.session.play();
    return visited;
  };
  /** A server that says one thing and hangs up. */
  const listen = async (said: string) => {
    const server = createServer((socket) => socket.on("error", () => {}).once("data", () => socket.end(said)));
    await once(server.listen(0, "127.0.0.1"), "listening");
    closing.push(async () => server.close());
    return `rtsp://127.0.0.1:${(server.address() as AddressInfo).port}/x`;
  };
  const failure = async (opening: Promise<unknown>) => {
    const error = await opening.then(
      () => assert.fail("it opened"),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof CctvError);
    assert.doesNotMatch(error.message, SECRET);
    return error;
  };

  describe("logs in", () => {
    for (const settings of [
      { login: "basic" },
      { login: "digest" },
      { login: "digest", algorithm: "md5" },
      { login: "digest", algorithm: "MD5-sess" },
      { login: "digest", algorithm: "SHA-256" },
      { login: "digest", otherChallenges: 'Basic realm="Camera 4711"' },
      { login: "digest", staleAt: ["DESCRIBE", "SETUP", "PLAY"] },
      { login: "digest", hangsUpAfter401: true },
      { login: "digest", pieces: 7 },
    ] as const satisfies RtspCameraSettings[]) {
      it(`with ${JSON.stringify(settings)}`, async () => {
        const camera = await serve({ ...settings, ...credentials });
        const { session, numbers } = await play(camera.url(), credentials);
        assert.deepEqual(await numbers(3), [1, 2, 3]);
        assert.equal(camera.wrongLogins, 0);
        const { bytes, server, realm } = session.facts();
        assert.deepEqual([bytes >= 48, server, realm], [true, "Simulated/1", "Camera 4711"]);
        for (const { uri } of camera.requests) assert.doesNotMatch(uri, SECRET);
        assert.deepEqual([...new Set(camera.methods)], ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"]);
      });
    }

    it("once, and no more, with a wrong password", async () => {
      const camera = await serve({ login: "digest", ...credentials });
      const { session } = await visit(camera.url(), { ...credentials, password: "wrong" });
      const { code, message } = await failure(session.open());
      assert.equal(code, "CAMERA_AUTH_FAILED");
      assert.match(message, /does not accept/);
      assert.equal(camera.wrongLogins, 1);
    });

    it("not at all without a password", async () => {
      const camera = await serve({ login: "digest", ...credentials });
      const { session } = await visit(camera.url());
      assert.match((await failure(session.open())).message, /asks for a user name and password/);
      assert.equal(camera.requests.length, 1);
    });

    it("not where Basic is all that is known beside an unknown Digest", async () => {
      const answer = `RTSP/1.0 401 No\r\nCSeq: <cseq>\r\nWWW-Authenticate: Digest realm="x", nonce="1", algorithm=SHA-512-256, Basic realm="x"\r\n\r\n`;
      const camera = await serve({ says: { OPTIONS: answer } });
      const { session } = await visit(camera.url(), credentials);
      assert.match((await failure(session.open())).message, /logins that are not known/);
      assert.ok(camera.requests.every(({ headers }) => headers.authorization === undefined));
    });
  });

  it("understands the description and its relative addresses", async () => {
    const camera = await serve({ contentBase: "rtsp://127.0.0.1/base/", pieces: 3 });
    const { session } = await play(camera.url("/main?channel=1"));
    assert.deepEqual(
      camera.requests.map(({ method, uri }) => `${method} ${uri.replace(String(camera.port), "PORT")}`),
      [
        "OPTIONS rtsp://127.0.0.1:PORT/main?channel=1",
        "DESCRIBE rtsp://127.0.0.1:PORT/main?channel=1",
        "SETUP rtsp://127.0.0.1/base/trackID=1",
        "PLAY rtsp://127.0.0.1/base/",
      ],
    );
    const { codec, width, height, fps } = session.video ?? {};
    assert.deepEqual([codec, width, height, fps], ["h264", 640, 360, 12.5]);
  });

  it("takes a description without a length", async () => {
    const camera = await serve({ withoutLength: true });
    const { numbers } = await play(camera.url());
    assert.deepEqual(await numbers(2), [1, 2]);
  });

  for (const between of [
    "OPTIONS rtsp://viewer RTSP/1.0\r\nCSeq: 77\r\n\r\n",
    "REDIRECT rtsp://viewer RTSP/1.0\r\nCSeq: 78\r\n\r\n",
    "\x01\x02rubbish",
  ]) {
    it(`goes on when the camera says ${JSON.stringify(between)} between packets`, async () => {
      const camera = await serve({ between: Buffer.from(between), numbers: [1, 2, 3] });
      const { numbers } = await play(camera.url());
      assert.deepEqual(await numbers(4), [1, 2, 3, 4]);
    });
  }

  it("passes reports on to the camera", async () => {
    const camera = await serve();
    const { session } = await play(camera.url());
    session.sendRtcp(Buffer.from("report"));
    while (camera.reports.length === 0) await sleep(5);
    assert.equal(camera.reports[0]?.toString(), "report");
  });

  describe("by UDP", () => {
    it("when the camera speaks nothing else, and puts packets into order", async () => {
      const camera = await serve({ transports: "udp", numbers: [1, 2, 4, 3, 6, 5, 7] });
      const { numbers } = await play(camera.url());
      assert.deepEqual(await numbers(8), [1, 2, 3, 4, 5, 6, 7, 8]);
    });

    it("goes on after a loss", async () => {
      const camera = await serve({ numbers: [1, 2, 4] });
      const { numbers } = await play(camera.url(), { transport: "udp" });
      assert.deepEqual(await numbers(4), [1, 2, 4, 5]);
    });

    for (const [transport, transports] of [
      ["udp", "tcp"],
      ["tcp", "udp"],
    ] as const) {
      it(`not when only ${transport} is wanted and ${transports} offered`, async () => {
        const camera = await serve({ transports });
        const { session } = await visit(camera.url(), { transport });
        await session.open();
        const { code, message } = await failure(session.setup());
        assert.equal(code, "CAMERA_REFUSED");
        assert.match(message, /transport/);
      });
    }

    it("not with TLS, where it would be readable", async function () {
      await assert.rejects(visit("rtsps://camera/x", { transport: "udp" }), { code: "SETTING_INVALID" });
      const tls = makeCertificate();
      if (!tls) return this.skip();
      const camera = await serve({ tls, transports: "udp" });
      const { session } = await visit(camera.url(), { certificate: "any" });
      await session.open();
      assert.equal((await failure(session.setup())).code, "CAMERA_REFUSED");
    });
  });

  describe("over TLS", () => {
    it("takes any certificate when told to, else only one that is trusted", async function () {
      const tls = makeCertificate();
      if (!tls) return this.skip();
      const camera = await serve({ tls, login: "digest", ...credentials });
      const { numbers } = await play(camera.url(), { ...credentials, certificate: "any" });
      assert.deepEqual(await numbers(2), [1, 2]);
      const { session } = await visit(camera.url(), credentials);
      assert.equal((await failure(session.open())).code, "CAMERA_CERTIFICATE");
    });

    it("says that a port speaks no TLS", async () => {
      const address = await listen("RTSP/1.0 400 Bad Request\r\n\r\n");
      const { session } = await visit(address.replace("rtsp:", "rtsps:"));
      const { code, message } = await failure(session.open());
      assert.equal(code, "CAMERA_REFUSED");
      assert.match(message, /TLS/);
      assert.doesNotMatch(message, /https?:/);
    });
  });

  describe("is kept alive", () => {
    it("at a camera that ends it otherwise", async () => {
      const camera = await serve({ sessionSeconds: 2, login: "digest", ...credentials, staleAt: ["GET_PARAMETER"] });
      const { session } = await play(camera.url(), credentials);
      const outcome = await Promise.race([session.lost, sleep(2_300)]);
      assert.equal(outcome, undefined);
      assert.ok(camera.methods.includes("GET_PARAMETER"));
      await session.close();
      assert.equal(camera.methods.at(-1), "TEARDOWN");
    });

    it("though the camera does not know how", async () => {
      const no = "RTSP/1.0 551 Option not supported\r\nCSeq: <cseq>\r\n\r\n";
      const camera = await serve({ sessionSeconds: 2, says: { GET_PARAMETER: no } });
      const { session } = await play(camera.url());
      assert.equal(await Promise.race([session.lost, sleep(2_300)]), undefined);
      assert.deepEqual(camera.methods.slice(-2), ["GET_PARAMETER", "OPTIONS"]);
    });
  });

  it("says that it was lost when the camera hangs up", async () => {
    const camera = await serve();
    const { session, numbers } = await play(camera.url());
    await numbers(1);
    camera.hangUp();
    assert.equal((await session.lost).code, "STREAM_LOST");
  });

  describe("says what is wrong:", () => {
    const status = (line: string, more = "", body = "") =>
      `RTSP/1.0 ${line}\r\nCSeq: <cseq>\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`;
    const lock = "<lockStatus>lock</lockStatus><unlockTime>1800</unlockTime>";
    for (const [what, answer, code, message] of [
      ["401 with a lock", status("401 Unauthorized", "", lock), "CAMERA_LOCKED", /for 30 minutes/],
      ["403", status("403 Forbidden"), "CAMERA_AUTH_FAILED", /right to view/],
      ["403 with a lock", status("403 Forbidden", "", "User Locked"), "CAMERA_LOCKED", /locked the account/],
      ["404", status("404 Not Found"), "CAMERA_NOT_FOUND", /check the path and the channel/],
      ["454", status("454 Session Not Found"), "CAMERA_NOT_FOUND", /check the path/],
      ["453", status("453 Not Enough Bandwidth", "Retry-After: 5\r\n"), "CAMERA_REFUSED", /453, .* for 5 s/],
      [
        "302",
        status("302 Moved", "Location: rtsp://a:b@c/x\r\n"),
        "CAMERA_NOT_FOUND",
        /\/\/\*\*\*@c\/x, .* not followed/,
      ],
      [
        "no description",
        status("200 OK", "Content-Type: application/sdp\r\n", "v=0\r\n"),
        "CAMERA_NOT_FOUND",
        /no video/,
      ],
      ["HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n", "CAMERA_REFUSED", /web server/],
      ["garbage", "hello\r\n\r\n", "CAMERA_REFUSED", /does not speak RTSP/],
      ["a huge answer", "RTSP/1.0 200 OK\r\nContent-Length: 300000000\r\n\r\n", "CAMERA_REFUSED", /more than/],
      ["a closed connection", (socket: Socket) => socket.end(), "CAMERA_REFUSED", /hangs up/],
      ["a reset", (socket: Socket) => socket.resetAndDestroy(), "CAMERA_REFUSED", /hangs up/],
    ] as const) {
      it(what, async () => {
        const camera = await serve({ says: { DESCRIBE: answer } });
        const { session } = await visit(camera.url(), credentials);
        const refusal = await failure(session.open());
        assert.equal(refusal.code, code);
        assert.match(refusal.message, message);
      });
    }

    it("an endless header", async () => {
      const pour = (socket: Socket) => {
        socket.write("RTSP/1.0 200 OK\r\n");
        const timer = setInterval(() => socket.write("X: y\r\n".repeat(1_000)), 1);
        socket.on("close", () => clearInterval(timer));
      };
      const camera = await serve({ says: { OPTIONS: pour } });
      const { session } = await visit(camera.url());
      assert.match((await failure(session.open())).message, /more than/);
    });

    it("silence, and one byte now and then is silence too", async () => {
      const drip = (socket: Socket) => {
        const timer = setInterval(() => socket.write("R"), 100);
        socket.on("close", () => clearInterval(timer));
      };
      const cameras = await Promise.all([serve({ says: { OPTIONS: () => {} } }), serve({ says: { OPTIONS: drip } })]);
      const started = Date.now();
      const codes = cameras.map(async (camera) => (await failure((await visit(camera.url())).session.open())).code);
      assert.deepEqual(await Promise.all(codes), ["CAMERA_STALLED", "CAMERA_STALLED"]);
      assert.ok(Date.now() - started < 2_000);
    });

    it("a closed port, and an unknown host", async () => {
      const { session } = await visit("rtsp://127.0.0.1:1/x");
      assert.equal((await failure(session.open())).code, "CAMERA_REFUSED");
      const unknown = await visit("rtsp://no-such-host.invalid/x");
      assert.equal((await failure(unknown.session.open())).code, "CAMERA_UNREACHABLE");
    });
  });

  describe("closes at any stage and leaves nothing:", () => {
    it("while the camera is silent", async () => {
      const camera = await serve({ says: { DESCRIBE: () => {} } });
      const { session } = await visit(camera.url());
      const opening = failure(session.open());
      while (!camera.methods.includes("DESCRIBE")) await sleep(5);
      await Promise.all([session.close(), session.close()]);
      await opening;
      await sleep(20);
      assert.equal(camera.openConnections, 0);
    });

    it("before it is open", async () => {
      const camera = await serve();
      const { session } = await visit(camera.url());
      await session.close();
      await failure(session.open());
      await sleep(20);
      assert.equal(camera.openConnections, 0);
    });

    for (const transport of ["tcp", "udp"] as const) {
      it(`while it plays by ${transport}`, async () => {
        const camera = await serve({ sessionSeconds: 60 });
        const { session, packets, numbers } = await play(camera.url(), { transport });
        await numbers(2);
        await session.close();
        await sleep(20);
        assert.equal(camera.openConnections, 0);
        assert.equal(camera.methods.at(-1), "TEARDOWN");
        const count = packets.length;
        await sleep(60);
        assert.equal(packets.length, count);
        assert.deepEqual(
          process.getActiveResourcesInfo().filter((kind) => kind === "UDPWrap"),
          [],
        );
      });
    }
  });

  describe("through HTTP", () => {
    it("logs in at the door, and once more inside", async () => {
      const camera = await serve({ login: "digest", ...credentials, password: "inside" });
      const door = await serveTunnel(camera.port, `Basic ${Buffer.from("admin:inside").toString("base64")}`);
      closing.push(() => door.stop());
      const login = { username: "admin", password: "inside" };
      const { session, numbers } = await play(`rtsp://127.0.0.1:${door.port}/main`, { transport: "http", ...login });
      assert.deepEqual(await numbers(3), [1, 2, 3]);
      session.sendRtcp(Buffer.from("report"));
      while (camera.reports.length === 0) await sleep(5);
      assert.deepEqual(door.requests, ["GET", "GET", "POST"]);
    });

    for (const [what, said, code] of [
      ["404", "HTTP/1.0 404 Not Found\r\n\r\n", "CAMERA_NOT_FOUND"],
      ["a wrong password", `HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="x"\r\n\r\n`, "CAMERA_AUTH_FAILED"],
      ["a redirect", "HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\n", "CAMERA_NOT_FOUND"],
      ["no HTTP", "220 ftp.example.org\r\n\r\n", "CAMERA_REFUSED"],
      ["a closed connection", "", "CAMERA_REFUSED"],
    ] as const) {
      it(`says ${code} of ${what}`, async () => {
        const { session } = await visit(await listen(said), { transport: "http", ...credentials });
        assert.equal((await failure(session.open())).code, code);
      });
    }
  });
});

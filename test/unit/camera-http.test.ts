import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CameraHttp, type CameraHttpOptions } from "../../src/camera/http/camera-http.ts";
import type { CctvError, ErrorCode } from "../../src/errors.ts";
import { HttpCamera, type HttpCameraSettings } from "../servers/http-camera.ts";

const credentials = { username: "admin", password: "s3cret&ü" };
const fails =
  (code: ErrorCode, message = /./) =>
  (error: CctvError) => {
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /s3cret/);
    return true;
  };

describe("camera http", () => {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  const client = (port: number, options: Partial<CameraHttpOptions> = {}) => {
    const camera = new CameraHttp({ host: "127.0.0.1", port, credentials, timeoutMs: 2000, ...options });
    closing.push(() => camera.close());
    return camera;
  };
  const serve = async (settings: Partial<HttpCameraSettings> = {}) => {
    const server = await HttpCamera.start({
      ...credentials,
      answer: (request, response) => response.end(`you asked for ${request.url}`),
      ...settings,
    });
    closing.push(() => server.stop());
    return server;
  };

  for (const login of ["basic", "digest", "both"] as const) {
    it(`logs in with ${login} once, and keeps to one connection`, async () => {
      const server = await serve({ login });
      const camera = client(server.port);
      for (let i = 0; i < 4; i++) {
        assert.equal((await camera.get("/a?b=1")).body.toString(), "you asked for /a?b=1");
      }
      assert.deepEqual([server.requests, server.connections, server.wrongLogins], [5, 1, 0]);
    });

    it(`tries a wrong password with ${login} once, however many ask at a time and afterwards`, async () => {
      const server = await serve({ login, password: "other" });
      const camera = client(server.port);
      const both = await Promise.allSettled([camera.get("/"), camera.open("/"), camera.get("/")]);
      for (const result of both)
        fails("CAMERA_AUTH_FAILED", /does not accept/)((result as PromiseRejectedResult).reason);
      await assert.rejects(camera.get("/"), fails("CAMERA_AUTH_FAILED"));
      assert.equal(server.wrongLogins, 1);
    });
  }

  it("asks for credentials where there are none", async () => {
    const server = await serve({ login: "digest" });
    await assert.rejects(
      client(server.port, { credentials: undefined }).get("/"),
      fails("CAMERA_AUTH_FAILED", /asks for/),
    );
  });

  it("goes on with a new nonce when the old one is stale", async () => {
    const server = await serve({ login: "digest", requestsPerNonce: 2 });
    const camera = client(server.port);
    for (let i = 0; i < 5; i++) assert.equal((await camera.get("/")).status, 200);
    assert.equal(server.wrongLogins, 0);
  });

  for (const [what, status, headers, body, code, message] of [
    ["404", 404, {}, "", "CAMERA_NOT_FOUND", /has nothing at/],
    [
      "a redirect",
      302,
      { location: "http://a:s3cret&ü@10.0.0.1/x" },
      "",
      "CAMERA_NOT_FOUND",
      /sends on to .*10\.0\.0\.1/,
    ],
    [
      "a Hikvision lock",
      401,
      {},
      "<lockStatus>lock</lockStatus><unlockTime>1800</unlockTime>",
      "CAMERA_LOCKED",
      /30 minutes/,
    ],
    ["a Dahua lock", 403, {}, "Error\r\nUser Locked", "CAMERA_LOCKED", /locked/],
    ["an unknown login", 401, { "www-authenticate": "Negotiate" }, "", "CAMERA_AUTH_FAILED", /negotiate/],
  ] as const) {
    it(`explains ${what}, and asks but once`, async () => {
      const server = await serve({ answer: (_, response) => response.writeHead(status, headers).end(body) });
      await assert.rejects(client(server.port).get("/"), fails(code, message));
      assert.equal(server.requests, 1);
    });
  }

  it("gives other answers to who reads them whole, but no stream", async () => {
    const server = await serve({ answer: (_, response) => response.writeHead(503).end("busy") });
    const { status, body } = await client(server.port).get("/");
    assert.deepEqual([status, body.toString()], [503, "busy"]);
    await assert.rejects(client(server.port).open("/"), fails("CAMERA_REFUSED", /503/));
  });

  for (const announced of [true, false]) {
    it(`reads no more than it may of 300 MB, ${announced ? "announced" : "unannounced"}`, async () => {
      const chunk = Buffer.alloc(1024 * 1024);
      const server = await serve({
        answer: (_, response) => {
          if (announced) response.setHeader("content-length", 300 * chunk.length);
          const more = () => {
            while (response.write(chunk));
            response.once("drain", more);
          };
          more();
        },
      });
      const before = process.memoryUsage().rss;
      await assert.rejects(client(server.port).get("/"), fails("CAMERA_REFUSED", /8192 KB/));
      assert.ok(process.memoryUsage().rss - before < 100e6);
    });
  }

  it("reads a stream beside short requests, until it is given up", async () => {
    let left = false;
    const server = await serve({
      login: "digest",
      answer: (request, response) => {
        if (request.url !== "/stream") return response.end("short");
        response.write("first");
        return response.on("close", () => (left = true));
      },
    });
    const camera = client(server.port);
    const { stream } = await camera.open("/stream");
    assert.equal((await stream.next()).value?.toString(), "first");
    assert.equal((await camera.get("/")).body.toString(), "short");
    await stream.return();
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.ok(left);
  });

  it("stops when it is told to", async () => {
    const server = await serve({ answer: () => {} });
    await assert.rejects(client(server.port).get("/", { signal: AbortSignal.timeout(50) }), { name: "TimeoutError" });
  });

  describe("from something else than a camera", () => {
    let server: Server;
    const sockets = new Set<Socket>();
    const listen = async (onSocket: (socket: Socket) => void) => {
      server = createServer((socket) => {
        sockets.add(socket.on("error", () => {}));
        onSocket(socket);
      });
      await once(server.listen(0, "127.0.0.1"), "listening");
      closing.push(async () => {
        for (const socket of sockets) socket.destroy();
        server.close();
      });
      return (server.address() as AddressInfo).port;
    };

    it("tells silence", async () => {
      const camera = client(await listen(() => {}), { timeoutMs: 300 });
      await assert.rejects(camera.get("/"), fails("CAMERA_STALLED", /0\.3 s/));
    });

    it("tells headers that drip", async () => {
      const port = await listen((socket) => {
        socket.write("HTTP/1.1 200 OK\r\n");
        const timer = setInterval(() => socket.write("X: 1\r\n"), 20);
        socket.once("close", () => clearInterval(timer));
      });
      await assert.rejects(client(port, { timeoutMs: 300 }).open("/"), fails("CAMERA_STALLED"));
    });

    for (const [what, onSocket, message] of [
      ["a reset", (socket: Socket) => socket.once("data", () => socket.resetAndDestroy()), /hangs up/],
      ["another protocol", (socket: Socket) => socket.end("SSH-2.0-x\r\n\r\n"), /not answer as HTTP/],
    ] as const) {
      it(`tells ${what}`, async () => {
        await assert.rejects(client(await listen(onSocket)).get("/"), fails("CAMERA_REFUSED", message));
      });
    }

    it("tells a body that breaks off", async () => {
      const port = await listen((socket) => {
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", () =>
          setTimeout(() => socket.resetAndDestroy(), 20),
        );
      });
      await assert.rejects(client(port).get("/"), fails("STREAM_LOST"));
    });
  });

  it("tells a closed port and an unknown name", async () => {
    await assert.rejects(client(1).get("/"), fails("CAMERA_REFUSED", /nothing listens/));
    await assert.rejects(client(80, { host: "no-such-camera.invalid" }).get("/"), fails("CAMERA_UNREACHABLE"));
  });

  it("takes a certificate of the camera's own only when told to", async function () {
    const folder = mkdtempSync(join(tmpdir(), "cctv-tls-"));
    closing.push(async () => rmSync(folder, { recursive: true }));
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    try {
      const subject = ["-subj", "/CN=camera", "-days", "2", "-keyout", key, "-out", cert];
      execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", ...subject], { stdio: "ignore" });
    } catch {
      return this.skip();
    }
    const server = await serve({ tls: { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") } });
    await assert.rejects(
      client(server.port, { tls: { rejectUnauthorized: true } }).get("/"),
      fails("CAMERA_CERTIFICATE", /accept any/),
    );
    assert.equal((await client(server.port, { tls: { rejectUnauthorized: false } }).get("/")).status, 200);
    await assert.rejects(client(server.port).get("/"), fails("CAMERA_REFUSED"));
  });
});

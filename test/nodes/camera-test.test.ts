import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket, type Server as TcpServer } from "node:net";
import sharp from "sharp";
import type { CameraTestAnswer } from "../../nodes/shared/camera-test-route.ts";
import { makeCertificate } from "../servers/certificate.ts";
import { HttpCamera, mjpeg } from "../servers/http-camera.ts";
import { helper, load } from "./helper.ts";

const credentials = { username: "admin", password: "p@ss:w/o#r%d&+ü" };
const WITHIN_MS = 10_000;

describe("the Test button of a camera's dialog", function () {
  this.timeout(30_000);
  let jpeg: Buffer;
  const closing: (() => Promise<unknown> | unknown)[] = [];

  before(async () => {
    jpeg = await sharp({ create: { width: 320, height: 180, channels: 3, background: "red" } })
      .jpeg()
      .toBuffer();
  });
  afterEach(async () => {
    await helper.unload();
    for (const close of closing.splice(0).reverse()) await close();
  });

  const camera = async (settings: Partial<Parameters<typeof HttpCamera.start>[0]> = {}) => {
    const server = await HttpCamera.start({ answer: mjpeg(jpeg), ...settings });
    closing.push(() => server.stop());
    return server;
  };
  const tcp = async (onSocket: (socket: Socket) => void): Promise<number> => {
    const sockets = new Set<Socket>();
    const server: TcpServer = createTcpServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => undefined);
      onSocket(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closing.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return (server.address() as AddressInfo).port;
  };
  const http = async (listener: Parameters<typeof createServer>[1]): Promise<number> => {
    const server: Server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closing.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return (server.address() as AddressInfo).port;
  };
  const press = async (
    fields: object,
    secrets: object = {},
    { id = "door", type = "camera-http" } = {},
  ): Promise<CameraTestAnswer> => {
    const startedAt = performance.now();
    const { body } = await helper.request().post("/cctv/test").send({ type, id, fields, secrets }).expect(200);
    assert.ok(performance.now() - startedAt < WITHIN_MS, `${Math.round(performance.now() - startedAt)} ms`);
    assert.doesNotMatch(JSON.stringify(body), /p@ss|p%40ss/);
    return body as CameraTestAnswer;
  };
  const failure = async (fields: object, secrets?: object, more?: object) => {
    const answer = await press(fields, secrets, more);
    assert.ok(!answer.ok, "it succeeded");
    return answer;
  };

  it("shows the picture, and what the camera sends", async () => {
    const server = await camera({ login: "digest", ...credentials });
    await load([]);
    const answer = await press({ url: server.url("/video") }, credentials);
    assert.ok(answer.ok, JSON.stringify(answer));
    const { video, source, firstPictureMs } = answer;
    assert.deepEqual([video.codec, video.width, video.height], ["mjpeg", 320, 180]);
    assert.ok(video.fps > 5 && video.fps < 15, `${video.fps} frames a second`);
    assert.equal(source, server.url("/video"));
    assert.ok(firstPictureMs < 5000);
    const picture = Buffer.from(answer.picture.replace(/^data:image\/jpeg;base64,/, ""), "base64");
    assert.equal((await sharp(picture).metadata()).width, 320);
    assert.equal(server.wrongLogins, 0);
  });

  it("uses the password that is stored, for the host that it was stored for", async () => {
    const server = await camera({ login: "digest", ...credentials });
    const node = { id: "door", type: "camera-http", name: "Door", url: "http://127.0.0.1:1/", wires: [[], []] };
    await load([node], { door: credentials });
    const kept = { username: "admin", password: "__PWRD__" };
    const answer = await press({ url: server.url("/video") }, kept);
    assert.ok(answer.ok, JSON.stringify(answer));
    const elsewhere = await failure({ url: server.url("/video").replace("127.0.0.1", "localhost") }, kept);
    assert.equal(elsewhere.code, "SETTING_INVALID");
    assert.match(elsewhere.message, /type the password again/);
  });

  it("says that nobody listens", async () => {
    await load([]);
    assert.equal((await failure({ url: "http://127.0.0.1:1/" })).code, "CAMERA_REFUSED");
  });

  it("says that the connection is taken but nothing comes: silence", async () => {
    const port = await tcp(() => undefined);
    await load([]);
    assert.equal((await failure({ url: `http://127.0.0.1:${port}/` })).code, "CAMERA_STALLED");
  });

  it("says that the camera hangs up: a reset connection", async () => {
    let first = true;
    const port = await tcp((socket) => {
      // The first one only looks whether the port is open.
      if (!first) socket.resetAndDestroy();
      first = false;
    });
    await load([]);
    const { code, message } = await failure({ url: `http://127.0.0.1:${port}/` });
    assert.equal(code, "CAMERA_REFUSED");
    assert.match(message, /hangs up/);
  });

  it("says that the password is wrong, after one try", async () => {
    const server = await camera({ login: "digest", ...credentials });
    await load([]);
    const { code, message } = await failure({ url: server.url("/video") }, { ...credentials, password: "other" });
    assert.equal(code, "CAMERA_AUTH_FAILED");
    assert.match(message, /does not accept this user name and password/);
    assert.equal(server.wrongLogins, 1);
  });

  it("tries again when the button is pressed again, and no oftener", async () => {
    const server = await camera({ login: "digest", ...credentials });
    await load([]);
    for (let times = 1; times <= 2; times++) {
      await failure({ url: server.url("/video") }, { ...credentials, password: "wrong" });
      assert.equal(server.wrongLogins, times);
    }
  });

  it("says that the account is locked, and for how long", async () => {
    const port = await http((_request, response) => {
      response.writeHead(401, { "www-authenticate": 'Digest realm="x", nonce="1", qop="auth"' });
      response.end("<userCheck><lockStatus>lock</lockStatus><unlockTime>1800</unlockTime></userCheck>");
    });
    await load([]);
    const { code, message } = await failure({ url: `http://127.0.0.1:${port}/` }, credentials);
    assert.equal(code, "CAMERA_LOCKED");
    assert.match(message, /for 30 minutes/);
  });

  it("says that there is no such channel", async () => {
    const port = await http((_request, response) => response.writeHead(404).end());
    await load([]);
    assert.equal((await failure({ url: `http://127.0.0.1:${port}/channel/9` })).code, "CAMERA_NOT_FOUND");
  });

  it("says that it is a web page", async () => {
    const port = await http((_request, response) => {
      response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>camera</title>");
    });
    await load([]);
    const { code, message } = await failure({ url: `http://127.0.0.1:${port}/` });
    assert.equal(code, "CAMERA_NOT_FOUND");
    assert.match(message, /web page/);
  });

  it("does not read an answer of 300 MB", async () => {
    let sent = 0;
    const port = await http((_request, response) => {
      response.writeHead(200, { "content-type": "image/jpeg" });
      const chunk = Buffer.alloc(1 << 20, 0x55);
      const more = () => {
        while (sent < 300 * chunk.length && response.writable) {
          sent += chunk.length;
          if (!response.write(chunk)) return void response.once("drain", more);
        }
        response.end();
      };
      response.write(Buffer.from([0xff, 0xd8, 0xff, 0xe0]));
      more();
    });
    await load([]);
    const { code, message } = await failure({ url: `http://127.0.0.1:${port}/` });
    assert.equal(code, "CAMERA_REFUSED");
    assert.match(message, /more than \d+ KB/);
    assert.ok(sent < 40 * 1024 * 1024, `${sent} bytes were taken`);
  });

  it("says that the certificate is not trusted, and takes it when told to", async function () {
    const tls = makeCertificate();
    if (!tls) return this.skip();
    const server = await camera({ tls });
    await load([]);
    assert.equal((await failure({ url: server.url("/video") })).code, "CAMERA_CERTIFICATE");
    assert.ok((await press({ url: server.url("/video"), certificate: "any" })).ok);
  });

  it("knows no other types of nodes, and takes nothing but JSON", async () => {
    await load([]);
    assert.equal((await failure({}, {}, { type: "alert" })).code, "SETTING_INVALID");
    await helper.request().post("/cctv/test").type("form").send("type=camera-http").expect(415);
  });
});

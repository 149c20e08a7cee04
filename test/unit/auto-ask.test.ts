import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { askHost, type HostAnswers, type PortsToAsk, portsToAsk } from "../../src/camera/auto/ask-host.ts";
import { chooseAddress } from "../../src/camera/auto/choose-address.ts";
import { type Brand, brandOf } from "../../src/camera/brands/brands.ts";
import type { CctvError } from "../../src/errors.ts";

const host = "127.0.0.1";
const NO_PORTS: PortsToAsk = { rtsp: [], http: [], https: [], onvif: [] };
const TIME =
  '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><GetSystemDateAndTimeResponse/></s:Body></s:Envelope>';

describe("asking a host", () => {
  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  /** All that was ever sent to any of them. */
  let heard = "";

  async function listen(server: Server): Promise<number> {
    server.on("connection", (socket: Socket) => {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
      socket.on("error", () => undefined);
    });
    servers.push(server);
    await once(server.listen(0, host), "listening");
    return (server.address() as AddressInfo).port;
  }

  function rtsp(answer: (method: string) => string): Promise<number> {
    return listen(
      createServer((socket) => {
        socket.on("data", (data) => {
          heard += data;
          socket.write(answer(String(data).split(" ")[0] ?? ""));
        });
      }),
    );
  }

  function http(listener: RequestListener): Promise<number> {
    return listen(
      createHttpServer((request, response) => {
        heard += `${request.method} ${request.url}\n${request.rawHeaders.join("\n")}\n`;
        listener(request, response);
      }),
    );
  }

  const silent = () => listen(createServer((socket) => socket.resume()));

  async function closedPort(): Promise<number> {
    const server = createServer();
    const port = await listen(server);
    server.close();
    await once(server, "close");
    return port;
  }

  const ask = (ports: Partial<PortsToAsk>, limitMs = 2_000, signal = new AbortController().signal) =>
    askHost(host, { ports: { ...NO_PORTS, ...ports }, signal, timeoutMs: 300, limitMs });

  beforeEach(() => {
    heard = "";
  });
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await Promise.all(servers.splice(0).map((server) => server.listening && new Promise((done) => server.close(done))));
  });

  it("learns realm, server and brand of an RTSP server, and tries no login", async () => {
    const port = await rtsp((method) =>
      method === "OPTIONS"
        ? "RTSP/1.0 200 OK\r\nCSeq: 1\r\nServer: Rtsp Server/2.0\r\n\r\n"
        : 'RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\nWWW-Authenticate: Digest realm="IP Camera(12345)", nonce="1"\r\n\r\n',
    );
    const { rtsp: found, brand, http: web, onvif } = await ask({ rtsp: [port] });
    assert.deepEqual(found, { port, status: 401, server: "Rtsp Server/2.0", realm: "IP Camera(12345)" });
    assert.equal(brand?.id, "hikvision");
    assert.deepEqual([web, onvif], [undefined, undefined]);
    assert.deepEqual(
      heard.match(/^[A-Z]+ /gm)?.filter((word) => word !== "CS"),
      ["OPTIONS ", "DESCRIBE "],
    );
    assert.doesNotMatch(heard, /authorization/i);
  });

  it("learns of a web server, its realm and ONVIF behind it, and tries no login", async () => {
    const port = await http((request, response) => {
      if (request.method === "POST") response.end(TIME);
      else response.writeHead(401, { server: "App-webs/", "www-authenticate": 'Digest realm="x", nonce="1"' }).end();
    });
    const { http: web, onvif, brand } = await ask({ http: [port], onvif: [port] });
    assert.deepEqual(web, { port, isSecure: false, status: 401, contentType: "", server: "App-webs/", realm: "x" });
    assert.deepEqual(onvif, { port, isSecure: false });
    assert.equal(brand?.id, "hikvision");
    assert.match(heard, /^GET \/\n.*^POST \/onvif\/device_service\n/ms);
    assert.doesNotMatch(heard, /authorization|wsse|password/i);
  });

  it("takes a refusal in SOAP for ONVIF too, and a web page at that place not", async () => {
    const strict = await http((_request, response) =>
      response.writeHead(400).end("<env:Envelope ><env:Body/></env:Envelope>"),
    );
    const page = await http((_request, response) => response.end("<html>hello</html>"));
    assert.deepEqual((await ask({ onvif: [strict] })).onvif, { port: strict, isSecure: false });
    assert.equal((await ask({ onvif: [page] })).onvif, undefined);
  });

  it("sees a stream at the address itself, endless as it is, and takes it before a web page", async () => {
    const page = await http((_request, response) => response.setHeader("content-type", "text/html").end("hello"));
    const stream = await http((_request, response) => {
      response.writeHead(200, { "content-type": "multipart/x-mixed-replace; boundary=x" });
      response.write("--x\r\n");
    });
    const { http: web } = await ask({ http: [page, stream] });
    assert.deepEqual([web?.port, web?.contentType], [stream, "multipart/x-mixed-replace"]);
  });

  it("takes the answer of the port that was to be asked first", async () => {
    const ports = await Promise.all([1, 2, 3].map((nth) => rtsp(() => `RTSP/1.0 200 OK\r\nServer: ${nth}\r\n\r\n`)));
    assert.equal((await ask({ rtsp: [await closedPort(), ...ports] })).rtsp?.server, "1");
  });

  it("finds RTSP at a port of which nothing is known, after HTTP", async () => {
    const port = await rtsp((method) =>
      method === "GET" ? "RTSP/1.0 400 Bad Request\r\n\r\n" : "RTSP/1.0 200 OK\r\n\r\n",
    );
    const answers = await ask(portsToAsk(port));
    assert.deepEqual([answers.rtsp?.port, answers.rtsp?.status, answers.http], [port, 200, undefined]);
  });

  it("has no answers where ports are closed or mute, and asks a mute one only once", async () => {
    const mute = await silent();
    let connections = 0;
    servers.at(-1)?.on("connection", () => connections++);
    const began = performance.now();
    assert.deepEqual(await ask({ rtsp: [await closedPort()], http: [mute], onvif: [mute] }), {
      rtsp: undefined,
      http: undefined,
      onvif: undefined,
      brand: undefined,
    });
    assert.ok(performance.now() - began < 1_000);
    assert.equal(connections, 1);
  });

  it("connects to no more than four ports at once, and gives what it has when the time is up", async () => {
    const good = await rtsp(() => "RTSP/1.0 200 OK\r\n\r\n");
    const mute = await Promise.all(Array.from({ length: 12 }, silent));
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, sockets.size);
    }, 5);
    const began = performance.now();
    const answers = await ask({ rtsp: [good, ...mute] }, 500);
    clearInterval(watch);
    assert.equal(answers.rtsp?.port, good);
    assert.ok(performance.now() - began < 800);
    // One more may still be on its way out.
    assert.ok(most <= 5, `${most} connections`);
  });

  it("stops when nobody wants to know any more, and leaves no connection", async () => {
    const stop = new AbortController();
    const asking = ask({ http: [await silent()] }, 2_000, stop.signal);
    setTimeout(() => stop.abort(new Error("enough")), 50);
    await assert.rejects(asking, /enough/);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(sockets.size, 0);
  });

  it("says of a host whose name is unknown that nothing answers", async () => {
    const question = { ports: { ...NO_PORTS, rtsp: [554] }, signal: new AbortController().signal, limitMs: 2_000 };
    assert.equal((await askHost("no-such-camera.invalid", question)).rtsp, undefined);
  });
});

describe("ports to ask", () => {
  it("are the usual ones, or the one that was typed and no other", () => {
    assert.deepEqual(portsToAsk(undefined).rtsp, [554, 8554]);
    assert.deepEqual(portsToAsk(554), { ...NO_PORTS, rtsp: [554] });
    assert.deepEqual(portsToAsk(443), { ...NO_PORTS, https: [443], onvif: [443] });
    assert.deepEqual(portsToAsk(8899), { ...NO_PORTS, rtsp: [8899], http: [8899], onvif: [8899] });
  });
});

describe("choosing what to open", () => {
  const brand = (id: string) => brandOf(id) as Brand;
  const page = { port: 80, isSecure: false, status: 200, contentType: "text/html" };
  const login = { ...page, status: 401, contentType: "" };
  const locked = { port: 554, status: 401 };
  const onvif = { port: 8000, isSecure: false };
  const secure = { ...page, port: 443, isSecure: true };

  const cases: readonly (readonly [name: string, path: string, answers: HostAnswers, address: string])[] = [
    ["Hikvision's own interface", "", { brand: brand("hikvision"), rtsp: locked, http: page, onvif }, "hik://a:80"],
    ["Hikvision's own interface with TLS", "", { brand: brand("hikvision"), http: secure }, "hiks://a:443"],
    ["Dahua's own interface", "", { brand: brand("dahua"), rtsp: locked, http: page }, "dahua://a:80"],
    ["ONVIF", "", { brand: brand("axis"), rtsp: locked, http: login, onvif }, "onvif://a:8000"],
    ["ONVIF with TLS", "", { onvif: { port: 443, isSecure: true } }, "onvifs://a:443"],
    ["the brand's RTSP", "", { brand: brand("reolink"), rtsp: locked }, "reolink://a:554"],
    [
      "Hikvision's RTSP where its web server is off",
      "",
      { brand: brand("hikvision"), rtsp: { port: 10554, status: 401 } },
      "rtsp://a:10554/Streaming/Channels/302",
    ],
    ["RTSP that plays without a path", "/", { rtsp: { port: 8554, status: 200 }, http: page }, "rtsp://a:8554/"],
    ["MJPEG", "", { http: { ...page, port: 8080, contentType: "multipart/x-mixed-replace" } }, "http://a:8080/"],
    ["a picture", "", { http: { ...secure, contentType: "image/jpeg" } }, "https://a:443/"],
    ["a playlist", "", { http: { ...page, contentType: "application/vnd.apple.mpegurl" } }, "hls://a:80/"],
    ["the brand's MJPEG", "", { brand: brand("axis"), http: login }, "http://a:80/axis-cgi/mjpg/video.cgi?camera=3"],
    ["what is behind a login", "", { http: { ...login, port: 8080 } }, "http://a:8080/"],
    ["a typed path by RTSP", "/live", { rtsp: locked, http: page, brand: brand("axis") }, "rtsp://a:554/live"],
    ["a typed path by HTTP", "/live", { http: secure, onvif }, "https://a:443/live"],
  ];
  for (const [name, path, answers, address] of cases) {
    it(`takes ${name}`, () => {
      assert.equal(chooseAddress({ host: "a", path, channel: 3, stream: "sub" }, answers), address);
    });
  }

  const failures: readonly (readonly [
    name: string,
    port: number | undefined,
    answers: HostAnswers,
    code: string,
    sentence: RegExp,
  ])[] = [
    ["nothing answers", undefined, {}, "CAMERA_UNREACHABLE", /at the usual ports; check/],
    ["nothing answers at a port", 8000, {}, "CAMERA_UNREACHABLE", /at port 8000; check/],
    [
      "RTSP wants a path",
      554,
      { rtsp: locked },
      "ADDRESS_INVALID",
      /does not say which brand.*rtsp:\/\/a:554\/stream1/,
    ],
    ["there is but a web page", 80, { http: page }, "ADDRESS_INVALID", /web page at http:\/\/a:80 but no pictures/],
    [
      "the brand is known, but has no stream there",
      80,
      { http: page, brand: brand("reolink") },
      "ADDRESS_INVALID",
      /seems to be of Reolink/,
    ],
  ];
  for (const [name, port, answers, code, sentence] of failures) {
    it(`says what to do when ${name}`, () => {
      assert.throws(
        () => chooseAddress({ host: "a", port, path: "", channel: 1, stream: "sub" }, answers),
        (error: CctvError) => error.code === code && sentence.test(error.message),
      );
    });
  }
});

import assert from "node:assert/strict";
import { once, setMaxListeners } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { parseBanner, readBanner } from "../../src/camera/banner.ts";
import { parseArpTable } from "../../src/discovery/arp.ts";
import { ConnectionGate } from "../../src/discovery/connection-gate.ts";
import { fingerprint } from "../../src/discovery/fingerprint.ts";
import { parseSubnet } from "../../src/discovery/ipv4.ts";
import { type CameraPorts, checkPorts, findHosts, tryPort } from "../../src/discovery/port-scan.ts";
import { brandOfVendor, vendorOfMac, vendorOfName } from "../../src/discovery/vendors.ts";

const HOST = "127.0.0.1";

describe("discovery: ports", () => {
  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  const received: string[] = [];
  const stop = new AbortController();
  const { signal } = stop;
  setMaxListeners(0, signal);

  /** A server on loopback that answers each request with what the test says. */
  const serve = async (answer: (request: string) => string | Buffer | undefined): Promise<number> => {
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket)).on("error", () => undefined);
      socket.on("data", (data) => {
        received.push(data.toString());
        const reply = answer(data.toString());
        if (reply !== undefined) socket.write(reply);
      });
    });
    servers.push(server);
    await once(server.listen(0, HOST), "listening");
    return (server.address() as AddressInfo).port;
  };
  const closedPort = async (): Promise<number> => {
    const server = createServer();
    await once(server.listen(0, HOST), "listening");
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, "close");
    return port;
  };
  after(async () => {
    for (const socket of sockets) socket.destroy();
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  });

  describe("connecting", () => {
    it("tells open from closed", async () => {
      assert.equal(await tryPort(HOST, await serve(() => undefined), 1000, signal), "open");
      assert.equal(await tryPort(HOST, await closedPort(), 1000, signal), "refused");
    });

    it("gives up when cancelled", async () => {
      const cancelling = new AbortController();
      const trying = tryPort(HOST, await serve(() => undefined), 1000, cancelling.signal);
      cancelling.abort(new Error("enough"));
      await assert.rejects(trying, /enough/);
    });

    it("finds a host that refuses, too", async () => {
      const [open, closed] = [await serve(() => undefined), await closedPort()];
      const ports: CameraPorts = { rtsp: [closed], http: [open], https: [], other: [] };
      const found: [string, ...[number, string][]][] = [];
      const progress: number[] = [];
      const search = {
        gate: new ConnectionGate(),
        ports,
        timeoutMs: 500,
        signal,
        interfaces: [],
        progress: (done: number) => progress.push(done),
      };
      await findHosts(parseSubnet(HOST, true), search, ({ ip, states }) => found.push([ip, ...states]));
      assert.deepEqual(found, [[HOST, [closed, "refused"], [open, "open"]]]);
      assert.deepEqual(progress, [1]);
      assert.deepEqual(await checkPorts(HOST, [open], search), new Map([[open, "open"]]));
    });
  });

  describe("the gate", () => {
    it("lets so many through, and so many to one host", async () => {
      const gate = new ConnectionGate(5, 2);
      const open = new Map<string, number>();
      let most = 0;
      const mostPerHost = new Map<string, number>();
      const visit = (host: string): Promise<void> =>
        gate.run(host, signal, async () => {
          open.set(host, (open.get(host) ?? 0) + 1);
          most = Math.max(
            most,
            [...open.values()].reduce((sum, count) => sum + count, 0),
          );
          mostPerHost.set(host, Math.max(mostPerHost.get(host) ?? 0, open.get(host) ?? 0));
          await sleep(1);
          open.set(host, (open.get(host) ?? 0) - 1);
        });
      await Promise.all(["a", "b", "c", "d"].flatMap((host) => Array.from({ length: 6 }, () => visit(host))));
      assert.equal(most, 5);
      assert.deepEqual([...mostPerHost.values()], [2, 2, 2, 2]);
    });

    it("lets the next in when work fails, and those that wait out when cancelled", async () => {
      const gate = new ConnectionGate(1, 1);
      await assert.rejects(
        gate.run("a", signal, () => Promise.reject(new Error("spoiled"))),
        /spoiled/,
      );
      const cancelling = new AbortController();
      const first = gate.run("a", signal, () => sleep(20));
      const second = gate.run("a", cancelling.signal, () => Promise.resolve());
      cancelling.abort(new Error("enough"));
      await assert.rejects(second, /enough/);
      await assert.rejects(
        gate.run("a", cancelling.signal, () => Promise.resolve()),
        /enough/,
      );
      await first;
      assert.equal(await gate.run("a", signal, () => Promise.resolve("in")), "in");
    });
  });

  describe("the table of neighbours", () => {
    const TABLE = `IP address       HW type     Flags       HW address            Mask     Device
192.168.1.1      0x1         0x2         c4:2f:90:00:00:01     *        eth0
192.168.1.7      0x1         0x0         00:00:00:00:00:00     *        eth0
192.168.1.8      0x1         0x6         AC:CC:8E:00:00:02     *        eth0
192.168.1.9      0x1         0x2         00:00:00:00:00:00     *        eth0
half a li`;
    it("names those that answered", () => {
      assert.deepEqual(
        [...parseArpTable(TABLE)],
        [
          ["192.168.1.1", "c4:2f:90:00:00:01"],
          ["192.168.1.8", "ac:cc:8e:00:00:02"],
        ],
      );
      assert.equal(parseArpTable("").size, 0);
    });
  });

  describe("banners", () => {
    it("reads status, headers and body", () => {
      const banner = parseBanner(
        "HTTP/1.1 401 No\r\nServer: a: b\r\nWWW-Authenticate: Basic\r\nwww-authenticate: Digest\r\nodd\r\n\r\nbody",
      );
      assert.deepEqual([banner?.protocol, banner?.status, banner?.body], ["HTTP", 401, "body"]);
      assert.deepEqual(banner?.headers.get("www-authenticate"), ["Basic", "Digest"]);
      assert.deepEqual(banner?.headers.get("server"), ["a: b"]);
      assert.equal(parseBanner("RTSP/1.0 200 OK")?.protocol, "RTSP");
    });
    for (const text of ["", "SSH-2.0-OpenSSH", "HTTP/1.1", "ICY 200 OK\r\n\r\n", " HTTP/1.1 200 OK"]) {
      it(`knows that ${JSON.stringify(text)} is none`, () => assert.equal(parseBanner(text), undefined));
    }

    const ask = (port: number, timeoutMs = 300) =>
      readBanner({ host: HOST, port, tls: false, text: "GET / HTTP/1.1\r\n\r\n", timeoutMs, signal });
    it("waits no longer than it should for a server that says nothing, or not enough", async () => {
      const startedAt = Date.now();
      assert.equal(await ask(await serve(() => undefined), 100), undefined);
      const half = await ask(await serve(() => "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf"), 100);
      assert.equal(half?.body, "half");
      assert.ok(Date.now() - startedAt < 2000);
    });
    it("reads no more than it wants of a server without an end", async () => {
      const banner = await ask(
        await serve(() => Buffer.concat([Buffer.from("HTTP/1.1 200 OK\r\n\r\n"), Buffer.alloc(1 << 20, 97)])),
        5000,
      );
      assert.ok((banner?.body.length ?? 0) > 1000 && (banner?.body.length ?? 0) <= 32 * 1024);
    });
    it("says nothing of a closed port", async () => assert.equal(await ask(await closedPort()), undefined));
  });

  describe("who is there", () => {
    const told = async (kind: "rtsp" | "http", port: number) => {
      const ports: CameraPorts = { rtsp: [], http: [], https: [], other: [], [kind]: [port] };
      const how = { gate: new ConnectionGate(), ports, timeoutMs: 300, signal };
      return fingerprint(HOST, [port], how);
    };
    const rtsp =
      (realm: string, server = "x", status = 401) =>
      (request: string): string =>
        request.startsWith("OPTIONS")
          ? `RTSP/1.0 200 OK\r\nCSeq: 1\r\nServer: ${server}\r\n\r\n`
          : `RTSP/1.0 ${status} Status\r\nCSeq: 1\r\nServer: ${server}\r\nWWW-Authenticate: Digest realm="${realm}", nonce="1"\r\n\r\n`;

    for (const [realm, vendor] of [
      ["IP Camera(A1234)", "Hikvision"],
      ["Login to 4C0048DPAJ", "Dahua"],
      ["AXIS_ACCC8E010203", "Axis"],
      ["BC Streaming Media", "Reolink"],
      ["iPolis", "Hanwha Vision"],
      ["Somebody else", undefined],
    ] as const) {
      it(`knows a camera by the RTSP realm ${JSON.stringify(realm)}`, async () => {
        const port = await serve(rtsp(realm));
        assert.deepEqual(await told("rtsp", port), {
          method: "ports",
          ip: HOST,
          isCamera: true,
          vendor,
          services: [{ protocol: "RTSP", port, url: `rtsp://${HOST}:${port}/` }],
          ports: [port],
          needsPassword: true,
        });
      });
    }

    it("knows a camera that wants no password", async () => {
      assert.equal((await told("rtsp", await serve(rtsp("x", "y", 200)))).needsPassword, false);
      assert.equal((await told("rtsp", await serve(rtsp("x", "y", 404)))).needsPassword, undefined);
    });

    const web =
      (headers: string, time = "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n") =>
      (request: string): string =>
        request.startsWith("POST") ? time : `HTTP/1.1 ${headers}\r\nContent-Length: 0\r\n\r\n`;
    for (const [what, answer, isCamera, vendor] of [
      ["a camera by its HTTP server", web("200 OK\r\nServer: App-webs/"), true, "Hikvision"],
      [
        "a camera by its HTTP realm",
        web('401 No\r\nWWW-Authenticate: Digest realm="Login to 1", nonce="1"'),
        true,
        "Dahua",
      ],
      [
        "a camera that speaks ONVIF",
        web("200 OK", "HTTP/1.1 200 OK\r\n\r\n<s:Body><tds:GetSystemDateAndTimeResponse></s:Body>"),
        true,
        undefined,
      ],
      ["no camera in a printer", web("200 OK\r\nServer: JetDirect"), false, undefined],
      [
        "no camera in a web server that repeats what it is sent",
        (request: string) => `HTTP/1.1 200 OK\r\n\r\n${request}`,
        false,
        undefined,
      ],
      ["no camera in a server of something else", () => "SSH-2.0-OpenSSH\r\n", false, undefined],
      ["no camera in a server that says nothing", () => undefined, false, undefined],
    ] as const) {
      it(`knows ${what}`, async () => {
        const sighting = await told("http", await serve(answer));
        assert.deepEqual([sighting.isCamera, sighting.vendor], [isCamera, vendor]);
      });
    }

    it("knows no camera in a loudspeaker, nor in a web server on RTSP's port", async () => {
      assert.equal((await told("rtsp", await serve(rtsp("x", "AirTunes/380")))).isCamera, false);
      assert.equal((await told("rtsp", await serve(() => "HTTP/1.1 400 Bad\r\n\r\n"))).isCamera, false);
    });

    it("has never sent a login", () => {
      assert.ok(received.length > 10);
      assert.ok(received.every((request) => !/authorization|password|usernametoken/i.test(request)));
    });
  });

  describe("makers", () => {
    it("are known by MAC, by the names of the table of brands", () => {
      for (const [mac, vendor] of [
        ["c4:2f:90:00:00:01", "Hikvision"],
        ["3c:ef:8c:00:00:01", "Dahua"],
        ["ac:cc:8e:00:00:01", "Axis"],
        ["e4:30:22:00:00:01", "Hanwha Vision"],
      ] as const) {
        assert.equal(vendorOfMac(mac), vendor);
        assert.equal(brandOfVendor(vendor)?.label, vendor);
      }
      assert.equal(vendorOfMac("02:00:00:00:00:01"), undefined);
    });
    it("are known by their own names", () => {
      assert.equal(vendorOfName("HIKVISION DS-1"), "Hikvision");
      assert.equal(vendorOfName("Axis Communications"), "Axis");
      assert.equal(vendorOfName("Maxis"), undefined);
      assert.equal(vendorOfName(undefined), undefined);
    });
  });
});

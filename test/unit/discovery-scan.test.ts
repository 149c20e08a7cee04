import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { dhip, frameDhip } from "../../src/discovery/dhip.ts";
import { gvcp } from "../../src/discovery/gvcp.ts";
import { subnetAround } from "../../src/discovery/ipv4.ts";
import type { LocalInterface } from "../../src/discovery/network.ts";
import { sadp } from "../../src/discovery/sadp.ts";
import { type DiscoverOptions, type DiscoveryEvent, discover } from "../../src/discovery/scan.ts";
import type { Sighting } from "../../src/discovery/sighting.ts";
import { askByUdp, type UdpProbe } from "../../src/discovery/udp-probe.ts";
import { wsDiscovery } from "../../src/discovery/ws-discovery.ts";

const LOOPBACK = "127.0.0.1";
const local: LocalInterface = {
  name: "lo",
  address: LOOPBACK,
  subnet: subnetAround(LOOPBACK, 8),
  broadcast: "127.255.255.255",
};

describe("discovery: asking by UDP", () => {
  const open: Socket[] = [];
  afterEach(() => Promise.all(open.splice(0).map((socket) => new Promise<void>((done) => socket.close(done)))));

  /** A device on loopback; it joins the group there, so that no packet leaves this machine. */
  const device = async (
    group: string | undefined,
    answer: (question: Buffer, socket: Socket, from: { address: string; port: number }) => void,
  ): Promise<number> => {
    const socket = createSocket({ type: "udp4", reuseAddr: true });
    open.push(socket);
    socket.bind(0);
    await once(socket, "listening");
    if (group) socket.addMembership(group, LOOPBACK);
    if (group) socket.setMulticastInterface(LOOPBACK);
    socket.on("message", (question, from) => answer(question, socket, from));
    return socket.address().port;
  };
  const ask = async <A>(probe: UdpProbe<A>, signal = new AbortController().signal, listenMs = 250): Promise<A[]> => {
    const answers: A[] = [];
    await askByUdp(probe, { interfaces: [local], rounds: [0, 60, 120], listenMs, signal }, (one) => answers.push(one));
    return answers;
  };
  let ids = 0;
  const newId = (): string => `00000000-0000-4000-8000-${String(++ids).padStart(12, "0")}`;
  const matches = (question: Buffer): string => {
    const id = /MessageID>([^<]+)</.exec(question.toString())?.[1];
    return `<Envelope><Header><RelatesTo>${id}</RelatesTo></Header><Body><ProbeMatches><ProbeMatch><Types>dn:NetworkVideoTransmitter</Types><Scopes>onvif://www.onvif.org/name/Till</Scopes><XAddrs>http://127.0.0.1:8080/onvif/device_service</XAddrs></ProbeMatch></ProbeMatches></Body></Envelope>`;
  };

  it("asks by multicast in three rounds for three types, between hostile answers", async () => {
    let asked = 0;
    const port = await device("239.255.255.250", (question, socket, from) => {
      asked++;
      socket.send("garbage", from.port, from.address);
      socket.send(Buffer.alloc(40_000, 60), from.port, from.address);
      socket.send(matches(question), from.port, from.address);
    });
    const answers = await ask(wsDiscovery(newId, port));
    assert.equal(asked, 9);
    assert.deepEqual([answers.length, answers[0]?.name, answers[0]?.ip], [9, "Till", LOOPBACK]);
    assert.equal(answers[0]?.services?.[0]?.url, "http://127.0.0.1:8080/onvif/device_service");
  });

  it("asks a single host", async () => {
    const port = await device(undefined, (question, socket, from) =>
      socket.send(matches(question), from.port, from.address),
    );
    const answers: Sighting[] = [];
    const asking = {
      interfaces: [local],
      hosts: [LOOPBACK],
      rounds: [0],
      listenMs: 150,
      signal: new AbortController().signal,
    };
    await askByUdp(wsDiscovery(newId, port), asking, (answer) => answers.push(answer));
    assert.equal(answers.length, 3);
  });

  it("hears answers that go to the group, and not its own question", async () => {
    const port = await device("239.255.255.250", (question, socket) => {
      const id = /<Probe><Uuid>([^<]+)</.exec(question.toString())?.[1];
      if (id) socket.send(`<ProbeMatch><Uuid>${id}</Uuid></ProbeMatch>`, port, "239.255.255.250");
    });
    const answers = await ask(sadp(newId, port));
    assert.equal(answers.length, 3);
    assert.equal(answers[0]?.method, "sadp");
  });

  it("asks the broadcast address", async () => {
    const port = await device(undefined, (question, socket, from) => {
      const answer = Buffer.alloc(256);
      answer.writeUInt16BE(3, 2);
      answer.writeUInt16BE(248, 4);
      question.copy(answer, 6, 6, 8);
      socket.send(answer, from.port, from.address);
    });
    assert.equal((await ask(gvcp(port))).length, 3);
  });

  it("asks a group and the broadcast address", async () => {
    const port = await device("239.255.255.251", (_question, socket, from) =>
      socket.send(
        frameDhip({ method: "client.notifyDevInfo", params: { deviceInfo: { DeviceClass: "IPC" } } }),
        from.port,
        from.address,
      ),
    );
    assert.equal((await ask(dhip(port))).length, 6);
  });

  it("hears no more of one sender than it should", async () => {
    const port = await device("239.255.255.250", (question, socket, from) => {
      for (let count = 0; count < 100; count++) socket.send(matches(question), from.port, from.address);
    });
    assert.equal((await ask(wsDiscovery(newId, port))).length, 64);
  });

  it("stops when cancelled", async () => {
    const stop = new AbortController();
    const startedAt = Date.now();
    setTimeout(() => stop.abort(), 50);
    await ask(wsDiscovery(newId, await device(undefined, () => undefined)), stop.signal, 20_000);
    assert.ok(Date.now() - startedAt < 2000);
  });

  it("goes on where an interface cannot be opened", async () => {
    const port = await device("239.255.255.250", (question, socket, from) =>
      socket.send(matches(question), from.port, from.address),
    );
    const troubles: Error[] = [];
    const answers: Sighting[] = [];
    const gone = { ...local, name: "gone", address: "192.0.2.77" };
    const asking = { rounds: [0], listenMs: 150, signal: new AbortController().signal };
    await askByUdp(
      wsDiscovery(newId, port),
      { ...asking, interfaces: [gone, local], onTrouble: (error) => troubles.push(error) },
      (answer) => answers.push(answer),
    );
    assert.deepEqual([troubles.length, answers.length], [1, 3]);
  });
});

describe("discovery: a scan of loopback", () => {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", () =>
      socket.write('RTSP/1.0 401 No\r\nWWW-Authenticate: Digest realm="IP Camera(1)", nonce="1"\r\n\r\n'),
    );
  });
  let options: DiscoverOptions;
  before(async () => {
    await once(server.listen(0, LOOPBACK), "listening");
    const { port } = server.address() as AddressInfo;
    options = {
      interfaces: [],
      subnets: [LOOPBACK],
      anyRange: true,
      methods: ["ports"],
      ports: { rtsp: [port], http: [], https: [], other: [] },
    };
  });
  after(() => new Promise((resolve) => server.close(resolve)));
  const never = new AbortController().signal;
  const collect = async (signal = never, changed: DiscoverOptions = {}): Promise<DiscoveryEvent[]> => {
    const events: DiscoveryEvent[] = [];
    for await (const event of discover({ ...options, ...changed }, signal)) events.push(event);
    return events;
  };

  it("tells what it finds, how far it is, and all at the end", async () => {
    const events = await collect();
    const found = events.find(({ type }) => type === "found");
    assert.ok(found?.type === "found");
    assert.deepEqual([found.device.ip, found.device.vendor, found.device.needsPassword], [LOOPBACK, "Hikvision", true]);
    assert.deepEqual(events.slice(-2), [
      { type: "progress", progress: 1 },
      { type: "finished", devices: [found.device] },
    ]);
  });

  it("runs once at a time, and again after the end, an error, or a reader that went away", async () => {
    const first = discover(options, never);
    await first.next();
    await assert.rejects(collect(), { code: "DISCOVERY_RUNNING", message: /running already/ });
    await first.return();
    await assert.rejects(collect(never, { subnets: ["8.8.8.8/8"] }), { code: "SETTING_INVALID" });
    await assert.rejects(collect(never, { interfaces: ["nowhere0"] }), { code: "SETTING_INVALID" });
    await assert.rejects(collect(never, { subnets: Array(17).fill(LOOPBACK) }), { code: "SETTING_INVALID" });
    assert.equal((await collect()).at(-1)?.type, "finished");
  });

  it("throws the reason when it is cancelled, before or while it runs", async () => {
    await assert.rejects(collect(AbortSignal.abort(new Error("before"))), /before/);
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error("meanwhile")), 30);
    const listening = { methods: ["ws-discovery"], subnets: [], listenMs: 20_000 } as const;
    await assert.rejects(collect(stop.signal, listening), /meanwhile/);
    assert.equal((await collect()).at(-1)?.type, "finished");
  });
});

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CameraFinder, isSearchAllowed, locate } from "../../src/discovery/camera-finder.ts";
import type { DiscoveredDevice } from "../../src/discovery/merge.ts";
import type { DiscoverOptions, DiscoveryEvent } from "../../src/discovery/scan.ts";
import { CctvError } from "../../src/errors.ts";
import { CameraLan } from "../servers/camera-lan.ts";
import type { LanHost } from "../servers/camera-lan-host.ts";

const MINUTE = 60_000;
const [A, B, C] = ["192.168.7.10", "192.168.7.20", "192.168.7.30"];
const MAC = "02:00:00:00:00:aa";
const OTHER_MAC = "02:00:00:00:00:bb";
const ENDPOINT = "urn:uuid:00000000-0000-4000-8000-0000000000aa";
const seen = (ip: string, facts: Partial<DiscoveredDevice> = {}): DiscoveredDevice => ({
  ip,
  ips: [ip],
  protocols: ["ONVIF"],
  ports: [80],
  addresses: [`onvif://${ip}:80`],
  ...facts,
});
const noSignal = new AbortController().signal;

describe("camera finder: policy", () => {
  for (const [what, last, now, expected] of [
    ["never searched", undefined, 0, true],
    ["just searched", 1000, 1001, false],
    ["almost five minutes ago", 0, 5 * MINUTE - 1, false],
    ["five minutes ago", 0, 5 * MINUTE, true],
    ["the clock was set back", 9 * MINUTE, MINUTE, true],
  ] as const) {
    it(`${what}: ${expected ? "searches" : "does not"}`, () => assert.equal(isSearchAllowed(last, now), expected));
  }

  for (const [what, known, devices, neighbours, expected] of [
    ["by the MAC that it announces", { mac: MAC }, [seen(B, { mac: MAC })], {}, B],
    ["by the MAC that this machine sees", { mac: MAC }, [seen(B)], { [B]: MAC }, B],
    ["by its endpoint alone", { endpoint: ENDPOINT }, [seen(C), seen(B, { endpoint: ENDPOINT })], {}, B],
    ["not where this machine sees another MAC", { mac: MAC }, [seen(B, { mac: MAC })], { [B]: OTHER_MAC }, undefined],
    [
      "not by an endpoint of another MAC",
      { mac: MAC, endpoint: ENDPOINT },
      [seen(B, { endpoint: ENDPOINT, mac: OTHER_MAC })],
      {},
      undefined,
    ],
    ["silent, in the table of neighbours", { mac: MAC }, [], { [A]: MAC, [B]: MAC }, B],
    ["not where two neighbours have its MAC", { mac: MAC }, [], { [B]: MAC, [C]: MAC }, undefined],
    ["not where it still is", { mac: MAC }, [seen(A, { mac: MAC })], { [A]: MAC }, undefined],
    ["not where it has both addresses", { mac: MAC }, [seen(B, { mac: MAC, ips: [B, A] })], {}, undefined],
    ["not on the Internet", { mac: MAC }, [seen("203.0.113.9", { mac: MAC })], {}, undefined],
    ["not among strangers", { endpoint: ENDPOINT }, [seen(B)], { [B]: MAC }, undefined],
  ] as const) {
    it(`is found ${what}`, () => {
      assert.equal(locate(A, known, devices, new Map(Object.entries(neighbours))), expected);
    });
  }
});

describe("camera finder", () => {
  let folder: string;
  let neighbourTable: string;
  let now = 0;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "neighbours-"));
    neighbourTable = join(folder, "arp");
  });
  after(() => rm(folder, { recursive: true }));

  const neighbours = (macs: Readonly<Record<string, string>>) => {
    const rows = Object.entries(macs).map(([ip, mac]) => `${ip.padEnd(16)} 0x1  0x2  ${mac}     *        eth0`);
    return writeFile(
      neighbourTable,
      `${["IP address       HW type  Flags  HW address            Mask     Device", ...rows].join("\n")}\n`,
    );
  };
  /** A finder, what its discovery was asked, and how the discovery goes on. */
  const setUp = (answers: (readonly DiscoveredDevice[] | Error)[]) => {
    const asked: DiscoverOptions[] = [];
    const signals: AbortSignal[] = [];
    let go = (): void => undefined;
    const gone = new Promise<void>((resolve) => {
      go = resolve;
    });
    async function* discover(options: DiscoverOptions, signal: AbortSignal): AsyncGenerator<DiscoveryEvent> {
      asked.push(options);
      signals.push(signal);
      const answer = answers.shift() ?? [];
      await gone;
      if (answer instanceof Error) throw answer;
      yield { type: "finished", devices: answer };
    }
    return { finder: new CameraFinder({ now: () => now, discover, neighbourTable }), asked, signals, go };
  };

  it("asks cameras to announce themselves, and scans no ports", async () => {
    const { finder, asked, go } = setUp([[seen(B, { mac: MAC })]]);
    go();
    await neighbours({ [A]: MAC });
    await finder.remember(A);
    assert.equal(await finder.find(A, noSignal), B);
    assert.deepEqual(asked, [{ methods: ["sadp", "dhip", "gvcp", "mdns", "ws-discovery", "ssdp"] }]);
  });

  it("finds one that says nothing in the table of neighbours", async () => {
    const { finder, go } = setUp([[]]);
    go();
    await neighbours({ [A]: MAC });
    await finder.remember(A);
    await neighbours({ [B]: MAC });
    assert.equal(await finder.find(A, noSignal), B);
  });

  it("knows by its endpoint what this machine cannot see, and keeps it", async () => {
    const { finder, go } = setUp([[seen(B, { endpoint: ENDPOINT })]]);
    go();
    await rm(neighbourTable, { force: true });
    await finder.remember(A, ENDPOINT);
    await finder.remember(A);
    assert.equal(await finder.find(A, noSignal), B);
  });

  it("forgets the endpoint when another device has the address", async () => {
    const { finder, go } = setUp([[seen(B, { endpoint: ENDPOINT })]]);
    go();
    await neighbours({ [A]: MAC });
    await finder.remember(A, ENDPOINT);
    await neighbours({ [A]: OTHER_MAC });
    await finder.remember(A);
    assert.equal(await finder.find(A, noSignal), undefined);
  });

  for (const host of ["camera.lan", "203.0.113.9", "[fd00::1]", "127.0.0.1"]) {
    it(`does not concern itself with ${host}`, async () => {
      const { finder, asked } = setUp([]);
      await neighbours({ [host]: MAC });
      await finder.remember(host, ENDPOINT);
      assert.equal(await finder.find(host, noSignal), undefined);
      assert.equal(asked.length, 0);
    });
  }

  it("searches once for all who ask at once or soon after, and again after five minutes", async () => {
    now = 0;
    const { finder, asked, go } = setUp([[seen(B, { mac: MAC })], [seen(C, { mac: OTHER_MAC })]]);
    await neighbours({ [A]: MAC, "192.168.7.11": OTHER_MAC });
    await finder.remember(A);
    await finder.remember("192.168.7.11");
    const both = Promise.all([finder.find(A, noSignal), finder.find("192.168.7.11", noSignal)]);
    go();
    assert.deepEqual(await both, [B, undefined]);
    now = 4 * MINUTE;
    assert.equal(await finder.find("192.168.7.11", noSignal), undefined);
    assert.equal(asked.length, 1);
    now = 5 * MINUTE;
    assert.equal(await finder.find("192.168.7.11", noSignal), C);
    assert.equal(asked.length, 2);
  });

  it("gives way to a scan that runs, and searches when it is asked again", async () => {
    const { finder, asked, go } = setUp([new CctvError("DISCOVERY_RUNNING", "busy"), [seen(B, { mac: MAC })]]);
    go();
    await neighbours({ [A]: MAC });
    await finder.remember(A);
    assert.equal(await finder.find(A, noSignal), undefined);
    assert.equal(await finder.find(A, noSignal), B);
    assert.equal(asked.length, 2);
  });

  it("goes on searching while one still waits, and stops when nobody does", async () => {
    const { finder, signals, asked } = setUp([]);
    await neighbours({ [A]: MAC });
    await finder.remember(A);
    const [one, other] = [new AbortController(), new AbortController()];
    const first = assert.rejects(finder.find(A, one.signal), /one has left/);
    const second = assert.rejects(finder.find(A, other.signal), /other has left/);
    one.abort(new Error("one has left"));
    await first;
    assert.equal(signals[0]?.aborted, false);
    other.abort(new Error("other has left"));
    await second;
    assert.equal(signals[0]?.aborted, true);
    assert.equal(asked.length, 1);
  });

  it("says what went wrong with the search", async () => {
    const { finder, go } = setUp([new CctvError("SETTING_INVALID", "too many networks")]);
    go();
    await neighbours({ [A]: MAC });
    await finder.remember(A);
    await assert.rejects(finder.find(A, noSignal), { code: "SETTING_INVALID" });
  });
});

describe("camera finder: on a LAN", function () {
  this.timeout(30_000);
  const CLIENT = ["10.88.1.2", "10.88.2.2"];
  const onvif = { uuid: "00000000-0000-4000-8000-0000000000a1", scopes: "onvif://www.onvif.org/name/Yard" };
  const announcing: LanHost = { ip: "10.88.1.11", mac: "02:00:00:00:01:11", onvif };
  const silent: LanHost = { ip: "10.88.1.12", mac: "02:00:00:00:01:12", rtsp: { port: 554, realm: "x", server: "" } };
  let lan: CameraLan | undefined;
  before(async function () {
    if (!CameraLan.isAvailable()) return this.skip();
    lan = await CameraLan.start(CLIENT, [announcing, silent]);
  });
  after(async () => {
    await lan?.stop();
    if (lan) assert.deepEqual(CameraLan.leftovers(), []);
  });

  it("finds a camera by its MAC after DHCP has moved it, without a login", async () => {
    assert.ok(lan);
    const ask = lan.openFinder();
    for (const { ip } of [announcing, silent]) await ask({ what: "remember", host: ip });
    await lan.move(announcing.ip, {
      ...announcing,
      ip: "10.88.1.77",
      onvif: { ...onvif, uuid: onvif.uuid.replace("a1", "a2") },
    });
    assert.deepEqual(await ask({ what: "find", host: announcing.ip }), { host: "10.88.1.77" });
    assert.deepEqual(await ask({ what: "find", host: silent.ip }), {});
    assert.equal(lan.logins, 0);
  });
});

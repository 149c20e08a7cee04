import assert from "node:assert/strict";
import { DeviceBook } from "../../src/discovery/device-book.ts";
import { type DiscoveredDevice, mergeSightings, toResults } from "../../src/discovery/merge.ts";
import { findMoved } from "../../src/discovery/moved.ts";
import type { Service, Sighting } from "../../src/discovery/sighting.ts";

const seen = (ip: string, fields: Partial<Sighting> = {}): Sighting => ({
  method: "ws-discovery",
  ip,
  isCamera: true,
  ...fields,
});
const onvif = (ip: string, port = 80, path = "/onvif/device_service"): Service => ({
  protocol: "ONVIF",
  port,
  url: `http://${ip}:${port}${path}`,
});
const rtsp = (ip: string, port = 554): Service => ({ protocol: "RTSP", port, url: `rtsp://${ip}:${port}/` });
const web = (ip: string, port = 80): Service => ({ protocol: "HTTP", port, url: `http://${ip}:${port}/` });
const ips = (sightings: Sighting[]): (readonly string[])[] => mergeSightings(sightings).map((device) => device.ips);

const [A, B, C] = ["192.168.1.10", "192.168.1.11", "192.168.1.12"] as const;
const [MAC, OTHER_MAC] = ["c4:2f:90:00:00:01", "c4:2f:90:00:00:02"] as const;

describe("discovery: merge", () => {
  it("makes one entry of all that was seen at one address", () => {
    const sightings: Sighting[] = [
      seen(A, { endpoint: "urn:uuid:1", name: "HIKVISION X", hardware: "X", services: [onvif(A)] }),
      seen(A, { method: "sadp", mac: MAC, vendor: "Hikvision", model: "DS-1", activated: true, ports: [8000] }),
      seen(A, {
        method: "ports",
        vendor: "Hikvision",
        services: [rtsp(A), web(A)],
        ports: [80, 554],
        needsPassword: true,
      }),
      seen(A, { method: "ports", isCamera: false, mac: MAC, isMacSeen: true }),
    ];
    const expected: DiscoveredDevice = {
      ip: A,
      ips: [A],
      mac: MAC,
      endpoint: "urn:uuid:1",
      vendor: "Hikvision",
      model: "DS-1",
      name: "HIKVISION X",
      hardware: "X",
      protocols: ["ONVIF", "RTSP", "HTTP"],
      ports: [80, 554, 8000],
      addresses: [
        `onvif://${A}:80`,
        `hik://${A}:80`,
        `rtsp://${A}:554/Streaming/Channels/101`,
        `rtsp://${A}:554/`,
        `http://${A}:80/`,
      ],
      needsPassword: true,
      activated: true,
    };
    assert.deepEqual(mergeSightings(sightings), [expected]);
    assert.deepEqual(mergeSightings(sightings.toReversed()), [expected]);
  });

  for (const [what, sightings, expected] of [
    ["one MAC at two addresses", [seen(A, { mac: MAC }), seen(B, { mac: MAC })], [[A, B]]],
    [
      "one endpoint at two addresses",
      [seen(B, { endpoint: "urn:uuid:1" }), seen(A, { endpoint: "urn:uuid:1" })],
      [[A, B]],
    ],
    [
      "a copied endpoint under two MACs",
      [
        seen(A, { endpoint: "urn:uuid:1", mac: MAC }),
        seen(B, { endpoint: "urn:uuid:1", mac: OTHER_MAC }),
        seen(C, { endpoint: "urn:uuid:1" }),
      ],
      [[A], [B], [C]],
    ],
    [
      "a claim to another device's MAC",
      [
        seen(A, { mac: MAC, isMacSeen: true }),
        seen(B, { mac: MAC }),
        seen(B, { mac: OTHER_MAC, isMacSeen: true, method: "ports" }),
      ],
      [[A], [B]],
    ],
    [
      "a router's MAC for many",
      ["1", "2", "3", "4", "5"].map((last) => seen(`10.0.0.${last}`, { mac: MAC })),
      [["10.0.0.1"], ["10.0.0.2"], ["10.0.0.3"], ["10.0.0.4"], ["10.0.0.5"]],
    ],
    [
      "an address of its own making beside a router's",
      [seen("169.254.3.4", { mac: MAC }), seen(C, { mac: MAC })],
      [[C, "169.254.3.4"]],
    ],
    ["addresses in their order", [seen("10.0.0.10"), seen("10.0.0.9")], [["10.0.0.9"], ["10.0.0.10"]]],
  ] as const) {
    it(`knows ${what}`, () => {
      assert.deepEqual(ips([...sightings]), expected);
      assert.deepEqual(ips(sightings.toReversed()), expected);
    });
  }

  it("tells cameras alone, and adds what others know of them", () => {
    const printer = seen(B, { method: "ports", isCamera: false, ports: [80], services: [web(B)] });
    const [device, ...others] = mergeSightings([seen(A), printer, { ...printer, ip: A, services: [web(A)] }]);
    assert.equal(others.length, 0);
    assert.deepEqual([device?.ip, device?.ports, device?.protocols], [A, [80], ["HTTP"]]);
  });

  it("takes the maker from its own protocol, then its servers, its MAC and its name", () => {
    const by = (...fields: Partial<Sighting>[]): string | undefined =>
      mergeSightings(fields.map((one) => seen(A, one)))[0]?.vendor;
    const name: Partial<Sighting> = { vendor: "Sony" };
    const mac: Partial<Sighting> = { mac: "ac:cc:8e:00:00:01" };
    const servers: Partial<Sighting> = { method: "ports", vendor: "Reolink" };
    const own: Partial<Sighting> = { method: "dhip", vendor: "Dahua" };
    assert.equal(by(name), "Sony");
    assert.equal(by(name, mac), "Axis");
    assert.equal(by(name, mac, servers), "Reolink");
    assert.equal(by(name, mac, servers, own), "Dahua");
    assert.equal(by({}), undefined);
  });

  it("wants a password where any of its servers does", () => {
    const [device] = mergeSightings([
      seen(A, { needsPassword: false }),
      seen(A, { method: "ports", needsPassword: true }),
    ]);
    assert.equal(device?.needsPassword, true);
  });

  it("puts addresses in the order to try them, and names none twice", () => {
    const secure: Service = { protocol: "ONVIF", port: 443, url: `https://${A}:443/onvif/device_service` };
    const [device] = mergeSightings([
      seen(A, { services: [web(A, 8080), rtsp(A, 8554), rtsp(A), secure, onvif(A, 8899, "/odd")] }),
      seen(A, { method: "ports", vendor: "Dahua", services: [rtsp(A)] }),
      seen("169.254.1.1", { services: [onvif("169.254.1.1")], mac: MAC }),
      seen(A, { mac: MAC }),
    ]);
    assert.deepEqual(device?.addresses, [
      `onvif://${A}:8899/odd`,
      `onvifs://${A}:443`,
      "onvif://169.254.1.1:80",
      `dahua://${A}:8080`,
      `rtsp://${A}:554/cam/realmonitor?channel=1&subtype=0`,
      `rtsp://${A}:8554/cam/realmonitor?channel=1&subtype=0`,
      `rtsp://${A}:554/`,
      `rtsp://${A}:8554/`,
      `http://${A}:8080/`,
    ]);
  });

  it("gives the ways to reach a device in the specification's words", () => {
    const [device] = mergeSightings([
      seen(A, { vendor: "Hikvision", method: "sadp", services: [web(A), rtsp(A), onvif(A, 8080)] }),
    ]);
    assert.deepEqual(device && toResults(device), [
      { ip: A, protocol: "ONVIF", port: 8080, url: `onvif://${A}:8080` },
      { ip: A, protocol: "RTSP", port: 554, url: `rtsp://${A}:554/Streaming/Channels/101` },
      { ip: A, protocol: "HTTP", port: 80, url: `http://${A}:80/` },
    ]);
  });
});

describe("discovery: what changes", () => {
  it("tells a device when it is found, and again when more is known", () => {
    const book = new DeviceBook();
    const types = (): string[] => book.changes().map(({ type, device }) => `${type} ${device.ip}`);
    assert.equal(book.add(seen(A)), true);
    assert.deepEqual(types(), [`found ${A}`]);
    assert.deepEqual(types(), []);
    assert.equal(book.add(seen(A)), false);
    book.add(seen(A, { name: "Till" }));
    book.add(seen(B, { isCamera: false }));
    assert.deepEqual(types(), [`updated ${A}`]);
    book.add(seen(B));
    assert.deepEqual(types(), [`found ${B}`]);
  });

  it("tells two that turn out to be one as one update", () => {
    const book = new DeviceBook();
    book.add(seen(A));
    book.add(seen(B, { mac: MAC }));
    assert.equal(book.changes().length, 2);
    book.add(seen(A, { mac: MAC }));
    assert.deepEqual(
      book.changes().map(({ type, device }) => [type, device.ips]),
      [["updated", [A, B]]],
    );
    assert.equal(book.devices.length, 1);
  });

  it("listens to no host for ever", () => {
    const book = new DeviceBook();
    const taken = Array.from({ length: 500 }, (_, index) => book.add(seen(A, { name: `${index}` })));
    assert.equal(taken.filter(Boolean).length, 64);
  });
});

describe("discovery: moved cameras", () => {
  const at = (ip: string, mac?: string, endpoint?: string) => ({
    ip,
    ...(mac && { mac }),
    ...(endpoint && { endpoint }),
  });
  const E = "urn:uuid:1";
  for (const [what, known, devices, ip] of [
    ["by MAC", { mac: "C4-2F-90-00-00-01" }, [at(A, OTHER_MAC), at(B, MAC)], B],
    ["by MAC before the endpoint", { mac: MAC, endpoint: E }, [at(A, OTHER_MAC, E), at(B, MAC)], B],
    ["by endpoint where no MAC is known", { endpoint: E.toUpperCase() }, [at(A, OTHER_MAC, E)], A],
    ["by endpoint where the device's MAC is not known", { mac: MAC, endpoint: E }, [at(A, undefined, E)], A],
    ["not by the endpoint of a device with another MAC", { mac: MAC, endpoint: E }, [at(A, OTHER_MAC, E)], undefined],
    ["not where two have its endpoint", { endpoint: E }, [at(A, undefined, E), at(B, undefined, E)], undefined],
    ["not where two have its MAC", { mac: MAC }, [at(A, MAC), at(B, MAC)], undefined],
    ["not where nothing of it is known", {}, [at(A), at(B, MAC, E)], undefined],
    ["not where it is gone", { mac: MAC }, [], undefined],
  ] as const) {
    it(`are found ${what}`, () => assert.equal(findMoved(known, devices)?.ip, ip));
  }
});

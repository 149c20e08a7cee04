import assert from "node:assert/strict";
import type { NetworkInterfaceInfo } from "node:os";
import { hostsOf, ipv4ToNumber, ipv4ToText, parseSubnet, prefixOf, subnetAround } from "../../src/discovery/ipv4.ts";
import { chooseInterfaces, isNear, ownSubnets } from "../../src/discovery/network.ts";
import { CctvError } from "../../src/errors.ts";

describe("discovery: subnets", () => {
  for (const [text, hosts, first, last] of [
    ["192.168.1.0/24", 254, "192.168.1.1", "192.168.1.254"],
    ["192.168.1.77/24", 254, "192.168.1.1", "192.168.1.254"],
    [" 10.0.0.0/22 ", 1022, "10.0.0.1", "10.0.3.254"],
    ["172.31.255.252/30", 2, "172.31.255.253", "172.31.255.254"],
    ["10.1.2.4/31", 2, "10.1.2.4", "10.1.2.5"],
    ["192.168.1.64", 1, "192.168.1.64", "192.168.1.64"],
    ["100.64.0.0/24", 254, "100.64.0.1", "100.64.0.254"],
  ] as const) {
    it(`reads ${JSON.stringify(text)} as ${hosts} hosts`, () => {
      const all = hostsOf(parseSubnet(text));
      assert.deepEqual([all.length, all[0], all.at(-1)], [hosts, first, last]);
    });
  }

  for (const [text, why] of [
    ["", /looks like/],
    ["192.168.1", /looks like/],
    ["192.168.1.0/33", /looks like/],
    ["192.168.1.256/24", /looks like/],
    ["192.168.01.0/24", /looks like/],
    ["0x7f.1/24", /looks like/],
    ["2130706433", /looks like/],
    ["192.168.1.0/24; reboot", /looks like/],
    ["fe80::/64", /looks like/],
    ["10.0.0.0/8", /too large/],
    ["192.168.0.0/21", /too large/],
    ["8.8.8.0/24", /no private network/],
    ["172.32.0.0/24", /no private network/],
    ["127.0.0.0/24", /no private network/],
    ["169.254.169.254", /no private network/],
    ["224.0.0.0/24", /no private network/],
    ["0.0.0.0/24", /no private network/],
    ["255.255.255.255", /no private network/],
  ] as const) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(
        () => parseSubnet(text),
        (error) => error instanceof CctvError && error.code === "SETTING_INVALID" && why.test(error.message),
      );
    });
  }

  it("takes other ranges where that is allowed, but none without hosts", () => {
    assert.equal(hostsOf(parseSubnet("127.0.0.9", true)).length, 1);
    assert.equal(hostsOf(parseSubnet("8.8.8.0/24", true)).length, 254);
    assert.throws(() => parseSubnet("239.255.255.250", true), CctvError);
    assert.throws(() => parseSubnet("0.0.0.0", true), CctvError);
  });

  it("turns addresses to numbers and back", () => {
    for (const address of ["0.0.0.0", "10.0.0.1", "192.168.1.64", "255.255.255.255"]) {
      assert.equal(ipv4ToText(ipv4ToNumber(address) ?? -1), address);
    }
    for (const text of ["1.2.3", "1.2.3.4.5", "1.2.3.-4", "1.2.3.1e1", "a.b.c.d", "", "1.2.3.04"]) {
      assert.equal(ipv4ToNumber(text), undefined, text);
    }
  });

  it("reads netmasks", () => {
    assert.deepEqual(["255.255.255.0", "255.255.252.0", "255.255.255.255", "0.0.0.0"].map(prefixOf), [24, 22, 32, 0]);
  });
});

describe("discovery: interfaces", () => {
  const info = (address: string, netmask: string, internal = false): NetworkInterfaceInfo => ({
    address,
    netmask,
    family: "IPv4",
    mac: "02:00:00:00:00:01",
    internal,
    cidr: null,
  });
  const machine = {
    lo: [info("127.0.0.1", "255.0.0.0", true)],
    eth0: [info("192.168.1.5", "255.255.255.0"), { ...info("::", ""), family: "IPv6" as const, scopeid: 0 }],
    wlan0: [info("10.9.8.7", "255.0.0.0")],
    wg0: [info("10.200.0.2", "255.255.255.255")],
    wan0: [info("203.0.113.9", "255.255.255.0")],
  };

  it("takes all that lead out of the machine", () => {
    const chosen = chooseInterfaces(machine);
    assert.deepEqual(
      chosen.map(({ name, broadcast }) => [name, broadcast]),
      [
        ["eth0", "192.168.1.255"],
        ["wlan0", "10.255.255.255"],
        ["wg0", "10.200.0.2"],
        ["wan0", "203.0.113.255"],
      ],
    );
  });

  it("takes only the wanted, by name or by address, even loopback", () => {
    const chosen = chooseInterfaces(machine, ["lo", "10.9.8.7"]);
    assert.deepEqual(
      chosen.map(({ address }) => address),
      ["127.0.0.1", "10.9.8.7"],
    );
  });

  it("says which interfaces there are where the wanted is none", () => {
    assert.throws(() => chooseInterfaces(machine, ["eth7"]), /no network interface "eth7"; it has lo, eth0, wlan0/);
  });

  it("scans the networks of its own that are private, and of wide ones its own surroundings", () => {
    assert.deepEqual(ownSubnets(chooseInterfaces(machine)), [
      subnetAround("192.168.1.0", 24),
      subnetAround("10.9.8.0", 24),
    ]);
    assert.deepEqual(ownSubnets(chooseInterfaces(machine, ["lo"])), []);
  });

  it("looks closer only at hosts that are near", () => {
    const chosen = chooseInterfaces(machine);
    for (const near of ["192.168.77.1", "169.254.3.4", "203.0.113.20"]) assert.ok(isNear(near, chosen), near);
    for (const far of ["127.0.0.1", "203.0.114.1", "8.8.8.8", "::1"]) assert.ok(!isNear(far, chosen), far);
  });
});

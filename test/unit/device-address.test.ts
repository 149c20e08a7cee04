import assert from "node:assert/strict";
import { deviceAddress, parseDeviceAddress, rtspConfig } from "../../src/camera/device-address.ts";
import type { CctvError, ErrorCode } from "../../src/errors.ts";

const read = (address: string, config: object = {}) => parseDeviceAddress({ address, ...config });
const login = (username: string, password: string) => ({ username, password });

describe("device address", () => {
  for (const [address, expected] of [
    ["hik://192.168.1.64", { host: "192.168.1.64", port: 80, channel: 1 }],
    ["dahua://192.168.1.108:8080/", { host: "192.168.1.108", port: 8080, channel: 1 }],
    ["hik://192.168.1.64?channel=12&stream=main", { port: 80, channel: 12, stream: "main" }],
    ["hik://192.168.1.64/?channel=2", { channel: 2 }],
    ["HIK://nvr.local?Channel=2", { host: "nvr.local", channel: 2 }],
    ["hik://[fe80::1]:81", { host: "[fe80::1]", port: 81 }],
    ["hik://10.0.0.9:443", { port: 443, tls: { rejectUnauthorized: true } }],
    ["hiks://10.0.0.9", { port: 443, tls: { rejectUnauthorized: true } }],
    ["dahuas://10.0.0.9:8443", { port: 8443, tls: { rejectUnauthorized: true } }],
    ["hik://10.0.0.9?user=admin&pass=12345", { credentials: login("admin", "12345") }],
    ["dahua://10.0.0.9?user=a%40b&pass=p%26q%25&channel=1", { credentials: login("a@b", "p&q%") }],
    ["hik://10.0.0.9?user=admin&pass=p@ss/w#o?r+d=50%ü", { credentials: login("admin", "p@ss/w#o?r+d=50%ü") }],
    ["hik://admin:p%40ss@10.0.0.9?channel=3", { credentials: login("admin", "p@ss"), channel: 3 }],
  ] as const) {
    it(`reads ${address}`, () => {
      const found = read(address) as unknown as Record<string, unknown>;
      for (const [name, value] of Object.entries(expected)) assert.deepEqual(found[name], value, name);
      assert.equal("tls" in found, "tls" in expected);
    });
  }

  it("takes fields of their own before what the address says", () => {
    const address = "hik://old:older@10.0.0.9?channel=3&stream=main";
    const found = read(address, { ...login("new", "newer"), channel: 4, stream: "sub" });
    assert.deepEqual(found.credentials, login("new", "newer"));
    assert.deepEqual([found.channel, found.stream], [4, "sub"]);
  });

  it("takes any certificate where it is told to", () => {
    assert.deepEqual(read("hik://10.0.0.9:443", { certificate: "any" }).tls, { rejectUnauthorized: false });
  });

  it("shows no password", () => {
    assert.equal(read("hik://u:hunter2@10.0.0.9?user=admin&pass=hunter2").display, "hik://10.0.0.9:80");
  });

  for (const [address, config, code] of [
    ["hik://", {}, "ADDRESS_INVALID"],
    ["hik://10.0.0.9/Streaming/Channels/hunter2", {}, "ADDRESS_INVALID"],
    ["hik://10.0.0.9?user=admin&pass=hun&ter2", {}, "ADDRESS_INVALID"],
    ["hik://10.0.0.9?user=admin&pass=hun&hunter2=1", {}, "ADDRESS_INVALID"],
    ["hik://10.0.0.9?constructor=1", {}, "ADDRESS_INVALID"],
    ["hik://10.0.0.9?channel=0", {}, "SETTING_INVALID"],
    ["hik://10.0.0.9?channel=1.5", {}, "SETTING_INVALID"],
    ["hik://10.0.0.9?channel=", {}, "SETTING_INVALID"],
    ["hik://10.0.0.9", { channel: 0 }, "SETTING_INVALID"],
    ["hik://10.0.0.9?stream=third", {}, "SETTING_INVALID"],
  ] as const) {
    it(`says ${code} of ${address} ${JSON.stringify(config)}`, () => {
      assert.throws(
        () => read(address, config),
        (error: CctvError) => error.code === (code as ErrorCode) && !/hun|ter2/.test(error.message),
      );
    });
  }

  for (const [host, port, expected] of [
    ["192.168.1.64", "", "hik://192.168.1.64"],
    [" nvr.local ", undefined, "hik://nvr.local"],
    ["192.168.1.64", 8000, "hik://192.168.1.64:8000"],
    ["fe80::1", "443", "hik://[fe80::1]:443"],
    ["[fe80::1]", "", "hik://[fe80::1]"],
  ] as const) {
    it(`writes ${JSON.stringify(host)} and ${JSON.stringify(port)} as ${expected}`, () => {
      assert.equal(deviceAddress("hik", host, port), expected);
      assert.equal(read(deviceAddress("hik", host, port)).port, Number(port || 80));
    });
  }

  for (const [address, transport, expected] of [
    ["hik://10.0.0.9", "auto", "rtsp://10.0.0.9:10554/x"],
    ["hik://[fe80::1]", "tcp", "rtsp://[fe80::1]:10554/x"],
    ["hik://10.0.0.9:443", "udp", "rtsp://10.0.0.9:10554/x"],
    ["hik://10.0.0.9:8080", "http", "rtsp://10.0.0.9:8080/x"],
    ["hik://10.0.0.9:443", "http", "rtsps://10.0.0.9:443/x"],
  ] as const) {
    it(`finds the RTSP of ${address} by ${transport}`, () => {
      const config = { address, transport, ...login("admin", "12345") };
      const rtsp = rtspConfig(config, parseDeviceAddress(config), { port: 10554, path: "/x" });
      assert.deepEqual(rtsp, { ...config, address: expected });
    });
  }
});

import assert from "node:assert/strict";
import { AddressRules, type AddressRulesOptions } from "../../src/camera/address-rules.ts";
import type { CctvError } from "../../src/errors.ts";

const signal = new AbortController().signal;
const names: Readonly<Record<string, readonly string[]>> = {
  "camera.lan": ["192.168.1.64"],
  "localhost.example": ["127.0.0.1"],
  localhost: ["127.0.0.1", "::1"],
  "two.example": ["192.168.1.64", "127.0.0.1"],
  "six.example": ["2001:db8::1", "fe80::1%eth0"],
  "metadata.example": ["169.254.169.254"],
  "empty.example": [],
};
const lookup = async (host: string) => {
  const found = names[host.replace(/\.$/, "")];
  if (!found) throw new Error("getaddrinfo ENOTFOUND");
  return found;
};
const rulesOf = (options: AddressRulesOptions = {}) =>
  new AddressRules({ lookup, ownAddresses: () => ["192.168.1.2", "fd00::2"], ...options });
const check = (address: string, options: AddressRulesOptions = {}) => rulesOf(options).check(address, { signal });

describe("address rules", () => {
  describe("let through and pin", () => {
    for (const [typed, address, pinned] of [
      ["rtsp://192.168.1.64/stream", "rtsp://192.168.1.64/stream", "rtsp://192.168.1.64/stream"],
      ["rtsp://10.0.0.9:8554/a?b=c", "rtsp://10.0.0.9:8554/a?b=c", "rtsp://10.0.0.9:8554/a?b=c"],
      ["rtsp://172.16.3.4", "rtsp://172.16.3.4", "rtsp://172.16.3.4"],
      ["rtsp://100.64.0.7/x", "rtsp://100.64.0.7/x", "rtsp://100.64.0.7/x"],
      ["rtsp://203.0.113.9/x", "rtsp://203.0.113.9/x", "rtsp://203.0.113.9/x"],
      ["rtsp://[fd00::64]:8554/x", "rtsp://[fd00::64]:8554/x", "rtsp://[fd00::64]:8554/x"],
      ["rtsp://Camera.LAN:554/x", "rtsp://camera.lan:554/x", "rtsp://192.168.1.64:554/x"],
      ["rtsps://camera.lan/x", "rtsps://camera.lan/x", "rtsps://camera.lan/x"],
      ["hik://camera.lan:443", "hik://camera.lan:443", "hik://camera.lan:443"],
      ["rtsp://admin:secret@camera.lan/x", "rtsp://camera.lan/x", "rtsp://192.168.1.64/x"],
      ["axis://camera.lan", "axis://camera.lan", "axis://192.168.1.64"],
      ["192.168.1.64", "auto://192.168.1.64", "auto://192.168.1.64"],
      ["rtsp://0xc0.168.257/x", "rtsp://192.168.1.1/x", "rtsp://192.168.1.1/x"],
    ] as const) {
      it(typed, async () => assert.deepEqual(await check(typed), { address, pinned }));
    }

    it("a TLS address by IP too, where any certificate is good", async () => {
      const { pinned } = await rulesOf().check("rtsps://camera.lan/x", { certificate: "any", signal });
      assert.equal(pinned, "rtsps://192.168.1.64/x");
    });
  });

  describe("refuse, however it is written", () => {
    for (const address of [
      "rtsp://127.0.0.1/x",
      "rtsp://127.1/x",
      "rtsp://0x7f.1/x",
      "rtsp://0x7f000001/x",
      "rtsp://2130706433/x",
      "rtsp://0177.0.0.1/x",
      "rtsp://127.255.255.254/x",
      "rtsp://127.0.0.1./x",
      "rtsp://①②⑦.⓪.⓪.①/x",
      "rtsp://user@127.0.0.1/x",
      "rtsp://192.168.1.64@127.0.0.1/x",
      "rtsp://localhost/x",
      "rtsp://LOCALHOST./x",
      "rtsp://localhost.example/x",
      "rtsp://two.example/x",
      "rtsp://six.example/x",
      "rtsp://[::1]/x",
      "rtsp://[0:0:0:0:0:0:0:1]/x",
      "rtsp://[::ffff:127.0.0.1]/x",
      "rtsp://[::ffff:7f00:1]/x",
      "rtsp://[::ffff:0:127.0.0.1]/x",
      "rtsp://[::127.0.0.1]/x",
      "rtsp://[64:ff9b::127.0.0.1]/x",
      "rtsp://[64:ff9b::169.254.169.254]/x",
      "rtsp://[2002:7f00:1::]/x",
      "rtsp://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/x",
      "rtsp://0.0.0.0/x",
      "rtsp://0/x",
      "rtsp://0.1.2.3/x",
      "rtsp://[::]/x",
      "http://169.254.169.254/latest/meta-data/x.jpg",
      "http://metadata.example/x.jpg",
      "http://100.100.100.200/x.jpg",
      "http://168.63.129.16/x.jpg",
      "http://[fd00:ec2::254]/x.jpg",
      "http://[fd00:ec2:0:0::254]/x.jpg",
      "rtsp://169.254.3.4/x",
      "rtsp://[fe80::1]/x",
      "rtsp://[fec0::1]/x",
      "rtsp://224.0.0.251/x",
      "rtsp://239.255.255.250/x",
      "rtsp://[ff02::1]/x",
      "rtsp://255.255.255.255/x",
      "rtsp://240.0.0.1/x",
      "rtsp://192.168.1.2/x",
      "rtsp://[::ffff:192.168.1.2]/x",
      "rtsp://[fd00:0::2]/x",
      "hik://127.0.0.1",
      "onvif://127.1:8080",
      "axis://[::1]",
      "hls://127.0.0.1/x.m3u8",
      "rtmp://127.0.0.1/live",
      "127.0.0.1",
      "127.1:554/stream",
      "file:///etc/passwd",
      "/etc/passwd",
      "../clips/door.mp4",
      "C:\\clips\\door.mp4",
      "webcam:0",
      "0",
      "/dev/video0",
      "gige:camera",
      "ndi://somebody/source",
      "rtmp-listen://0.0.0.0:1935/live",
    ]) {
      it(address, () => assert.rejects(check(address), { code: "ADDRESS_FORBIDDEN" }));
    }
  });

  describe("refuse what no camera has", () => {
    for (const [address, code] of [
      ["exec:ls", "ADDRESS_INVALID"],
      ["exec://ls", "ADDRESS_SCHEME_UNKNOWN"],
      ["ftp://192.168.1.64/x", "ADDRESS_SCHEME_UNKNOWN"],
      ["gopher://192.168.1.64/x", "ADDRESS_SCHEME_UNKNOWN"],
      ["concat:rtsp://192.168.1.64/x|/etc/passwd", "ADDRESS_INVALID"],
      ["rtsp:///etc/passwd", "ADDRESS_INVALID"],
      ["rtsp://192.168.1.64:0/x", "ADDRESS_INVALID"],
      ["rtsp://192.168.1.64\r\nHost: x/y", "ADDRESS_INVALID"],
      ["rtsp://[fe80::1%25eth0]/x", "ADDRESS_INVALID"],
      ["", "ADDRESS_INVALID"],
      ["rtsp://nobody.example/x", "ADDRESS_INVALID"],
      ["rtsp://empty.example/x", "ADDRESS_INVALID"],
    ] as const) {
      it(JSON.stringify(address), () => assert.rejects(check(address), { code }));
    }
  });

  it("let through what is allowed, and only that", async () => {
    const allowed = ["127.0.0.1", "169.254.0.0/16", "fe80::/10"];
    const { pinned } = await check("rtsp://[::ffff:127.0.0.1]/x", { allowed });
    assert.equal(pinned, "rtsp://[::ffff:7f00:1]/x");
    await check("rtsp://169.254.3.4/x", { allowed });
    await check("rtsp://[fe80::9]/x", { allowed });
    await assert.rejects(check("rtsp://127.0.0.2/x", { allowed }), { code: "ADDRESS_FORBIDDEN" });
    await assert.rejects(check("rtsp://localhost/x", { allowed }), { code: "ADDRESS_FORBIDDEN" });
  });

  it("refuse this machine's real addresses without being told them", async () => {
    await assert.rejects(new AddressRules().check("rtsp://localhost/x", { signal }), { code: "ADDRESS_FORBIDDEN" });
  });

  it("say what an allowed range is not", () => {
    for (const range of ["everything", "10.0.0.0/33", "10.0.0.0/", ""]) {
      assert.throws(() => rulesOf({ allowed: [range] }), { code: "SETTING_INVALID" }, range);
    }
  });

  it("do not wait for a name when nobody waits any more", async () => {
    const leaving = new AbortController();
    const rules = rulesOf({ lookup: () => new Promise(() => undefined) });
    const checked = rules.check("rtsp://slow.example/x", { signal: leaving.signal });
    leaving.abort(new Error("gone"));
    await assert.rejects(checked, { message: "gone" });
  });

  it("repeat no password", async () => {
    for (const address of ["rtsp://admin:hunter2@127.0.0.1/x", "rtsp://admin:hunter2@[zz]/x", "ftp://a:hunter2@h/x"]) {
      await assert.rejects(check(address), ({ message }: CctvError) => !message.includes("hunter2"));
    }
  });
});

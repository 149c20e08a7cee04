import assert from "node:assert/strict";
import { parseNetworkAddress, schemeOf, toDisplay, toUrl } from "../../src/camera/address.ts";
import type { CctvError } from "../../src/errors.ts";

const parse = (text: string, fields = {}) => parseNetworkAddress(text, 554, fields);

describe("camera address", () => {
  for (const [text, expected] of [
    ["rtsp://camera/stream", "rtsp"],
    ["RTSP://camera/stream", "rtsp"],
    ["hik://192.168.1.64", "hik"],
    ["/clips/door.mp4", "file"],
    ["clips/door.mp4", "file"],
    ["C:\\clips\\door.mp4", "file"],
    ["c:/clips/door.mp4", "file"],
    ["file:///clips/door.mp4", "file"],
  ] as const) {
    it(`${text} is of the scheme ${expected}`, () => assert.equal(schemeOf(text), expected));
  }

  describe("is understood as people write it", () => {
    for (const [text, username, password, shown] of [
      ["rtsp://10.0.0.9", undefined, undefined, "rtsp://10.0.0.9:554"],
      [
        " RTSP://Cam.Local:8554/Streaming/Channels/101 ",
        undefined,
        undefined,
        "rtsp://cam.local:8554/Streaming/Channels/101",
      ],
      ["rtsp://10.0.0.9?channel=1", undefined, undefined, "rtsp://10.0.0.9:554?channel=1"],
      ["rtsp://[fe80::1]:8554/x", undefined, undefined, "rtsp://[fe80::1]:8554/x"],
      ["rtsp://127.1/x", undefined, undefined, "rtsp://127.0.0.1:554/x"],
      ["rtsp://bücher.example/x", undefined, undefined, "rtsp://xn--bcher-kva.example:554/x"],
      ["rtsp://10.0.0.9/tür 1", undefined, undefined, "rtsp://10.0.0.9:554/t%C3%BCr%201"],
      ["rtsp://10.0.0.9/a@b", undefined, undefined, "rtsp://10.0.0.9:554/a@b"],
      ["rtsp://admin@10.0.0.9/x", "admin", "", "rtsp://10.0.0.9:554/x"],
      ["rtsp://admin:@10.0.0.9/x", "admin", "", "rtsp://10.0.0.9:554/x"],
      ["rtsp://admin:secret@10.0.0.9/x", "admin", "secret", "rtsp://10.0.0.9:554/x"],
      ["rtsp://admin:p%40ss%3Aw@10.0.0.9/x", "admin", "p@ss:w", "rtsp://10.0.0.9:554/x"],
      ["rtsp://admin:p@ss@10.0.0.9/x", "admin", "p@ss", "rtsp://10.0.0.9:554/x"],
      ["rtsp://admin:a:b@10.0.0.9/x", "admin", "a:b", "rtsp://10.0.0.9:554/x"],
      ["rtsp://admin:p@ss:w/o#r%d&+ü@10.0.0.9/x", "admin", "p@ss:w/o#r%d&+ü", "rtsp://10.0.0.9:554/x"],
      ["rtsp://admin:100%@10.0.0.9:554/x?a=b@c", "admin", "100%", "rtsp://10.0.0.9:554/x?a=b@c"],
      ["rtsp://user%40shop:pw@10.0.0.9", "user@shop", "pw", "rtsp://10.0.0.9:554"],
    ] as const) {
      it(text, () => {
        const address = parse(text);
        assert.equal(address.credentials?.username, username);
        assert.equal(address.credentials?.password, password);
        assert.equal(toDisplay(address), shown);
      });
    }
  });

  it("lets a filled field win over the same in the address", () => {
    const address = "rtsp://admin:old@10.0.0.9/x";
    assert.deepEqual(parse(address, { username: "", password: "new" }).credentials, {
      username: "admin",
      password: "new",
    });
    assert.deepEqual(parse(address, { username: "view" }).credentials, { username: "view", password: "old" });
    assert.deepEqual(parse("rtsp://10.0.0.9", { password: "100%25" }).credentials, {
      username: "",
      password: "100%25",
    });
  });

  for (const password of ["p@ss:w/o#r%d&+ü", "a b", `it's "quoted"`, "a%20b", "?=;,", "пароль", "密码", "🔑", "\\"]) {
    it(`gives ${password} back from its URL`, () => {
      const url = toUrl(parse("rtsp://10.0.0.9:8554/x?y=1", { username: "us/er", password }));
      assert.match(url, /^[!-~]+$/);
      const read = new URL(url);
      assert.equal(decodeURIComponent(read.password), password);
      assert.equal(decodeURIComponent(read.username), "us/er");
      assert.equal(read.host, "10.0.0.9:8554");
      assert.deepEqual(parse(url).credentials, { username: "us/er", password });
    });
  }

  it("shows no password that is part of the path or the query", () => {
    assert.equal(
      toDisplay(parse("rtsp://nvr/user=admin_password=tlJwpbo6_channel=1")),
      "rtsp://nvr:554/user=admin_password=***",
    );
    assert.equal(
      toDisplay(parse("rtsp://nvr/x?user=a&password=hunter2&c=1")),
      "rtsp://nvr:554/x?user=a&password=***&c=1",
    );
    assert.equal(toUrl(parse("rtsp://nvr/x?password=hunter2")), "rtsp://nvr:554/x?password=hunter2");
  });

  for (const text of [
    "",
    "rtsp:",
    "rtsp://",
    "rtsp:/10.0.0.9",
    "rtsp://:554/x",
    "rtsp:///x",
    "rtsp://admin:hunter2@",
    "rtsp://admin:hunter2@/x",
    "rtsp://admin:hunter2@10.0.0.9:port",
    "rtsp://admin:hunter2@10.0.0.9:0/x",
    "rtsp://admin:hunter2@10.0.0.9:65536/x",
    "rtsp://admin:hunter2@10.0.0.9/x\nfile /etc/passwd",
    "rtsp://admin:hunter2@[::zz]/x",
    "rtsp://admin:hunter2@999.1.1.1/x",
  ]) {
    it(`refuses ${JSON.stringify(text)}, and repeats no password`, () => {
      assert.throws(
        () => parse(text),
        (error: CctvError) => error.code === "ADDRESS_INVALID" && !error.message.includes("hunter2"),
      );
    });
  }
});

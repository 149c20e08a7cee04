import assert from "node:assert/strict";
import { createMask, maskAddresses } from "../../src/camera/secrets.ts";

const PASSWORD = "p@ss:w/o#r%d&+ü 'q' \"x\"";

describe("secrets mask", () => {
  const mask = createMask({ username: "admin", password: PASSWORD });
  const encoded = encodeURIComponent(PASSWORD);

  for (const [where, text] of Object.entries({
    "as it is": `login with ${PASSWORD} failed`,
    "percent-encoded": `x ${encoded} y`,
    "percent-encoded in lower case": `x ${encoded.replace(/%../g, (byte) => byte.toLowerCase())} y`,
    "percent-encoded in full": `x ${encoded.replaceAll("'", "%27")} y`,
    "form-encoded": `x ${encoded.replaceAll("'", "%27").replaceAll("%20", "+")} y`,
    "in JSON": `{"password":${JSON.stringify(PASSWORD)}}`,
    "quoted for ffmpeg's script": `file '${PASSWORD.replaceAll("'", "'\\''")}'`,
    "in a Basic header": `Basic ${Buffer.from(`admin:${PASSWORD}`).toString("base64")}`,
    "in an encoded URL": `Impossible to open 'rtsp://admin:${encoded}@10.0.0.9:554/x'`,
    "in a raw URL": `Impossible to open rtsp://admin:${PASSWORD}@10.0.0.9:554/x`,
  })) {
    it(`hides the password ${where}`, () => {
      const masked = mask(text);
      assert.match(masked, /\*\*\*/);
      for (const part of ["p@ss", "p%40ss", "w/o#r", "w%2Fo", "w%2fo", "%d&+", "cEBzcz"]) {
        assert.ok(!masked.includes(part), masked);
      }
    });
  }

  it("leaves other text as it is", () => {
    const text = "[rtsp @ 0x55] method DESCRIBE failed: 404 Not Found, see rtsp://10.0.0.9:554/a@b";
    assert.equal(mask(text), text);
    assert.equal(createMask()(text), text);
    assert.equal(createMask({ username: "admin", password: "" })(text), text);
  });

  it("hides the user information of any URL, known or not", () => {
    assert.equal(
      createMask()("open rtsp://a:b%40c@host/x and http://u@h/"),
      "open rtsp://***@host/x and http://***@h/",
    );
  });

  it("hides password parameters, known or not", () => {
    assert.equal(maskAddresses("/x?user=a&pwd=b&passwd=c d"), "/x?user=a&pwd=***&passwd=*** d");
    assert.equal(maskAddresses("compass=north"), "compass=north");
  });

  it("masks a short password where it stands alone", () => {
    const short = createMask({ username: "admin", password: "12" });
    assert.equal(short("login 12 failed after 1200 ms"), "login *** failed after 1200 ms");
    assert.equal(short("rtsp://admin:12@host:554/12x"), "rtsp://***@host:554/12x");
  });

  it("hides all that follows a question mark where any query may be a secret", () => {
    const text = "Failed to play 'live?key=abc&x=/1'; see http://host/a.m3u8?sig=%2Fx why? yes";
    assert.equal(createMask(undefined, true)(text), "Failed to play 'live?***'; see http://host/a.m3u8?*** why? yes");
    assert.equal(createMask()(text), text);
  });

  it("takes every character of a password literally", () => {
    for (const password of ["a.*b", "(((((", "[a-z]", "$&$1", "\\d\\d\\d", "^$|?{2}", "a-b-c"]) {
      const exact = createMask({ username: "admin", password });
      assert.equal(exact(`<${password}>`), "<***>");
      assert.equal(exact("axxb 123 abcd $1"), "axxb 123 abcd $1");
    }
  });
});

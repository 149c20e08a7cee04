import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { answerBasic, answerDigest, chooseDigest, nextNonce, parseChallenges } from "../../src/camera/http/digest.ts";

const hashed = (algorithm: string, ...parts: string[]) =>
  createHash(algorithm).update(parts.join(":"), "utf8").digest("hex");
const md5 = (...parts: string[]) => hashed("md5", ...parts);
const sha256 = (...parts: string[]) => hashed("sha256", ...parts);

const user = { username: "admin", password: "secret" };
const BASE = 'realm="IP Camera", nonce="n1"';

const answer = (headers: string | string[], options: Partial<Parameters<typeof answerDigest>[0]> = {}) => {
  const challenge = chooseDigest(parseChallenges([headers].flat()));
  assert.ok(challenge);
  const given = { credentials: user, method: "GET", uri: "/x?a=1&b=2", nonceCount: 1, clientNonce: "c1" };
  return answerDigest({ challenge, ...given, ...options });
};
const responseOf = (header: string) => /response="([0-9a-f]+)"/.exec(header)?.[1];

/** By the formulas of RFC 7616, 3.4.1, written out. */
const request = (hash: typeof md5) => hash("GET", "/x?a=1&b=2");
const login = (hash: typeof md5) => hash("admin", "IP Camera", "secret");
const withQop = (hash: typeof md5) => hash(login(hash), "n1", "00000001", "c1", "auth", request(hash));
const session = (hash: typeof md5) =>
  hash(hash(login(hash), "n1", "c1"), "n1", "00000001", "c1", "auth", request(hash));

/** Fields of RFC 7616, 3.4, that are quoted, and those that are not. */
const QUOTED = ["username", "realm", "nonce", "uri", "response", "cnonce", "opaque"];
const FIELD = /^(?:([\w*]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s",]+)))(?:, |$)/;

/** Judges an Authorization header as a strict server would, knowing nothing of how it was made. */
function judge(header: string, user: { readonly username: string; readonly password: string }): void {
  const fields = new Map<string, string>();
  let rest = header.replace(/^Digest /, "");
  while (rest !== "") {
    const [all = "", name = "", quoted, plain] = FIELD.exec(rest) ?? [];
    assert.notEqual(all, "", `no field at: ${rest}`);
    assert.ok(!fields.has(name), `${name} stands there twice`);
    assert.equal(quoted !== undefined, QUOTED.includes(name), `quotes of ${name}`);
    fields.set(name, quoted === undefined ? (plain ?? "") : quoted.replace(/\\(.)/g, "$1"));
    rest = rest.slice(all.length);
  }
  const field = (name: string) => fields.get(name) ?? "";
  const algorithm = (fields.get("algorithm") ?? "MD5").toUpperCase();
  const digest = (text: string) =>
    createHash(algorithm.startsWith("SHA-256") ? "sha256" : "md5")
      .update(text, "latin1")
      .digest("hex");
  const raw = (text: string) => Buffer.from(text).toString("latin1");
  if (field("userhash") === "true") assert.equal(field("username"), digest(`${raw(user.username)}:${field("realm")}`));
  else assert.equal(field("username"), raw(user.username));
  let secret = digest(`${raw(user.username)}:${field("realm")}:${raw(user.password)}`);
  if (algorithm.endsWith("-SESS")) secret = digest(`${secret}:${field("nonce")}:${field("cnonce")}`);
  const body = field("qop") === "auth-int" ? `:${digest("")}` : "";
  const target = digest(`GET:${field("uri")}${body}`);
  const counted = fields.has("qop") ? `:${field("nc")}:${field("cnonce")}:${field("qop")}` : "";
  if (fields.has("qop")) assert.match(field("nc"), /^[0-9a-f]{8}$/);
  assert.equal(field("response"), digest(`${secret}:${field("nonce")}${counted}:${target}`));
}

describe("digest", () => {
  const RFC = 'realm="http-auth@example.org", qop="auth, auth-int"';
  const NONCES =
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';
  const rfc = {
    credentials: { username: "Mufasa", password: "Circle of Life" },
    uri: "/dir/index.html",
    clientNonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
  };
  for (const [algorithm, response] of [
    ["MD5", "8ca523f5e9506fed4657c9700eebdbec"],
    ["SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"],
  ]) {
    it(`answers the example of RFC 7616, 3.9.1, with ${algorithm}`, () => {
      assert.equal(responseOf(answer(`Digest ${RFC}, algorithm=${algorithm}, ${NONCES}`, rfc)), response);
    });
  }

  for (const [what, challenge, nonceCount, password, response] of [
    [
      "RFC 2617, 3.5",
      'qop="auth,auth-int", opaque="5ccc069c403ebaf9f0171e9517f40e41"',
      1,
      "Circle Of Life",
      "6629fae49393a05397450978507c4ef1",
    ],
    ["RFC 2069, 2.4, with its erratum 749", "", 1, "CircleOfLife", "1949323746fe6a43ef61f9606e7febea"],
  ] as const) {
    it(`answers the example of ${what}`, () => {
      const nonce = 'realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"';
      const header = answer(`Digest ${[nonce, challenge].filter(Boolean).join(", ")}`, {
        credentials: { username: "Mufasa", password },
        uri: "/dir/index.html",
        clientNonce: "0a4f113b",
        nonceCount,
      });
      assert.equal(responseOf(header), response);
    });
  }

  const cases: [what: string, headers: string | string[], response: string, ...fields: RegExp[]][] = [
    ["no algorithm", `Digest ${BASE}, qop="auth"`, withQop(md5), /^Digest username="admin", (?!.*algorithm)/],
    ["MD5 in lower case", `Digest ${BASE}, qop="auth", algorithm=md5`, withQop(md5), /algorithm=md5,/],
    ["a quoted algorithm", `Digest ${BASE}, qop="auth", algorithm="MD5"`, withQop(md5), /algorithm=MD5,/],
    ["MD5-sess", `Digest ${BASE}, qop="auth", algorithm=MD5-sess`, session(md5)],
    ["SHA-256", `Digest ${BASE}, qop="auth", algorithm=SHA-256`, withQop(sha256)],
    ["SHA-256-sess", `Digest ${BASE}, qop="auth", algorithm=SHA-256-sess`, session(sha256)],
    ["no qop (RFC 2069)", `Digest ${BASE}`, md5(login(md5), "n1", request(md5)), /^(?!.*(qop|nc|cnonce)=)/],
    ["SHA-256 without qop", `Digest ${BASE}, algorithm=SHA-256`, sha256(login(sha256), "n1", request(sha256))],
    [
      "MD5-sess without qop",
      `Digest ${BASE}, algorithm=MD5-sess`,
      md5(md5(login(md5), "n1", "c1"), "n1", request(md5)),
      /cnonce="c1"/,
      /^(?!.*(qop|nc)=)/,
    ],
    ["SHA-256-sess in lower case", `Digest ${BASE}, qop="auth", algorithm=sha-256-sess`, session(sha256)],
    ["an empty qop", `Digest ${BASE}, qop=""`, md5(login(md5), "n1", request(md5)), /^(?!.*qop=)/],
    ["a qop list", `Digest ${BASE}, qop="auth,auth-int"`, withQop(md5), /qop=auth, nc=00000001, cnonce="c1"/],
    ["a qop list with a space", `Digest ${BASE}, qop="auth, auth-int"`, withQop(md5), /qop=auth,/],
    ["auth-int named first", `Digest ${BASE}, qop="auth-int,auth"`, withQop(md5), /qop=auth,/],
    ["a qop list without quotes", `Digest qop=auth,auth-int, ${BASE}`, withQop(md5), /qop=auth,/],
    ["qop in capitals", `Digest ${BASE}, qop="AUTH"`, withQop(md5)],
    [
      "auth-int alone",
      `Digest ${BASE}, qop="auth-int"`,
      md5(login(md5), "n1", "00000001", "c1", "auth-int", md5("GET", "/x?a=1&b=2", md5(""))),
    ],
    ["a scheme in lower case", `digest ${BASE}, qop="auth"`, withQop(md5)],
    ["parameter names in capitals", `Digest REALM="IP Camera", NONCE="n1", QOP="auth"`, withQop(md5)],
    ["spaces around =", `Digest realm = "IP Camera" ,nonce= "n1",qop ="auth"`, withQop(md5)],
    ["a scheme in capitals", `DIGEST ${BASE}, qop="auth"`, withQop(md5)],
    ["tabs, empty elements and a comma at the end", `Digest\t,,${BASE} ,\tqop="auth",  ,`, withQop(md5)],
    ["parameters that nobody knows", `Digest ${BASE}, domain="/ /x", new=1, qop="auth"`, withQop(md5)],
    [
      "two in one header, the stronger second",
      `Digest ${BASE}, qop="auth", algorithm=MD5, Digest ${BASE}, qop="auth", algorithm=SHA-256`,
      withQop(sha256),
      /algorithm=SHA-256,/,
    ],
    ["Basic before it in one header", `Basic realm="b", Digest ${BASE}, qop="auth"`, withQop(md5)],
    ["Basic after it in one header", `Digest ${BASE}, qop="auth", Basic realm="b"`, withQop(md5), /realm="IP Camera"/],
    ["Basic in a header of its own", ['Basic realm="b"', `Digest ${BASE}, qop="auth"`], withQop(md5)],
    [
      "a stronger one second",
      [`Digest ${BASE}, qop="auth", algorithm=MD5`, `Digest ${BASE}, qop="auth", algorithm=SHA-256`],
      withQop(sha256),
    ],
    [
      "an unknown one first",
      [`Digest ${BASE}, algorithm=SHA-512-256`, `Digest ${BASE}, qop="auth", algorithm=MD5`],
      withQop(md5),
    ],
    ["Negotiate before it", `Negotiate, Digest ${BASE}, qop="auth"`, withQop(md5)],
    ["opaque", `Digest ${BASE}, qop="auth", opaque="o/1="`, withQop(md5), /opaque="o\/1="/],
    ["an empty opaque", `Digest ${BASE}, qop="auth", opaque=""`, withQop(md5), /opaque=""/],
    [
      "escapes in the realm",
      String.raw`Digest realm="a \"b\" \\c, d", nonce="n1"`,
      md5(md5("admin", String.raw`a "b" \c, d`, "secret"), "n1", request(md5)),
      /realm="a \\"b\\" \\\\c, d"/,
    ],
    [
      "escapes in nonce and opaque",
      String.raw`Digest realm="IP Camera", nonce="n\"1", qop="auth", opaque="o\\p"`,
      md5(login(md5), 'n"1', "00000001", "c1", "auth", request(md5)),
      /nonce="n\\"1"/,
      /opaque="o\\\\p"/,
    ],
    [
      "userhash",
      `Digest ${BASE}, qop="auth", algorithm=SHA-256, userhash=true`,
      withQop(sha256),
      new RegExp(`username="${sha256("admin", "IP Camera")}".*userhash=true`),
    ],
  ];
  for (const [what, headers, response, ...fields] of cases) {
    it(`answers ${what}`, () => {
      const header = answer(headers);
      judge(header, user);
      assert.equal(responseOf(header), response);
      for (const field of fields) assert.match(header, field);
    });
  }

  it("hashes user and password as UTF-8, and sends the name in a way that the server reads", () => {
    const credentials = { username: "Jäsøn", password: "pässwörd€" };
    const response = md5(md5("Jäsøn", "IP Camera", "pässwörd€"), "n1", request(md5));
    const plain = answer(`Digest ${BASE}`, { credentials });
    judge(plain, credentials);
    assert.equal(responseOf(plain), response);
    assert.match(Buffer.from(plain, "latin1").toString(), /username="Jäsøn"/);
    const extended = answer(`Digest ${BASE}, charset=UTF-8`, { credentials });
    assert.equal(responseOf(extended), response);
    assert.match(extended, /username\*=UTF-8''J%C3%A4s%C3%B8n,/);
  });

  it("gives back a realm in UTF-8 as the bytes that came", () => {
    const realm = Buffer.from("Küche").toString("latin1");
    const header = answer(`Digest realm="${realm}", nonce="n1"`);
    assert.equal(responseOf(header), md5(md5("admin", "Küche", "secret"), "n1", request(md5)));
    assert.ok(header.includes(`realm="${realm}"`));
  });

  it("escapes quotes in the user's name, and counts requests in hexadecimal", () => {
    const header = answer(`Digest ${BASE}, qop="auth"`, {
      credentials: { username: 'a"b\\', password: "" },
      nonceCount: 26,
    });
    judge(header, { username: 'a"b\\', password: "" });
    assert.match(header, /username="a\\"b\\\\".*nc=0000001a,/);
  });

  it("reads stale and nextnonce", () => {
    const stale = (text: string) => chooseDigest(parseChallenges([`Digest ${BASE}${text}`]))?.stale;
    assert.deepEqual(
      [stale(", stale=TRUE"), stale(', stale="true"'), stale(", stale=false"), stale("")],
      [true, true, false, false],
    );
    assert.equal(nextNonce('qop=auth, rspauth="x", nextnonce="n2"'), "n2");
    assert.equal(nextNonce('rspauth="x"'), undefined);
  });

  for (const header of [
    "",
    "Digest",
    'Digest realm="x"',
    'Basic realm="x"',
    `Digest ${BASE}, qop="new"`,
    '="',
    `Digest ${BASE}, algorithm=SHA-512-256`,
  ]) {
    it(`finds nothing to answer in ${JSON.stringify(header)}`, () => {
      assert.equal(chooseDigest(parseChallenges([header])), undefined);
    });
  }

  it("writes Basic in UTF-8", () => {
    assert.equal(answerBasic({ username: "test", password: "123£" }), "Basic dGVzdDoxMjPCow==");
  });
});

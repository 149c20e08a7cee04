import assert from "node:assert/strict";
import { keyOf, mayConnect } from "../../src/socket/handshake.ts";

describe("a socket client's handshake", () => {
  const bearer = { authorization: "Bearer k" };
  for (const [what, auth, headers, expected] of [
    ["a token", { token: "k" }, {}, "k"],
    ["a token before headers", { token: "k" }, bearer, "k"],
    ["the header Authorization", {}, bearer, bearer],
    ["the header X-API-Key", {}, { "x-api-key": "k" }, { "x-api-key": "k" }],
    ["an empty token and a header", { token: "" }, bearer, bearer],
    ["no key", {}, {}, undefined],
    ["a token that is no text", { token: { $ne: "" } }, {}, undefined],
    ["a token under another name", { key: "k" }, {}, undefined],
  ] as const) {
    it(`finds the key: ${what}`, () => assert.deepEqual(keyOf({ auth, headers }), expected));
  }

  const host = "cctv.local:1880";
  for (const [what, headers, allowed, expected] of [
    ["no browser", { host }, [], true],
    ["the server's own page", { host, origin: "http://cctv.local:1880" }, [], true],
    ["its own page behind a proxy with TLS", { host: "Shop.example", origin: "https://shop.example" }, [], true],
    ["another port", { host, origin: "http://cctv.local:8080" }, [], false],
    ["another host", { host, origin: "http://evil.example" }, [], false],
    ["a host that begins alike", { host, origin: "http://cctv.local:18800" }, [], false],
    ["a page of a file or a sandbox", { host, origin: "null" }, [], false],
    ["an origin that is none", { host, origin: "cctv.local:1880" }, [], false],
    ["an origin and no host", { origin: "http://cctv.local:1880" }, [], false],
    ["one that is listed", { host, origin: "http://app.example" }, ["http://app.example"], true],
    ["one that is not listed", { host, origin: "https://app.example" }, ["http://app.example"], false],
    ["any", { host, origin: "http://evil.example" }, ["*"], true],
  ] as const) {
    it(`${expected ? "lets in" : "keeps out"} ${what}`, () => assert.equal(mayConnect({ headers }, allowed), expected));
  }
});

import assert from "node:assert/strict";
import { corsHeaders, isAllowedOrigin, readOrigins } from "../../src/api/access/cors.ts";

describe("allowed origins", () => {
  for (const [text, origins] of [
    ["", []],
    ["https://shop.example", ["https://shop.example"]],
    [" https://Shop.example:443/, http://localhost:5173 ", ["https://shop.example", "http://localhost:5173"]],
    ["*", ["*"]],
  ] as const) {
    it(`are read from ${JSON.stringify(text)}`, () => assert.deepEqual(readOrigins(text), origins));
  }

  for (const text of ["shop.example", "https://shop.example/app", "file:///x", "https://u:p@shop.example", "null"]) {
    it(`are not read from ${text}`, () => assert.throws(() => readOrigins(text), { code: "SETTING_INVALID" }));
  }

  for (const [origin, allowed, expected] of [
    [undefined, [], true],
    ["https://shop.example", ["https://shop.example"], true],
    ["https://shop.example", [], false],
    ["https://shop.example.evil.example", ["https://shop.example"], false],
    ["http://shop.example", ["https://shop.example"], false],
    ["null", ["https://shop.example"], false],
    ["https://anybody.example", ["*"], true],
  ] as const) {
    it(`${allowed.join() || "none"} ${expected ? "let in" : "keep out"} ${origin}`, () => {
      assert.equal(isAllowedOrigin(origin, allowed), expected);
      const headers = corsHeaders(origin, allowed);
      const told = expected && origin !== undefined ? origin : undefined;
      assert.equal(headers["access-control-allow-origin"], told);
      assert.equal(headers.vary, allowed.length > 0 ? "Origin" : undefined);
      assert.equal(headers["access-control-allow-credentials"], undefined);
    });
  }
});

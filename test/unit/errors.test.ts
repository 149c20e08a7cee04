import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { asCctvError, CctvError, ERROR_CODES } from "../../src/errors.ts";

describe("errors", () => {
  it("has a row in docs/errors.md for every code, and no row for any other", () => {
    const documented = [...readFileSync("docs/errors.md", "utf8").matchAll(/^\| `([A-Z_]+)`/gm)].map(
      ([, code]) => code,
    );
    assert.deepEqual(documented, [...ERROR_CODES]);
  });

  it("keeps its codes sorted, so that one is easy to find", () => {
    assert.deepEqual([...ERROR_CODES], [...ERROR_CODES].sort());
  });

  it("prints code and message", () => {
    assert.equal(`${new CctvError("FILE_EMPTY", "the file is empty")}`, "FILE_EMPTY: the file is empty");
  });

  it("wraps what has no code, and leaves what has one", () => {
    const ours = new CctvError("FILE_EMPTY", "empty");
    assert.equal(asCctvError(ours, "DECODER_FAILED"), ours);
    const wrapped = asCctvError(new Error("boom"), "DECODER_FAILED");
    assert.deepEqual([wrapped.code, wrapped.message], ["DECODER_FAILED", "boom"]);
    assert.equal(asCctvError("boom", "DECODER_FAILED").message, "boom");
  });
});

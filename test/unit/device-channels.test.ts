import assert from "node:assert/strict";
import { chooseStream, findChannel } from "../../src/camera/device-channels.ts";
import type { CctvError } from "../../src/errors.ts";

const channel = (number: number, name?: string) => ({
  channel: number,
  ...(name !== undefined && { name }),
  streams: [],
});
const main = { stream: "main" } as const;
const sub = { stream: "sub" } as const;

describe("device channels", () => {
  it("finds a channel", () => {
    assert.equal(findChannel([channel(1), channel(11, "Yard")], 11, "hik://a:80").name, "Yard");
  });

  it("names those that there are when one is missing", () => {
    assert.throws(
      () => findChannel([channel(1, "Till"), channel(11)], 2, "hik://a:80"),
      (error: CctvError) =>
        error.code === "CAMERA_NOT_FOUND" && /^hik:\/\/a:80 has no channel 2; .*: 1 \(Till\), 11$/.test(error.message),
    );
  });

  it("names but so many", () => {
    const many = Array.from({ length: 64 }, (_, index) => channel(index + 1));
    assert.throws(() => findChannel(many, 99, "hik://a:80"), / 15, 16 and 48 more$/);
  });

  it("takes any where the device tells of none", () => {
    assert.deepEqual(findChannel([], 7, "hik://a:80"), channel(7));
  });

  for (const [streams, wanted, chosen] of [
    [[main, sub], undefined, "sub"],
    [[main, sub], "sub", "sub"],
    [[main, sub], "main", "main"],
    [[main], undefined, "main"],
    [[main], "sub", "main"],
    [[], undefined, "sub"],
    [[], "main", "main"],
  ] as const) {
    it(`chooses ${chosen} of ${JSON.stringify(streams)} where ${wanted} is wanted`, () => {
      assert.equal(chooseStream(streams, wanted), chosen);
    });
  }
});

import assert from "node:assert/strict";
import { AddressRules } from "../../src/camera/address-rules.ts";
import { guardProtocols } from "../../src/camera/guarded-protocols.ts";
import { protocols } from "../../src/camera/protocols/registry.ts";

describe("guarded protocols", () => {
  const signal = new AbortController().signal;
  let addresses: string[];
  const guarded = guardProtocols(
    protocols,
    new AddressRules({ lookup: async () => addresses, ownAddresses: () => ["192.168.1.2"] }),
  );
  const resolve = (address: string) =>
    guarded.forAddress(address).resolve({ address, username: "admin", password: "secret" }, signal);

  it("open the very address that was checked, with the login", async () => {
    addresses = ["192.168.1.64"];
    const input = await resolve("rtsp://camera.local:554/live");
    assert.ok(input.kind === "rtsp");
    assert.deepEqual([input.host, input.path], ["192.168.1.64", "/live"]);
    assert.deepEqual(input.credentials, { username: "admin", password: "secret" });
  });

  it("refuse a name that has come to mean this machine since", async () => {
    addresses = ["192.168.1.64"];
    await resolve("rtsp://camera.local/live");
    for (const moved of [["127.0.0.1"], ["192.168.1.2"], ["192.168.1.64", "169.254.169.254"]]) {
      addresses = moved;
      await assert.rejects(resolve("rtsp://camera.local/live"), { code: "ADDRESS_FORBIDDEN" });
    }
  });

  it("know no protocol more than those they guard", () => {
    assert.throws(() => guarded.forAddress("gopher://camera/"), { code: "ADDRESS_SCHEME_UNKNOWN" });
  });
});

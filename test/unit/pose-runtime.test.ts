import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { loadRuntime, type RuntimeImports } from "../../src/pose/runtime.ts";

const missing = async (): Promise<never> => {
  throw new Error("cannot open libonnxruntime.so.1\nRequire stack: a very long one");
};
const wasmOnly: RuntimeImports = { native: missing, wasm: () => import("onnxruntime-web") };

describe("loadRuntime", () => {
  it("falls back to WASM and says why", async () => {
    const runtime = await loadRuntime("auto", wasmOnly);
    assert.equal(runtime.name, "wasm");
    assert.equal(runtime.fallbackReason, "cannot open libonnxruntime.so.1");
    assert.match(runtime.version, /^\d+\.\d+\.\d+/);
  });

  it("gives WASM to who asks for it, and no reason", async () => {
    const runtime = await loadRuntime("wasm");
    assert.equal(runtime.name, "wasm");
    assert.equal(runtime.fallbackReason, undefined);
  });

  it("prefers onnxruntime-node where it is installed", async function () {
    const native = await import("onnxruntime-node").catch(() => undefined);
    if (!native) return this.skip();
    assert.equal((await loadRuntime("auto")).name, "native");
    assert.equal((await loadRuntime("native")).version, native.env.versions.node);
  });

  it("does not fall back for who asks for native", () =>
    assert.rejects(loadRuntime("native", wasmOnly), { code: "RUNTIME_MISSING", message: /onnxruntime-node/ }));

  it("says when there is none at all", () =>
    assert.rejects(loadRuntime("auto", { native: missing, wasm: missing }), {
      code: "RUNTIME_MISSING",
      message: /neither onnxruntime-node nor onnxruntime-web/,
    }));
});

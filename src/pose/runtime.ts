import { readFile } from "node:fs/promises";
import type { InferenceSession, TensorConstructor } from "onnxruntime-web";
import { CctvError } from "../errors.ts";

/** `native` is onnxruntime-node; `wasm` is onnxruntime-web, which runs anywhere and takes three to four times as long. */
export type RuntimeName = "native" | "wasm";

export interface Runtime {
  readonly name: RuntimeName;
  readonly version: string;
  /** Why `native` is not at work, where it was wished for. */
  readonly fallbackReason?: string;
  readonly Tensor: TensorConstructor;
  /** Loads the .onnx file at `path`; rejects with the runtime's own error. */
  createSession(path: string): Promise<InferenceSession>;
}

/** How the runtimes are imported; a test passes others. */
export interface RuntimeImports {
  native(): Promise<typeof import("onnxruntime-node")>;
  wasm(): Promise<typeof import("onnxruntime-web")>;
}

const installed: RuntimeImports = {
  native: () => import("onnxruntime-node"),
  wasm: () => import("onnxruntime-web"),
};

/**
 * One thread a session, and none that spins while it waits: on a machine that does other work as well, more threads
 * take longer. Several cameras keep one core busy; the others belong to the decoders.
 */
const SESSION_OPTIONS: InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: "sequential",
  graphOptimizationLevel: "all",
  logSeverityLevel: 4,
  extra: { session: { intra_op: { allow_spinning: "0" }, inter_op: { allow_spinning: "0" } } },
};

/**
 * The wished-for runtime; `auto` is native where it is installed for this platform, else wasm.
 * @throws CctvError RUNTIME_MISSING
 */
export async function loadRuntime(wish: "auto" | RuntimeName, imports = installed): Promise<Runtime> {
  if (wish === "wasm") return loadWasm(imports);
  try {
    return await loadNative(imports);
  } catch (error) {
    const reason = firstLine(error);
    if (wish === "native") {
      throw new CctvError(
        "RUNTIME_MISSING",
        `onnxruntime-node cannot be loaded (${reason}); install it, or let the runtime be chosen automatically`,
        { cause: error },
      );
    }
    return { ...(await loadWasm(imports)), fallbackReason: reason };
  }
}

async function loadNative(imports: RuntimeImports): Promise<Runtime> {
  const { InferenceSession, Tensor, env } = await imports.native();
  return {
    name: "native",
    version: env.versions.node ?? env.versions.common,
    Tensor,
    createSession: (path) => InferenceSession.create(path, { ...SESSION_OPTIONS, executionProviders: ["cpu"] }),
  };
}

async function loadWasm(imports: RuntimeImports): Promise<Runtime> {
  try {
    const { InferenceSession, Tensor, env } = await imports.wasm();
    env.wasm.numThreads = 1;
    env.wasm.proxy = false;
    return {
      name: "wasm",
      version: env.versions.web ?? env.versions.common,
      Tensor,
      createSession: async (path) =>
        InferenceSession.create(await readFile(path), { ...SESSION_OPTIONS, executionProviders: ["wasm"] }),
    };
  } catch (error) {
    throw new CctvError(
      "RUNTIME_MISSING",
      `neither onnxruntime-node nor onnxruntime-web can be loaded (${firstLine(error)}); install this package again`,
      { cause: error },
    );
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0] as string;
}

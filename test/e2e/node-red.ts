import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const require = createRequire(import.meta.url);

/** The package's root; tests run there, like npm's scripts. */
export const root = resolve(".");

export const packageName = (require(join(root, "package.json")) as { name: string }).name;

/** Where Node-RED is taken from; the version matrix sets it to another installation. */
const nodeRedDir = process.env.NODE_RED_DIR ?? root;

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

export interface FlowNode {
  id: string;
  type: string;
  [field: string]: unknown;
}

/** A flow of the import menu, by its label. */
export function example(label: string): FlowNode[] {
  return JSON.parse(readFileSync(join(root, "examples", `${label}.json`), "utf8")) as FlowNode[];
}

/** The flow with fields of some nodes replaced, by node id. */
export function edited(flow: readonly FlowNode[], changes: Record<string, Record<string, unknown>>): FlowNode[] {
  return flow.map((node) => ({ ...node, ...changes[node.id] }));
}

export interface NodeRedOptions {
  readonly flow: readonly FlowNode[];
  readonly credentials?: Record<string, Record<string, string>>;
  readonly env?: Record<string, string>;
  /** A user directory in which the package is installed already; without one, the working copy is linked. */
  readonly userDir?: string;
}

/** A real Node-RED in a process of its own, with this package installed and one flow deployed. */
export class NodeRed {
  readonly url: string;
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #userDir: string;
  log = "";

  private constructor(url: string, child: ChildProcess, userDir: string) {
    this.url = url;
    this.pid = child.pid ?? 0;
    this.#child = child;
    this.#userDir = userDir;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        this.log += chunk;
      });
    }
  }

  static async start({ flow, credentials, env = {}, userDir }: NodeRedOptions): Promise<NodeRed> {
    const dir = userDir ?? linkedUserDir();
    const settings = {
      flowFile: "flows.json",
      credentialSecret: false,
      uiHost: "127.0.0.1",
      editorTheme: { tours: false },
      telemetry: { enabled: false, updateNotification: false },
    };
    writeFileSync(join(dir, "settings.js"), `module.exports = ${JSON.stringify(settings)};`);
    writeFileSync(join(dir, "flows.json"), JSON.stringify(flow));
    if (credentials) writeFileSync(join(dir, "flows_cred.json"), JSON.stringify(credentials));

    const port = await freePort();
    const red = require.resolve("node-red/red.js", { paths: [nodeRedDir] });
    const child = spawn(process.execPath, [red, "-u", dir, "-p", String(port)], {
      stdio: "pipe",
      env: { ...process.env, ...env },
    });
    const nodeRed = new NodeRed(`http://127.0.0.1:${port}`, child, dir);
    try {
      await nodeRed.logged(/Started flows/, 60_000);
    } catch (error) {
      await nodeRed.stop();
      throw error;
    }
    return nodeRed;
  }

  /** Waits until the log matches. */
  async logged(pattern: RegExp, withinMs: number): Promise<RegExpMatchArray> {
    const deadline = Date.now() + withinMs;
    for (;;) {
      const match = this.log.match(pattern);
      if (match) return match;
      if (this.#child.exitCode !== null || Date.now() > deadline) {
        throw new Error(`Node-RED's log has no ${pattern} after ${withinMs} ms:\n${this.log.slice(-4000)}`);
      }
      await sleep(50);
    }
  }

  async json<T>(path: string): Promise<T> {
    return (await (await fetch(this.url + path)).json()) as T;
  }

  /** Replaces the flow, as the editor's Deploy button does. */
  async deploy(flow: readonly FlowNode[]): Promise<void> {
    const reply = await fetch(`${this.url}/flows`, {
      method: "POST",
      headers: { "content-type": "application/json", "Node-RED-Deployment-Type": "full" },
      body: JSON.stringify(flow),
    });
    if (!reply.ok) throw new Error(`deploy: ${reply.status} ${await reply.text()}`);
  }

  /** Processes that this Node-RED started and that still run. */
  children(): number[] {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => parentOf(pid) === this.pid)
      .map(Number);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill("SIGINT");
      await once(this.#child, "exit");
    }
    rmSync(this.#userDir, { recursive: true, force: true });
  }
}

function parentOf(pid: string): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return undefined; // it ended meanwhile
  }
}

function linkedUserDir(): string {
  const dir = mkdtempSync(join(tmpdir(), "aislewatch-e2e-"));
  const link = join(dir, "node_modules", packageName);
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(root, link, "dir");
  writeFileSync(join(dir, "package.json"), JSON.stringify({ dependencies: { [packageName]: "*" } }));
  return dir;
}

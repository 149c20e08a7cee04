import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { DiscoverOptions, DiscoveryEvent } from "../../src/discovery/scan.ts";
import type { FindAnswer, FindQuestion } from "./camera-lan-find.ts";
import type { LanHost } from "./camera-lan-host.ts";
import { noteServer } from "./inventory.ts";

const PREFIX = `cctv${process.pid}`;
const SWITCH = `${PREFIX}-sw`;
const CLIENT = `${PREFIX}-cli`;
const HOST_SCRIPT = fileURLToPath(new URL("camera-lan-host.js", import.meta.url));
const SCAN_SCRIPT = fileURLToPath(new URL("camera-lan-scan.js", import.meta.url));
const FIND_SCRIPT = fileURLToPath(new URL("camera-lan-find.js", import.meta.url));

/** Two networks of simulated hosts, and one machine that is on both. Nothing leaves its network namespaces. */
export class CameraLan {
  /** Logins that any host saw. */
  logins = 0;
  /** By their namespaces. */
  readonly #hosts = new Map<string, ChildProcess>();
  /** By the address of the host inside. */
  readonly #namespaces = new Map<string, string>();
  readonly #scans = new Set<ChildProcess>();
  readonly #onExit = (): void => this.#remove();

  private constructor() {
    process.once("exit", this.#onExit);
  }

  /** Whether this machine and user can make network namespaces. */
  static isAvailable(): boolean {
    if (process.platform !== "linux" || process.getuid?.() !== 0) {
      return noteServer("a camera LAN in network namespaces", false);
    }
    const made = spawnSync("ip", ["netns", "add", SWITCH]).status === 0;
    const works = made && spawnSync("ip", ["netns", "exec", SWITCH, "true"]).status === 0;
    if (made) spawnSync("ip", ["netns", "del", SWITCH]);
    return noteServer("a camera LAN in network namespaces", works);
  }

  /** @param client the looking machine's address on each network of /24 */
  static async start(client: readonly string[], hosts: readonly LanHost[]): Promise<CameraLan> {
    const lan = new CameraLan();
    try {
      addNamespace(SWITCH);
      addNamespace(CLIENT);
      for (const [index, ip] of client.entries()) {
        inside(SWITCH, "link", "add", `br${index}`, "type", "bridge", "mcast_snooping", "0");
        inside(SWITCH, "link", "set", `br${index}`, "up");
        plug(CLIENT, `e${index}`, index, ip);
      }
      await Promise.all(
        hosts.map((host, index) => {
          const network = client.findIndex((ip) => networkOf(ip) === networkOf(host.ip));
          const name = `${PREFIX}-${index}`;
          addNamespace(name);
          lan.#namespaces.set(host.ip, name);
          plug(name, "e0", network, host.ip, host.mac);
          return lan.#startHost(name, host);
        }),
      );
      return lan;
    } catch (error) {
      await lan.stop();
      throw error;
    }
  }

  /** Makes the second network a foreign one: reachable, but not the looking machine's own. */
  detachSecond(client: string): void {
    inside(CLIENT, "addr", "flush", "dev", "e1");
    inside(CLIENT, "addr", "add", `${client}/32`, "dev", "e1");
    inside(CLIENT, "route", "add", `${networkOf(client)}.0/24`, "dev", "e1");
  }

  /** Gives the machine at an address what it is from now on, with another address of the same network, as DHCP does. */
  async move(from: string, host: LanHost): Promise<void> {
    const namespace = this.#namespaces.get(from) ?? "";
    const old = this.#hosts.get(namespace);
    if (!old) throw new Error(`no host of this network has the address ${from}`);
    const ended = once(old, "exit");
    old.kill("SIGKILL");
    await ended;
    inside(namespace, "addr", "flush", "dev", "e0");
    inside(namespace, "addr", "add", `${host.ip}/24`, "brd", "+", "dev", "e0");
    this.#namespaces.delete(from);
    this.#namespaces.set(host.ip, namespace);
    await this.#startHost(namespace, host);
  }

  /** A finder of cameras on the looking machine, which keeps what it has remembered from question to question. */
  openFinder(): (question: FindQuestion) => Promise<FindAnswer> {
    const child = execIn(CLIENT, FIND_SCRIPT, {}, "pipe");
    this.#scans.add(child);
    const lines = linesOf(child);
    return async (question) => {
      child.stdin?.write(`${JSON.stringify(question)}\n`);
      const [line] = await once(lines, "line", { signal: AbortSignal.timeout(20_000) });
      return JSON.parse(line);
    };
  }

  /** Scans from the looking machine; `watch` sees each event, and may cancel. */
  async scan(
    options: DiscoverOptions,
    watch: (event: DiscoveryEvent, cancel: () => void) => void = () => undefined,
  ): Promise<{ events: (DiscoveryEvent | { type: "failed"; message: string })[]; ms: number }> {
    const child = execIn(CLIENT, SCAN_SCRIPT, options, "pipe");
    this.#scans.add(child);
    const events: DiscoveryEvent[] = [];
    let ms = 0;
    for await (const line of linesOf(child)) {
      const event = JSON.parse(line);
      if (event.type === "took") {
        ms = event.ms;
        continue;
      }
      events.push(event);
      watch(event, () => child.stdin?.write("cancel\n"));
    }
    this.#scans.delete(child);
    return { events, ms };
  }

  async stop(): Promise<void> {
    const running = [...this.#hosts.values(), ...this.#scans].filter(
      ({ exitCode, signalCode }) => exitCode === null && !signalCode,
    );
    const ended = Promise.all(running.map((child) => once(child, "exit")));
    for (const child of running) child.kill("SIGKILL");
    await ended;
    this.#remove();
    process.removeListener("exit", this.#onExit);
  }

  /** The namespaces of this process that still exist. */
  static leftovers(): string[] {
    const { stdout } = spawnSync("ip", ["netns", "list"], { encoding: "utf8" });
    return stdout.split("\n").flatMap((line) => (line.startsWith(`${PREFIX}-`) ? [line.split(" ")[0] ?? ""] : []));
  }

  async #startHost(namespace: string, host: LanHost): Promise<void> {
    const child = execIn(namespace, HOST_SCRIPT, host, "ignore");
    this.#hosts.set(namespace, child);
    const lines = linesOf(child);
    lines.on("line", (line) => {
      if (line === "login") this.logins++;
    });
    const ended = once(child, "exit").then(([code]) => {
      throw new Error(`the host ${host.ip} ended with status ${code}`);
    });
    ended.catch(() => undefined);
    await Promise.race([once(lines, "line"), ended]);
  }

  #remove(): void {
    for (const child of [...this.#hosts.values(), ...this.#scans]) child.kill("SIGKILL");
    for (const namespace of CameraLan.leftovers()) spawnSync("ip", ["netns", "del", namespace]);
  }
}

function linesOf({ stdout }: ChildProcess): Interface {
  if (!stdout) throw new Error("a process without an output has no lines");
  return createInterface(stdout);
}

function execIn(namespace: string, script: string, argument: object, input: "pipe" | "ignore"): ChildProcess {
  // `ip` becomes node by exec, so that the child's id is node's.
  return spawn("ip", ["netns", "exec", namespace, process.execPath, script, JSON.stringify(argument)], {
    stdio: [input, "pipe", "inherit"],
  });
}

function addNamespace(name: string): void {
  ip("netns", "add", name);
  inside(name, "link", "set", "lo", "up");
}

/** Lays a cable from a namespace to the switch's bridge of a network. */
function plug(namespace: string, device: string, network: number, address: string, mac?: string): void {
  const port = `p${address.replaceAll(".", "")}`.slice(0, 15);
  ip("link", "add", "name", device, "netns", namespace, "type", "veth", "peer", "name", port, "netns", SWITCH);
  inside(SWITCH, "link", "set", port, "master", `br${network}`, "up");
  if (mac !== undefined) inside(namespace, "link", "set", device, "address", mac);
  inside(namespace, "addr", "add", `${address}/24`, "brd", "+", "dev", device);
  inside(namespace, "link", "set", device, "up");
}

function inside(namespace: string, ...command: string[]): void {
  ip("-n", namespace, ...command);
}

function ip(...command: string[]): void {
  const { status, stderr } = spawnSync("ip", command, { encoding: "utf8" });
  if (status !== 0) throw new Error(`ip ${command.join(" ")}: ${stderr}`);
}

function networkOf(address: string): string {
  return address.slice(0, address.lastIndexOf("."));
}

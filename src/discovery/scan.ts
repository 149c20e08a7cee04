import { randomUUID } from "node:crypto";
import { setMaxListeners } from "node:events";
import { networkInterfaces } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { CameraHttp } from "../camera/http/camera-http.ts";
import { CctvError } from "../errors.ts";
import { type Logger, silent } from "../logger.ts";
import { readNeighbours } from "./arp.ts";
import { Bell } from "./bell.ts";
import { ConnectionGate } from "./connection-gate.ts";
import { DeviceBook, type DeviceChange } from "./device-book.ts";
import { dhip } from "./dhip.ts";
import { fingerprint } from "./fingerprint.ts";
import { gvcp } from "./gvcp.ts";
import { parseSubnet, type Subnet } from "./ipv4.ts";
import { mdns } from "./mdns.ts";
import type { DiscoveredDevice } from "./merge.ts";
import { chooseInterfaces, isNear, type LocalInterface, ownSubnets } from "./network.ts";
import { allPorts, CAMERA_PORTS, type CameraPorts, checkPorts, findHosts, type LiveHost } from "./port-scan.ts";
import { sadp } from "./sadp.ts";
import { METHODS, type Method, type Sighting } from "./sighting.ts";
import { readDescription, type SsdpAnswer, ssdp } from "./ssdp.ts";
import { askByUdp, type UdpProbe } from "./udp-probe.ts";
import { wsDiscovery } from "./ws-discovery.ts";

export interface DiscoverOptions {
  /** Names or addresses of the interfaces to look on; by default all that lead out of this machine. */
  readonly interfaces?: readonly string[] | undefined;
  /** What to scan for open ports, such as `192.168.1.0/24`, /22 at the widest; by default the interfaces' own networks. */
  readonly subnets?: readonly string[] | undefined;
  /** All by default. `ports` is the scan, and a closer look at what the others find. */
  readonly methods?: readonly Method[] | undefined;
  /** How long to listen for answers, milliseconds. */
  readonly listenMs?: number | undefined;
  /** Scan subnets that are not private, too. */
  readonly anyRange?: boolean | undefined;
  readonly ports?: CameraPorts | undefined;
  readonly logger?: Logger | undefined;
}

export type DiscoveryEvent =
  | DeviceChange
  /** The part that is done, 0..1, never less than before. */
  | { readonly type: "progress"; readonly progress: number }
  | { readonly type: "finished"; readonly devices: readonly DiscoveredDevice[] };

const LISTEN_MS = 1500;
const ROUNDS_MS = [0, 250, 700] as const;
/** Single hosts are asked for ONVIF by themselves, which crosses from one subnet to another. */
const ALONE = { rounds: [0, 200], listenMs: 600 } as const;
const CONNECT_MS = 500;
const ANSWER_MS = 1000;
const MOST_SUBNETS = 16;
const MOST_LOOKS = 4096;
/** Anybody can forge where a packet comes from; larger sites are scanned as subnets. */
const MOST_ANNOUNCED_LOOKS = 512;
const MOST_DESCRIPTIONS = 128;
const MOST_DESCRIPTION_BYTES = 64 * 1024;
const PROGRESS_EVERY_MS = 150;
/** What comes at once is told at once: putting a thousand cameras together takes its time. */
const GATHER_MS = 60;
const LEAST_PROGRESS = 0.01;
const ANY_INTERFACE: LocalInterface = {
  name: "any",
  address: "0.0.0.0",
  subnet: { base: 0, prefix: 32 },
  broadcast: "0.0.0.0",
};

let isRunning = false;

/**
 * Looks for cameras and recorders in every way at once, and tells each as it is found, each again when more is
 * known of it, and how far it is. Sends no password, tries none, and connects only to where an answer came from
 * and to the subnets. Only one runs at a time.
 *
 * The last event is `finished`. Who stops reading early, stops the scan.
 *
 * @throws CctvError SETTING_INVALID for options that cannot be, DISCOVERY_RUNNING while another scan runs; the
 * signal's reason when it aborts.
 */
export async function* discover(
  options: DiscoverOptions,
  signal: AbortSignal,
): AsyncGenerator<DiscoveryEvent, void, void> {
  signal.throwIfAborted();
  if (isRunning) {
    throw new CctvError("DISCOVERY_RUNNING", "a scan for cameras is running already; wait for its end, or cancel it");
  }
  isRunning = true;
  const stopping = new AbortController();
  try {
    const bell = new Bell();
    const scan = new Scan(options, AbortSignal.any([signal, stopping.signal]), () => bell.ring());
    const work = scan.run().finally(() => bell.ring());
    try {
      yield* follow(scan, work, bell);
    } finally {
      stopping.abort();
      await work.catch(() => undefined);
    }
    signal.throwIfAborted();
    yield { type: "finished", devices: scan.book.devices };
  } finally {
    isRunning = false;
  }
}

async function* follow(scan: Scan, work: Promise<void>, bell: Bell): AsyncGenerator<DiscoveryEvent, void, void> {
  let isOver = false;
  const over = work.finally(() => {
    isOver = true;
  });
  over.catch(() => undefined);
  let told = 0;
  while (!isOver) {
    await bell.wait(PROGRESS_EVERY_MS);
    if (!isOver) await sleep(GATHER_MS);
    yield* scan.book.changes();
    const progress = scan.measureProgress();
    if (isOver || progress - told < LEAST_PROGRESS) continue;
    told = progress;
    yield { type: "progress", progress };
  }
  await over;
  yield* scan.book.changes();
  yield { type: "progress", progress: 1 };
}

/** One scan from its start to its end. */
class Scan {
  readonly book = new DeviceBook();
  readonly #interfaces: readonly LocalInterface[];
  readonly #subnets: readonly Subnet[];
  readonly #methods: ReadonlySet<Method>;
  readonly #ports: CameraPorts;
  readonly #listenMs: number;
  readonly #logger: Logger;
  readonly #signal: AbortSignal;
  readonly #onChange: () => void;
  readonly #gate = new ConnectionGate();
  readonly #looks = new Map<string, Promise<void>>();
  readonly #descriptions = new Map<string, Promise<void>>();
  readonly #searched: number[] = [];
  readonly #startedAt = Date.now();
  #looksDone = 0;
  #announcedLooks = 0;

  /** @throws CctvError SETTING_INVALID */
  constructor(options: DiscoverOptions, signal: AbortSignal, onChange: () => void) {
    this.#interfaces = chooseInterfaces(networkInterfaces(), options.interfaces);
    this.#subnets = options.subnets?.map((text) => parseSubnet(text, options.anyRange)) ?? ownSubnets(this.#interfaces);
    if (this.#subnets.length > MOST_SUBNETS) {
      throw new CctvError(
        "SETTING_INVALID",
        `${this.#subnets.length} subnets are too many for one scan; name at most ${MOST_SUBNETS}`,
      );
    }
    this.#methods = new Set(options.methods ?? METHODS);
    this.#ports = options.ports ?? CAMERA_PORTS;
    this.#listenMs = options.listenMs ?? LISTEN_MS;
    this.#logger = options.logger ?? silent;
    this.#signal = signal;
    this.#onChange = onChange;
    setMaxListeners(0, signal);
  }

  /** The part that is done, 0..1: a guess, as what is found makes work. It may be less than before. */
  measureProgress(): number {
    const listened = Math.min((Date.now() - this.#startedAt) / this.#listenMs, 1);
    const searched = this.#subnets.map((_, index) => this.#searched[index] ?? 0);
    const looked = this.#looks.size === 0 ? 1 : this.#looksDone / this.#looks.size;
    const parts = [listened, ...(this.#methods.has("ports") ? [...searched, looked] : [])];
    return Math.min(parts.reduce((sum, part) => sum + part, 0) / parts.length, 0.99);
  }

  /** @throws the signal's reason when it aborts. */
  async run(): Promise<void> {
    const parts = [...this.#listen(), ...this.#search()];
    await Promise.allSettled(parts);
    await Promise.allSettled([...this.#descriptions.values(), ...this.#looks.values()]);
    this.#signal.throwIfAborted();
    await Promise.all(parts);
  }

  #listen(): Promise<void>[] {
    const probes: readonly [Method, UdpProbe<Sighting>][] = [
      ["ws-discovery", wsDiscovery(randomUUID)],
      ["sadp", sadp(randomUUID)],
      ["dhip", dhip()],
      ["gvcp", gvcp()],
      ["mdns", mdns()],
    ];
    const asked = probes
      .filter(([method]) => this.#methods.has(method))
      .map(([method, probe]) => this.#ask(method, probe, (sighting) => this.#note(sighting)));
    if (!this.#methods.has("ssdp")) return asked;
    return [...asked, this.#ask("ssdp", ssdp(), (answer) => this.#describe(answer))];
  }

  #ask<Answer>(method: Method, probe: UdpProbe<Answer>, onAnswer: (answer: Answer) => void): Promise<void> {
    const asking = {
      interfaces: this.#interfaces,
      rounds: ROUNDS_MS,
      listenMs: this.#listenMs,
      signal: this.#signal,
      onTrouble: (error: Error) => this.#logger.debug(`${method}: ${error.message}`),
    };
    return askByUdp(probe, asking, onAnswer);
  }

  #search(): Promise<void>[] {
    if (!this.#methods.has("ports")) return [];
    return this.#subnets.map((subnet, index) => {
      const progress = (done: number): void => {
        this.#searched[index] = done;
      };
      const search = { ...this.#scanning(), interfaces: this.#interfaces, progress };
      return findHosts(subnet, search, (host) => this.#look(host));
    });
  }

  #scanning(): { gate: ConnectionGate; ports: CameraPorts; timeoutMs: number; signal: AbortSignal } {
    return { gate: this.#gate, ports: this.#ports, timeoutMs: CONNECT_MS, signal: this.#signal };
  }

  #note(sighting: Sighting): void {
    if (!this.book.add(sighting)) return;
    this.#onChange();
    const isOwn = this.#interfaces.some(({ address }) => address === sighting.ip);
    const isWorthALook = sighting.isCamera && !isOwn && isNear(sighting.ip, this.#interfaces);
    if (!isWorthALook || this.#looks.has(sighting.ip) || this.#announcedLooks >= MOST_ANNOUNCED_LOOKS) return;
    this.#announcedLooks++;
    this.#look({ ip: sighting.ip, states: new Map() });
  }

  /** Looks closer at a host, once. */
  #look(host: LiveHost): void {
    if (!this.#methods.has("ports") || this.#looks.has(host.ip) || this.#looks.size >= MOST_LOOKS) return;
    const look = this.#lookAt(host).finally(() => this.#looksDone++);
    look.catch(() => undefined);
    this.#looks.set(host.ip, look);
  }

  async #lookAt({ ip, mac, states }: LiveHost): Promise<void> {
    const scanning = this.#scanning();
    const unknown = allPorts(this.#ports).filter((port) => !states.has(port));
    const alone = this.#askAlone(ip);
    const checked = await checkPorts(ip, unknown, scanning);
    const open = [...states, ...checked].flatMap(([port, state]) => (state === "open" ? [port] : []));
    const neighbour = mac ?? (await readNeighbours())?.get(ip);
    this.#note({ method: "ports", ip, isCamera: false, mac: neighbour, isMacSeen: neighbour !== undefined });
    if (open.length > 0) {
      this.#note(await fingerprint(ip, open, { ...scanning, timeoutMs: ANSWER_MS }));
    }
    await alone;
  }

  async #askAlone(ip: string): Promise<void> {
    if (!this.#methods.has("ws-discovery")) return;
    const asking = { ...ALONE, interfaces: [ANY_INTERFACE], hosts: [ip], signal: this.#signal };
    const probe = wsDiscovery(randomUUID);
    await this.#gate.run(ip, this.#signal, () => askByUdp(probe, asking, (sighting) => this.#note(sighting)));
  }

  #describe({ ip, port, path }: SsdpAnswer): void {
    const key = `${ip}:${port}${path}`;
    const isOwn = this.#interfaces.some(({ address }) => address === ip);
    const isTooMany = this.#descriptions.size >= MOST_DESCRIPTIONS;
    if (this.#descriptions.has(key) || isTooMany || isOwn || !isNear(ip, this.#interfaces)) return;
    const http = new CameraHttp({ host: ip, port, timeoutMs: ANSWER_MS, maxBytes: MOST_DESCRIPTION_BYTES });
    const reading = this.#gate
      .run(ip, this.#signal, () => http.get(path, { signal: this.#signal }))
      .then(({ status, body }) => {
        if (status !== 200) return;
        for (const sighting of readDescription(body.toString("utf8"), ip)) this.#note(sighting);
      })
      .catch((error: Error) => this.#logger.debug(`ssdp: ${error.message}`))
      .finally(() => http.close());
    this.#descriptions.set(key, reading);
  }
}

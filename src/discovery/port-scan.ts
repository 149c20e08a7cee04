import { connect } from "node:net";
import { findNeighbours } from "./arp.ts";
import type { ConnectionGate } from "./connection-gate.ts";
import { contains, hostsOf, type Subnet } from "./ipv4.ts";
import type { LocalInterface } from "./network.ts";

/** The TCP ports of cameras, by what may answer there; a port may stand under more than one. */
export interface CameraPorts {
  readonly rtsp: readonly number[];
  readonly http: readonly number[];
  readonly https: readonly number[];
  /** Makers' own protocols, which are not spoken here. */
  readonly other: readonly number[];
}

export const CAMERA_PORTS: CameraPorts = {
  rtsp: [554, 8554, 8888, 10554],
  http: [80, 8080, 8081, 8000, 8888, 8899, 2020],
  https: [443],
  other: [37777, 34567],
};

/** Two connections each: a /24 of silent hosts is done in two rounds. */
const HOSTS_AT_ONCE = 128;

/** Where nearly every camera listens: who answers here, be it with a refusal, is there. */
function firstPorts({ rtsp, http }: CameraPorts): number[] {
  return [...rtsp.slice(0, 1), ...http.slice(0, 1)];
}

export function allPorts({ rtsp, http, https, other }: CameraPorts): number[] {
  return [...new Set([...rtsp, ...http, ...https, ...other])];
}

export type PortState = "open" | "refused" | "silent";

export interface LiveHost {
  readonly ip: string;
  /** From the table of neighbours. */
  readonly mac?: string | undefined;
  /** What is known of its ports so far. */
  readonly states: ReadonlyMap<number, PortState>;
}

export interface Scanning {
  readonly gate: ConnectionGate;
  readonly ports: CameraPorts;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface HostSearch extends Scanning {
  readonly interfaces: readonly LocalInterface[];
  /** Told the part of the subnet that has been looked at, 0..1. */
  readonly progress: (done: number) => void;
}

/**
 * The hosts of a subnet that are up, but for this machine itself: by the table of neighbours where the subnet
 * is our own and the system has such a table, else by connecting to the two commonest ports.
 *
 * @throws the signal's reason when it aborts.
 */
export async function findHosts(subnet: Subnet, search: HostSearch, onHost: (host: LiveHost) => void): Promise<void> {
  const own = new Set(search.interfaces.map(({ address }) => address));
  const hosts = hostsOf(subnet).filter((host) => !own.has(host));
  if (await findByNeighbours(subnet, hosts, search, onHost)) return;
  const { gate, ports, timeoutMs, signal, progress } = search;
  const queue = hosts.values();
  let done = 0;
  const lookOn = async (): Promise<void> => {
    for (const ip of queue) {
      const states = await checkPorts(ip, firstPorts(ports), { gate, ports, timeoutMs, signal });
      if ([...states.values()].some((state) => state !== "silent")) onHost({ ip, states });
      progress(++done / hosts.length);
    }
  };
  await allOrAbort(Array.from({ length: Math.min(HOSTS_AT_ONCE, hosts.length) }, lookOn));
}

/** Whether the table could be used. No neighbour at all means a network without one, such as a tunnel. */
async function findByNeighbours(
  subnet: Subnet,
  hosts: readonly string[],
  { interfaces, signal, progress }: HostSearch,
  onHost: (host: LiveHost) => void,
): Promise<boolean> {
  const isOwn = interfaces.some(
    ({ address, subnet: own }) => contains(subnet, address) && subnet.prefix >= own.prefix && own.prefix < 31,
  );
  if (!isOwn) return false;
  let looked = 0;
  const neighbours = await findNeighbours(hosts, signal, (count) => {
    looked += count;
    progress(looked / hosts.length);
  });
  if (!neighbours || neighbours.size === 0) return false;
  for (const [ip, mac] of neighbours) onHost({ ip, mac, states: new Map() });
  return true;
}

/** Tries ports of one host, as many at once as the gate lets through. */
export async function checkPorts(
  ip: string,
  ports: readonly number[],
  { gate, timeoutMs, signal }: Scanning,
): Promise<Map<number, PortState>> {
  const states = await allOrAbort(
    ports.map(async (port) => {
      const state = await gate.run(ip, signal, () => tryPort(ip, port, timeoutMs, signal));
      return [port, state] as const;
    }),
  );
  return new Map(states);
}

/** Connects and hangs up at once. */
export function tryPort(host: string, port: number, timeoutMs: number, signal: AbortSignal): Promise<PortState> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const abort = (): void => {
      socket.destroy();
      reject(signal.reason);
    };
    const settle = (state: PortState): void => {
      signal.removeEventListener("abort", abort);
      socket.destroy();
      resolve(state);
    };
    signal.addEventListener("abort", abort, { once: true });
    socket.setTimeout(timeoutMs, () => settle("silent"));
    socket.once("connect", () => settle("open"));
    socket.on("error", (error: NodeJS.ErrnoException) => settle(error.code === "ECONNREFUSED" ? "refused" : "silent"));
  });
}

/** Waits for all to end before it throws what the first threw, so that nothing is left running. */
async function allOrAbort<T>(work: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(work);
  return Promise.all(work);
}

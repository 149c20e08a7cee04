import { createSocket } from "node:dgram";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { readMac } from "./sighting.ts";

/** Linux' table of neighbours. */
export const NEIGHBOUR_TABLE = "/proc/net/arp";

/** The kernel forgets neighbours when it has to look for about a thousand at once. */
const BATCH = 256;
/** A host that is up answers in a few milliseconds by cable, and within these by radio. */
const ANSWER_MS = 350;
/** The discard port: nothing listens there, and nothing has to. */
const NOWHERE = 9;
const COMPLETE = 0x2;

/** The MACs by IP of Linux' table of neighbours, those that answered (`/proc/net/arp`, proc_net_arp(5)). */
export function parseArpTable(text: string): Map<string, string> {
  const macs = new Map<string, string>();
  for (const line of text.split("\n").slice(1)) {
    const [ip = "", , flags, address] = line.split(/\s+/);
    const mac = readMac(address);
    if (mac !== undefined && (Number(flags) & COMPLETE) !== 0) macs.set(ip, mac);
  }
  return macs;
}

/** The neighbours that this machine knows; undefined where it does not say, as systems other than Linux. */
export async function readNeighbours(table = NEIGHBOUR_TABLE): Promise<Map<string, string> | undefined> {
  try {
    return parseArpTable(await readFile(table, "utf8"));
  } catch {
    return undefined;
  }
}

/**
 * Has the kernel look for each host of the own network, by sending it an empty datagram, and reads who answered.
 *
 * @param progress called with how many hosts were looked for since the last call
 * @returns MACs by IP; undefined where this machine cannot tell.
 * @throws the signal's reason when it aborts.
 */
export async function findNeighbours(
  hosts: readonly string[],
  signal: AbortSignal,
  progress: (hosts: number) => void = () => undefined,
): Promise<Map<string, string> | undefined> {
  if ((await readNeighbours()) === undefined) return undefined;
  const wanted = new Set(hosts);
  const found = new Map<string, string>();
  for (let start = 0; start < hosts.length; start += BATCH) {
    const batch = hosts.slice(start, start + BATCH);
    await nudge(batch, signal);
    for (const [ip, mac] of (await readNeighbours()) ?? []) if (wanted.has(ip)) found.set(ip, mac);
    progress(batch.length);
  }
  return found;
}

async function nudge(hosts: readonly string[], signal: AbortSignal): Promise<void> {
  const socket = createSocket("udp4");
  // A host that cannot be reached is one that does not answer.
  socket.on("error", () => undefined);
  try {
    for (const host of hosts) socket.send("", NOWHERE, host, () => undefined);
    await sleep(ANSWER_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
  } finally {
    await new Promise<void>((resolve) => socket.close(() => resolve()));
  }
}

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { CameraFinder } from "../../src/discovery/camera-finder.ts";

/** A line on standard input: what to do with the camera at a host. */
export interface FindQuestion {
  readonly what: "remember" | "find";
  readonly host: string;
}

/** A line on standard output for each question. */
export interface FindAnswer {
  readonly host?: string | undefined;
}

// Runs in the namespace of the one who looks, as a stream of pictures would, until its standard input ends.
const finder = new CameraFinder();
const DISCARD_PORT = 9;

async function answer({ what, host }: FindQuestion): Promise<FindAnswer> {
  if (what === "find") return { host: await finder.find(host, new AbortController().signal) };
  await meet(host);
  await finder.remember(host);
  return {};
}

/** Has the kernel learn the host's MAC, as any connection to it does. */
async function meet(host: string): Promise<void> {
  const socket = createSocket("udp4");
  socket.send("", DISCARD_PORT, host);
  await sleep(300);
  socket.close();
  await once(socket, "close");
}

async function run(): Promise<void> {
  for await (const line of createInterface(process.stdin)) {
    process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line)))}\n`);
  }
}

void run();

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../e2e/node-red.ts";
import { noteServer } from "./inventory.ts";

/** Debian keeps it where only root's PATH looks. */
const PATHS = ["mosquitto", "/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto"];

const binary = PATHS.find((path) => spawnSync(path, ["-h"]).error === undefined);

/** A real Mosquitto on loopback, without persistence. */
export class Mosquitto {
  /** Whether this machine has it. */
  static readonly available = noteServer("MQTT: Mosquitto", binary !== undefined);

  readonly port: number;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, port: number) {
    this.#process = process;
    this.port = port;
  }

  static async start(): Promise<Mosquitto> {
    if (binary === undefined) throw new Error("no Mosquitto here");
    const port = await freePort();
    // Without a configuration it listens on loopback alone and lets everybody in.
    const mosquitto = new Mosquitto(spawn(binary, ["-p", String(port)], { stdio: "ignore" }), port);
    for (let tries = 0; tries < 100; tries++) {
      if (await listens(port)) return mosquitto;
      await sleep(50);
    }
    await mosquitto.stop();
    throw new Error(`Mosquitto does not listen on port ${port}`);
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, "exit");
    this.#process.kill();
    await exited;
  }
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chownSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { freePort } from "../e2e/node-red.ts";
import { noteServer } from "./inventory.ts";

/** Debian keeps each release in a folder of its own, outside of PATH. */
const DEBIAN_HOME = "/usr/lib/postgresql";

const binaries = findBinaries();
/** PostgreSQL refuses to run as root. */
const identity = process.getuid?.() === 0 ? identityOf("postgres") : undefined;

/** A real PostgreSQL on loopback, in a temporary folder, that asks for a password. */
export class Postgresql {
  /** Whether this machine has it. */
  static readonly available = noteServer(
    "PostgreSQL",
    binaries !== undefined && (process.getuid?.() !== 0 || identity !== undefined),
  );

  readonly port: number;
  readonly password = `p@ss:w/o#r%d-${randomBytes(4).toString("hex")}`;
  readonly #folder: string;
  #process: ChildProcess | undefined;
  #databases = 0;

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.port = port;
  }

  static async start(): Promise<Postgresql> {
    const folder = mkdtempSync(join(tmpdir(), "postgresql-"));
    if (identity) chownSync(folder, identity.uid, identity.gid);
    const server = new Postgresql(folder, await freePort());
    const passwordFile = join(folder, "password");
    writeFileSync(passwordFile, `${server.password}\n`);
    const options = [
      "--username=cctv",
      "--auth=scram-sha-256",
      `--pwfile=${passwordFile}`,
      "--encoding=UTF8",
      "--no-sync",
    ];
    const { status, stderr } = spawnSync(binary("initdb"), [...options, "-D", join(folder, "data")], {
      ...identity,
      cwd: folder,
    });
    if (status !== 0) throw new Error(`initdb: ${stderr}`);
    await server.resume();
    return server;
  }

  /** Starts the server, again after `pause`. */
  async resume(): Promise<void> {
    const settings = [
      "fsync=off",
      "listen_addresses=127.0.0.1",
      `port=${this.port}`,
      `unix_socket_directories=${this.#folder}`,
    ];
    this.#process = spawn(
      binary("postgres"),
      ["-D", join(this.#folder, "data"), ...settings.flatMap((setting) => ["-c", setting])],
      { ...identity, cwd: this.#folder, stdio: "ignore" },
    );
    for (let tries = 0; tries < 200; tries++) {
      if (await this.#answers()) return;
      await sleep(50);
    }
    await this.stop();
    throw new Error(`PostgreSQL does not answer on port ${this.port}`);
  }

  /** Ends the server and its connections, and keeps its data. */
  async pause(): Promise<void> {
    const server = this.#process;
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const exited = once(server, "exit");
    server.kill("SIGINT");
    await exited;
  }

  async stop(): Promise<void> {
    await this.pause();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  url(database = "postgres", password = this.password): string {
    return `postgresql://cctv:${encodeURIComponent(password)}@127.0.0.1:${this.port}/${database}`;
  }

  /** @returns the connection string of a new, empty database. */
  async newDatabase(): Promise<string> {
    const name = `test_${++this.#databases}`;
    await this.query(`create database ${name}`);
    return this.url(name);
  }

  async query(sql: string, connectionString = this.url()): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString });
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  }

  async #answers(): Promise<boolean> {
    try {
      await this.query("select 1");
      return true;
    } catch {
      return false;
    }
  }
}

function findBinaries(): string | undefined {
  try {
    const releases = readdirSync(DEBIAN_HOME).sort((a, b) => Number(b) - Number(a));
    return releases
      .map((release) => join(DEBIAN_HOME, release, "bin"))
      .find((path) => readdirSync(path).includes("initdb"));
  } catch {
    return undefined;
  }
}

function binary(name: string): string {
  if (binaries === undefined) throw new Error("no PostgreSQL here");
  return join(binaries, name);
}

function identityOf(user: string): { uid: number; gid: number } | undefined {
  const [uid, gid] = ["-u", "-g"].map((flag) => spawnSync("id", [flag, user], { encoding: "utf8" }));
  return uid?.status === 0 && gid?.status === 0 ? { uid: Number(uid.stdout), gid: Number(gid.stdout) } : undefined;
}

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../e2e/node-red.ts";
import { ffmpegs } from "./ffmpeg.ts";
import { noteServer } from "./inventory.ts";

const PICTURE = [
  ...["-v", "error", "-re", "-f", "lavfi", "-i", "testsrc=s=320x180:r=10"],
  ...["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-g", "10"],
  ...["-threads", "1", "-f", "flv"],
];

/** ffmpeg as an RTMP server: it is always there. Since it serves one viewer and ends, each viewer gets one of its own. */
export class FfmpegRtmpServer {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #children = new Set<ChildProcess>();

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
    server.on("connection", (viewer) => {
      this.#keep(viewer);
      // Whoever only looks whether the port is open sends nothing.
      viewer.once("data", (hello) => void this.#serve(viewer, hello));
    });
  }

  static async start(): Promise<FfmpegRtmpServer> {
    const port = await freePort();
    const server = createServer();
    await once(server.listen(port, "127.0.0.1"), "listening");
    return new FfmpegRtmpServer(server, port);
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all([...this.#children].map(end));
    await once(this.#server.close(), "close");
  }

  async #serve(viewer: Socket, hello: Buffer): Promise<void> {
    viewer.pause();
    const port = await freePort();
    const [ffmpeg = ""] = ffmpegs;
    const child = spawn(ffmpeg, [...PICTURE, "-listen", "1", `rtmp://127.0.0.1:${port}/live/door`], {
      stdio: "ignore",
    });
    this.#children.add(child);
    child.once("exit", () => viewer.destroy());
    const server = await connected(port);
    this.#keep(server);
    server.write(hello);
    server.pipe(viewer).pipe(server);
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => socket.destroy()).once("close", () => this.#sockets.delete(socket));
  }
}

const NGINX = ["/usr/sbin/nginx", "/usr/local/sbin/nginx"].find(existsSync);
const RTMP_MODULE = "/usr/lib/nginx/modules/ngx_rtmp_module.so";

/** A real nginx with its RTMP module, on loopback; its application `live` lets everybody publish and play. */
export class NginxRtmpServer {
  /** Whether this machine has it: Debian's nginx-light and libnginx-mod-rtmp. */
  static readonly available = noteServer("RTMP: nginx", NGINX !== undefined && existsSync(RTMP_MODULE));

  readonly port: number;
  readonly #folder: string;
  readonly #children: ChildProcess[];

  private constructor(port: number, folder: string, nginx: ChildProcess) {
    this.port = port;
    this.#folder = folder;
    this.#children = [nginx];
  }

  static async start(port?: number): Promise<NginxRtmpServer> {
    const listen = port ?? (await freePort());
    const folder = mkdtempSync(join(tmpdir(), "cctv-nginx-"));
    const configuration = `load_module ${RTMP_MODULE}; daemon off; master_process off; worker_processes 1;
      pid ${folder}/pid; error_log ${folder}/error.log; events { worker_connections 64; }
      rtmp { server { listen 127.0.0.1:${listen}; access_log off; application live { live on; drop_idle_publisher 5s; } } }`;
    writeFileSync(join(folder, "nginx.conf"), configuration);
    const nginx = spawn(
      NGINX ?? "",
      ["-p", folder, "-e", join(folder, "error.log"), "-c", join(folder, "nginx.conf")],
      {
        stdio: "ignore",
      },
    );
    const server = new NginxRtmpServer(listen, folder, nginx);
    (await connected(listen)).destroy();
    return server;
  }

  url(stream: string): string {
    return `rtmp://127.0.0.1:${this.port}/live/${stream}`;
  }

  /** Pushes a moving picture to a stream, as a camera or an encoder does. */
  publish(stream: string): void {
    const [ffmpeg = ""] = ffmpegs;
    this.#children.push(spawn(ffmpeg, [...PICTURE, this.url(stream)], { stdio: "ignore" }));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#children.map(end));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Pushes a moving picture as a camera does, with a real ffmpeg. */
export class RtmpPusher {
  readonly #process: ChildProcess;

  constructor(url: string) {
    const [ffmpeg = ""] = ffmpegs;
    this.#process = spawn(ffmpeg, [...PICTURE, url], { stdio: "ignore" });
  }

  /** Waits until it has given up by itself; its exit code. */
  async ended(): Promise<number | null> {
    if (this.#process.exitCode === null) await once(this.#process, "exit");
    return this.#process.exitCode;
  }

  async stop(): Promise<void> {
    await end(this.#process);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

async function connected(port: number): Promise<Socket> {
  for (let tries = 0; tries < 200; tries++) {
    const socket = connect(port, "127.0.0.1");
    try {
      await once(socket, "connect");
      return socket;
    } catch {
      socket.destroy();
      await sleep(25);
    }
  }
  throw new Error(`nothing listens on port ${port}`);
}

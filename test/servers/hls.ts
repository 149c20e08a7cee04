import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ffmpegs } from "./ffmpeg.ts";

export interface HlsServerSettings {
  /** What the query of each playlist has to hold: `token=…`. */
  readonly token?: string;
  /** What Basic authentication asks for on every path: `user:password`. */
  readonly login?: string;
}

export interface Segments {
  /** The playlist's path under the server's root. */
  readonly playlist: string;
  /** A folder beside the playlist for the segments; beside it by default. */
  readonly parts?: string;
  readonly size?: string;
  /** A recording of so long; live without. */
  readonly seconds?: number;
  /** Continue the playlist of an earlier segmenter, after a discontinuity. */
  readonly append?: boolean;
}

/** A folder that ffmpeg's own segmenter fills, served over HTTP on loopback. */
export class HlsServer {
  readonly folder: string;
  readonly port: number;
  /** Each request, as `status path`. */
  readonly requests: string[] = [];
  readonly #server: Server;
  readonly #settings: HlsServerSettings;
  readonly #segmenters = new Set<ChildProcess>();

  private constructor(server: Server, settings: HlsServerSettings) {
    this.folder = mkdtempSync(join(tmpdir(), "cctv-hls-"));
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
    this.#settings = settings;
    server.on("request", (request, response) => this.#answer(request, response));
  }

  static async start(settings: HlsServerSettings = {}): Promise<HlsServer> {
    const server = createServer();
    await once(server.listen(0, "127.0.0.1"), "listening");
    return new HlsServer(server, settings);
  }

  url(path: string): string {
    return `http://127.0.0.1:${this.port}/${path}`;
  }

  /** Cuts a moving picture of 10 pictures a second into segments of a second; resolves when a live one can be watched. */
  async segment({ playlist, parts = "", size = "320x180", seconds, append = false }: Segments): Promise<ChildProcess> {
    const [ffmpeg = ""] = ffmpegs;
    const path = join(this.folder, playlist);
    mkdirSync(join(dirname(path), parts), { recursive: true });
    const live = seconds === undefined;
    const flags = ["delete_segments", "omit_endlist", "temp_file", ...(append ? ["append_list"] : [])].join("+");
    const child = spawn(
      ffmpeg,
      [
        ...["-v", "error", ...(live ? ["-re"] : []), "-f", "lavfi"],
        ...["-i", `testsrc=s=${size}:r=10${live ? "" : `:d=${seconds}`}`],
        ...["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "10", "-bf", "0", "-threads", "1"],
        ...["-f", "hls", "-hls_time", "1", "-hls_list_size", live ? "4" : "0"],
        ...(live ? ["-hls_flags", flags, "-hls_delete_threshold", "2"] : []),
        ...["-hls_base_url", parts && `${parts}/`],
        ...["-hls_segment_filename", join(dirname(path), parts, "part%d.ts"), "-y", path],
      ],
      { stdio: ["ignore", "ignore", "inherit"] },
    );
    this.#segmenters.add(child);
    if (live && !append) await this.#filled(path, 3);
    if (!live) await once(child, "exit");
    return child;
  }

  /** Ends a segmenter as a power cut would, without a last line in its playlist. */
  async cut(segmenter: ChildProcess): Promise<void> {
    this.#segmenters.delete(segmenter);
    if (segmenter.exitCode !== null || segmenter.signalCode !== null) return;
    const exited = once(segmenter, "exit");
    segmenter.kill("SIGKILL");
    await exited;
  }

  /** Takes no more connections and drops those that it has, while the segmenters go on. */
  pause(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async resume(): Promise<void> {
    await once(this.#server.listen(this.port, "127.0.0.1"), "listening");
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#segmenters].map((segmenter) => this.cut(segmenter)));
    this.#server.closeAllConnections();
    if (this.#server.listening) await once(this.#server.close(), "close");
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #filled(path: string, segments: number): Promise<void> {
    for (let tries = 0; tries < 200; tries++) {
      await sleep(50);
      try {
        if (readFileSync(path, "utf8").split("#EXTINF").length > segments) return;
      } catch {
        // not written yet
      }
    }
    throw new Error(`no ${segments} segments in ${path}`);
  }

  #answer({ url = "", headers }: IncomingMessage, response: ServerResponse): void {
    const [path = "", query = ""] = url.split("?");
    const { token, login } = this.#settings;
    const [status, body] =
      login !== undefined && headers.authorization !== `Basic ${Buffer.from(login).toString("base64")}`
        ? [401, "who are you?"]
        : token !== undefined && path.endsWith(".m3u8") && query !== token
          ? [403, "no token"]
          : this.#read(path);
    this.requests.push(`${status} ${path}`);
    response.writeHead(status, status === 401 ? { "www-authenticate": 'Basic realm="camera"' } : {}).end(body);
  }

  #read(path: string): [status: number, body: string | Buffer] {
    try {
      return [200, readFileSync(join(this.folder, decodeURIComponent(path)))];
    } catch {
      return [404, "<html><body>not found</body></html>"];
    }
  }
}

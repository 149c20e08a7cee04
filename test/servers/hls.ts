import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ffmpegs } from "./ffmpeg.ts";
import { HttpCamera, type HttpCameraSettings } from "./http-camera.ts";
import { noteServer } from "./inventory.ts";

noteServer("HLS: ffmpeg's segmenter behind a small server", true);

export interface HlsServerSettings extends Omit<HttpCameraSettings, "answer"> {
  /** What the query of each playlist has to hold: `token=…`. */
  readonly token?: string;
  /** Where it sends on instead of answering, by path. */
  readonly redirects?: Readonly<Record<string, string>>;
}

export interface Segments {
  /** The playlist's path under the server's root. */
  readonly playlist: string;
  /** A folder beside the playlist for the segments; beside it by default. */
  readonly parts?: string;
  readonly size?: string;
  /** A recording of so long; live without. */
  readonly seconds?: number;
  /** All of a recording in one file, its segments as byte ranges. */
  readonly singleFile?: boolean;
  /** With AES-128, the key under `keys/`. */
  readonly encrypted?: boolean;
  /** Continue the playlist of an earlier segmenter, after a discontinuity. */
  readonly append?: boolean;
}

/** A folder that ffmpeg's own segmenter fills, served over HTTP on loopback. */
export class HlsServer {
  readonly folder = mkdtempSync(join(tmpdir(), "cctv-hls-"));
  /** Each request that was logged in, as `status path`. */
  readonly requests: string[] = [];
  readonly port: number;
  readonly camera: HttpCamera;
  readonly #settings: HlsServerSettings;
  readonly #segmenters = new Set<ChildProcess>();

  private constructor(camera: HttpCamera, settings: HlsServerSettings) {
    this.camera = camera;
    this.port = camera.port;
    this.#settings = settings;
  }

  static async start(settings: HlsServerSettings = {}): Promise<HlsServer> {
    const camera: HttpCamera = await HttpCamera.start({
      ...settings,
      answer: (request, response) => server.#answer(request, response),
    });
    const server = new HlsServer(camera, settings);
    return server;
  }

  url(path: string): string {
    return this.camera.url(`/${path}`);
  }

  /** Cuts a moving picture of 10 pictures a second into segments of a second; resolves when a live one can be watched. */
  async segment(segments: Segments): Promise<ChildProcess> {
    const { playlist, parts = "", size = "320x180", seconds, append = false } = segments;
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
        ...(segments.singleFile ? ["-hls_flags", "single_file"] : []),
        ...(segments.encrypted ? ["-hls_key_info_file", this.#makeKey()] : []),
        ...["-hls_base_url", parts && `${parts}/`],
        ...[
          "-hls_segment_filename",
          join(dirname(path), parts, segments.singleFile ? "all.ts" : "part%d.ts"),
          "-y",
          path,
        ],
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
  async pause(): Promise<void> {
    await this.camera.stop();
  }

  async resume(): Promise<void> {
    await this.camera.resume(this.port);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#segmenters].map((segmenter) => this.cut(segmenter)));
    await this.camera.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** What ffmpeg wants to know: the key's address relative to the server, and its file. */
  #makeKey(): string {
    mkdirSync(join(this.folder, "keys"), { recursive: true });
    const [key, about] = [join(this.folder, "keys/1.key"), join(this.folder, "keys/about")];
    writeFileSync(key, randomBytes(16));
    writeFileSync(about, `/keys/1.key\n${key}\n`);
    return about;
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
    const { token, redirects } = this.#settings;
    const location = redirects?.[path];
    const answer =
      location !== undefined
        ? { status: 302, headers: { location }, body: "go on" }
        : token !== undefined && path.endsWith(".m3u8") && query !== token
          ? { status: 403, headers: {}, body: "no token" }
          : this.#read(path, headers.range);
    this.requests.push(`${answer.status} ${path}`);
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }

  #read(path: string, range = ""): { status: number; headers: Record<string, string>; body: string | Buffer } {
    try {
      const body = readFileSync(join(this.folder, decodeURIComponent(path)));
      const [match, from = "", to = ""] = /^bytes=(\d+)-(\d*)$/.exec(range) ?? [];
      if (match === undefined) return { status: 200, headers: {}, body };
      const part = body.subarray(Number(from), to === "" ? body.length : Number(to) + 1);
      const last = Number(from) + part.length - 1;
      return { status: 206, headers: { "content-range": `bytes ${from}-${last}/${body.length}` }, body: part };
    } catch {
      return { status: 404, headers: {}, body: "<html><body>not found</body></html>" };
    }
  }
}

import { existsSync } from "node:fs";
import { basename } from "node:path";
import { promisify } from "node:util";
import { CctvError } from "../../../errors.ts";
import { bytesPerPixel, type NdiPicture } from "./packed-rgb.ts";
import { explainMissingRuntime } from "./runtime-location.ts";
import type { NdiSource } from "./source-choice.ts";

type Koffi = typeof import("koffi");
type Library = ReturnType<Koffi["load"]>;
type NativeFunction = ReturnType<Library["func"]>;
/** koffi gives pointers as big integers. */
type Pointer = bigint | null;

export interface RuntimePlaces {
  readonly platform: string;
  /** Files to try, the best first; a bare name is left to the system's loader. */
  readonly places: readonly string[];
  readonly importKoffi?: () => Promise<Koffi>;
}

/** What a receiver got within its time. */
export type Capture =
  | { readonly kind: "picture"; readonly picture: NdiPicture }
  /** Nothing, or nothing that is wanted here, such as a change of settings. */
  | { readonly kind: "nothing" }
  /** The runtime gave the connection up. */
  | { readonly kind: "lost" };

/** Values of the NDI SDK's public headers, version 5 and 6. */
const FRAME_TYPE = { video: 1, error: 4 } as const;
const COLOR_FORMAT_UYVY_BGRA = 1;
const BANDWIDTH = { lowest: 0, highest: 100 } as const;
const LARGEST_SIDE = 16_384;

/**
 * The NDI runtime that the user installed, loaded into this process. Its calls block for as long as they
 * are told to, on a thread of their own; should it crash it takes the process along, so that it belongs
 * into one of its own.
 */
export class NdiRuntime {
  readonly #koffi: Koffi;
  readonly #library: Library;
  readonly #types: ReturnType<typeof defineTypes>;

  private constructor(koffi: Koffi, library: Library) {
    this.#koffi = koffi;
    this.#library = library;
    this.#types = defineTypes(koffi);
  }

  /** @throws CctvError CAMERA_RUNTIME_MISSING that says what to install. */
  static async load({ platform, places, importKoffi = () => import("koffi") }: RuntimePlaces): Promise<NdiRuntime> {
    const koffi = await importKoffi().catch((cause) => {
      throw new CctvError(
        "CAMERA_RUNTIME_MISSING",
        'the npm package "koffi", which calls the NDI runtime, is not installed; run "npm install koffi" in the folder where this package is installed, such as ~/.node-red, and start Node-RED again',
        { cause },
      );
    });
    const runtime = new NdiRuntime(koffi, loadLibrary(koffi, platform, places));
    const initialize = runtime.#function("NDIlib_initialize", "bool", []);
    if (initialize()) return runtime;
    throw new CctvError(
      "CAMERA_RUNTIME_MISSING",
      "the NDI runtime does not start on this machine; it takes a 64-bit processor with SSE4.2 or an ARM processor with NEON",
    );
  }

  /** @param machine the IP address of one to ask beside those that announce themselves. */
  find(machine?: string): NdiFinder {
    const { findCreate, source } = this.#types;
    const create = this.#function("NDIlib_find_create_v2", "void *", [this.#koffi.pointer(findCreate)]);
    const finder: Pointer = create({ show_local_sources: true, p_groups: null, p_extra_ips: machine ?? null });
    if (finder === null) throw refused("look for sources");
    const wait = this.#function("NDIlib_find_wait_for_sources", "bool", ["void *", "uint32_t"]);
    const list = this.#function("NDIlib_find_get_current_sources", "void *", [
      "void *",
      this.#koffi.out(this.#koffi.pointer("uint32_t")),
    ]);
    const destroy = this.#function("NDIlib_find_destroy", "void", ["void *"]);
    return {
      waitForChange: (ms) => promisify(wait.async)(finder, ms) as Promise<boolean>,
      sources: () => {
        const count = [0];
        const first: Pointer = list(finder, count);
        if (first === null || !count[0]) return [];
        const found: { p_ndi_name: string | null; p_url_address: string | null }[] = this.#koffi.decode(
          first,
          source,
          count[0],
        );
        return found.map(({ p_ndi_name, p_url_address }) => ({
          name: p_ndi_name ?? "",
          address: p_url_address ?? "",
        }));
      },
      close: () => destroy(finder),
    };
  }

  /** @param bandwidth `lowest` is a small picture that every sender makes beside its full one. */
  receive(source: NdiSource, bandwidth: keyof typeof BANDWIDTH): NdiReceiver {
    const { receiverCreate, videoFrame } = this.#types;
    const koffi = this.#koffi;
    const create = this.#function("NDIlib_recv_create_v3", "void *", [koffi.pointer(receiverCreate)]);
    const receiver: Pointer = create({
      source_to_connect_to: { p_ndi_name: source.name, p_url_address: source.address || null },
      color_format: COLOR_FORMAT_UYVY_BGRA,
      bandwidth: BANDWIDTH[bandwidth],
      allow_video_fields: false,
      p_ndi_recv_name: "Node-RED",
    });
    if (receiver === null) throw refused(`receive "${source.name}"`);
    const capture = this.#function("NDIlib_recv_capture_v2", "int", [
      "void *",
      "void *",
      "void *",
      "void *",
      "uint32_t",
    ]);
    const free = this.#function("NDIlib_recv_free_video_v2", "void", ["void *", "void *"]);
    const connections = this.#function("NDIlib_recv_get_no_connections", "int", ["void *"]);
    const destroy = this.#function("NDIlib_recv_destroy", "void", ["void *"]);
    const frame: bigint = koffi.alloc(videoFrame, 1);
    return {
      capture: async (ms, isWanted) => {
        const type = (await promisify(capture.async)(receiver, frame, null, null, ms)) as number;
        if (type === FRAME_TYPE.error) return { kind: "lost" };
        if (type !== FRAME_TYPE.video) return { kind: "nothing" };
        try {
          const header: VideoFrame = koffi.decode(frame, videoFrame);
          if (header.p_data === null || !isWanted()) return { kind: "nothing" };
          return { kind: "picture", picture: readFrame(koffi, header, header.p_data) };
        } finally {
          free(receiver, frame);
        }
      },
      isConnected: () => connections(receiver) > 0,
      close: () => {
        destroy(receiver);
        koffi.free(frame);
      },
    };
  }

  /** After all finders and receivers. */
  close(): void {
    this.#function("NDIlib_destroy", "void", [])();
  }

  #function(name: string, result: string, parameters: Parameters<Library["func"]>[2][]): NativeFunction {
    return this.#library.func(name, result, parameters as never);
  }
}

export interface NdiFinder {
  /** Resolves at the next change of the list, with true, or after the time, with false. */
  waitForChange(ms: number): Promise<boolean>;
  sources(): NdiSource[];
  close(): void;
}

export interface NdiReceiver {
  /**
   * Waits for a frame. `isWanted` is asked when one is there; an unwanted one costs nothing more.
   * Call it again only when it has answered.
   */
  capture(ms: number, isWanted: () => boolean): Promise<Capture>;
  /** Whether the sender is connected now. */
  isConnected(): boolean;
  /** Not while it captures. */
  close(): void;
}

interface VideoFrame {
  readonly xres: number;
  readonly yres: number;
  readonly fourcc: number;
  readonly picture_aspect_ratio: number;
  readonly p_data: Pointer;
  readonly line_stride_in_bytes: number;
}

/** The structures of the NDI SDK's documentation, with its own names. */
function defineTypes(koffi: Koffi) {
  const source = koffi.struct({ p_ndi_name: "str", p_url_address: "str" });
  const findCreate = koffi.struct({ show_local_sources: "bool", p_groups: "str", p_extra_ips: "str" });
  const receiverCreate = koffi.struct({
    source_to_connect_to: source,
    color_format: "int",
    bandwidth: "int",
    allow_video_fields: "bool",
    p_ndi_recv_name: "str",
  });
  const videoFrame = koffi.struct({
    xres: "int",
    yres: "int",
    fourcc: "uint32_t",
    frame_rate_n: "int",
    frame_rate_d: "int",
    picture_aspect_ratio: "float",
    frame_format_type: "int",
    timecode: "int64_t",
    p_data: "void *",
    line_stride_in_bytes: "int",
    p_metadata: "void *",
    timestamp: "int64_t",
  });
  return { source, findCreate, receiverCreate, videoFrame };
}

/** The picture in memory of its own: the runtime's is given back. */
function readFrame(koffi: Koffi, header: VideoFrame, pixels: bigint): NdiPicture {
  const { xres: width, yres: height, line_stride_in_bytes: stride, picture_aspect_ratio: aspectRatio } = header;
  const format = String.fromCharCode(...[0, 8, 16, 24].map((shift) => (header.fourcc >>> shift) & 0xff));
  const rowBytes = width * bytesPerPixel(format);
  if (![width, height].every((side) => side > 0 && side <= LARGEST_SIDE) || stride < rowBytes) {
    throw new CctvError(
      "CAMERA_UNSUPPORTED",
      `the NDI source sends a picture of ${width}x${height} pixels that cannot be read; update the sender`,
    );
  }
  const data: Uint8Array = koffi.decode(pixels, "uint8_t", stride * height);
  return { format, width, height, stride, aspectRatio, data };
}

function loadLibrary(koffi: Koffi, platform: string, places: readonly string[]): Library {
  let broken: string | undefined;
  for (const place of places) {
    const isBareName = basename(place) === place;
    if (!isBareName && !existsSync(place)) continue;
    try {
      return koffi.load(place);
    } catch (error) {
      if (!isBareName) broken ??= `${place}: ${error instanceof Error ? error.message : error}`;
    }
  }
  throw explainMissingRuntime(platform, broken);
}

function refused(what: string): CctvError {
  return new CctvError("STREAM_LOST", `the NDI runtime would not ${what}; it is tried again`);
}

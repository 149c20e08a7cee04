import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { noteServer } from "./inventory.ts";

/**
 * Plays the part of the NDI runtime and of a network with senders behind it: the functions that a
 * receiver calls, with two moving sources. It has the shape of the real library, and nothing else of it.
 *
 * Its surroundings tell it how to behave: STAND_IN_SOURCES (how many sources announce themselves, 2),
 * STAND_IN_LOSE_AFTER (the connection breaks after so many frames), STAND_IN_FADE_AFTER (frames stop and
 * nobody is connected any more), STAND_IN_CRASH_AFTER, STAND_IN_REPORT (a file for what it counted).
 */
const SOURCE = String.raw`
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct { const char *name; const char *address; } source_t;
typedef struct { bool local; const char *groups; const char *extra; } find_create_t;
typedef struct { source_t source; int color; int bandwidth; bool fields; const char *name; } recv_create_t;
typedef struct {
  int width, height; uint32_t fourcc; int rate_n, rate_d; float aspect; int kind; int64_t timecode;
  uint8_t *data; int stride; const char *metadata; int64_t timestamp;
} video_t;
/* As in the real headers on 64-bit machines. */
_Static_assert(sizeof(source_t) == 16 && sizeof(find_create_t) == 24, "finder");
_Static_assert(sizeof(recv_create_t) == 40 && sizeof(video_t) == 72, "receiver");

typedef struct { int channel, color, bandwidth, frames; bool gone; } receiver_t;

static source_t sources[3] = {
  { "STUDIO-PC (Camera 1)", "127.0.0.1:5961" },
  { "STUDIO-PC (Camera 2)", "127.0.0.1:5962" },
  { "FAR (Yard)", "192.0.2.20:5961" }
};
static int captured, freed, foreign, receivers, finders, last_bandwidth = -1, last_color = -1;
static bool extra_asked;

static int setting(const char *name, int fallback) {
  const char *text = getenv(name);
  return text ? atoi(text) : fallback;
}

static void pause_ms(int ms) {
  struct timespec time = { ms / 1000, (ms % 1000) * 1000000L };
  nanosleep(&time, NULL);
}

bool NDIlib_initialize(void) { return true; }

void NDIlib_destroy(void) {
  const char *path = getenv("STAND_IN_REPORT");
  FILE *file = path ? fopen(path, "w") : NULL;
  if (!file) return;
  fprintf(file, "{\"captured\":%d,\"freed\":%d,\"foreign\":%d,\"receivers\":%d,\"finders\":%d,\"bandwidth\":%d,\"color\":%d}",
    captured, freed, foreign, receivers, finders, last_bandwidth, last_color);
  fclose(file);
}

void *NDIlib_find_create_v2(const find_create_t *create) {
  finders++;
  extra_asked = create->extra && strcmp(create->extra, "192.0.2.20") == 0;
  return &sources;
}

void NDIlib_find_destroy(void *finder) { (void)finder; finders--; }

bool NDIlib_find_wait_for_sources(void *finder, uint32_t timeout) {
  (void)finder;
  pause_ms(timeout < 100 ? timeout : 100);
  return false;
}

const source_t *NDIlib_find_get_current_sources(void *finder, uint32_t *count) {
  (void)finder;
  *count = extra_asked ? 3 : setting("STAND_IN_SOURCES", 2);
  return sources;
}

void *NDIlib_recv_create_v3(const recv_create_t *create) {
  receiver_t *receiver = calloc(1, sizeof *receiver);
  for (int i = 0; i < 3; i++) {
    if (strcmp(create->source.name, sources[i].name) == 0) receiver->channel = i + 1;
  }
  receivers++;
  last_color = receiver->color = create->color;
  last_bandwidth = receiver->bandwidth = create->bandwidth;
  return receiver;
}

void NDIlib_recv_destroy(void *receiver) { receivers--; free(receiver); }

int NDIlib_recv_get_no_connections(void *receiver) { return ((receiver_t *)receiver)->gone ? 0 : 1; }

/* Rows are padded. A white bar moves over dark grey; one pixel in limited range: luma 235 or 49, no colour. */
int NDIlib_recv_capture_v2(void *instance, video_t *video, void *audio, void *metadata, uint32_t timeout) {
  receiver_t *receiver = instance;
  (void)audio; (void)metadata;
  if (receiver->frames == setting("STAND_IN_CRASH_AFTER", -1)) abort();
  if (receiver->frames == setting("STAND_IN_LOSE_AFTER", -1)) return 4;
  receiver->gone = receiver->frames == setting("STAND_IN_FADE_AFTER", -1);
  if (receiver->gone || receiver->channel == 0) { pause_ms(timeout); return 0; }
  pause_ms(20);
  bool four = receiver->channel == 2 || receiver->color != 1;
  int width = receiver->bandwidth == 0 ? 320 : 1280, height = width * 9 / 16;
  int bar = receiver->frames * 2 % width, bytes = four ? 4 : 2;
  memset(video, 0, sizeof *video);
  video->width = width; video->height = height; video->stride = width * bytes + 64;
  video->fourcc = four ? 0x41524742 : 0x59565955;
  video->rate_n = 50; video->rate_d = 1; video->kind = 1;
  video->data = malloc((size_t)video->stride * height);
  for (int y = 0; y < height; y++) {
    uint8_t *row = video->data + (size_t)y * video->stride;
    memset(row, 1, video->stride);
    for (int x = 0; x < width; x++) {
      bool lit = x >= bar && x < bar + 16;
      if (four) { uint8_t pixel[4] = { lit ? 255 : 10, lit ? 255 : 20, lit ? 255 : 200, 128 }; memcpy(row + 4 * x, pixel, 4); }
      else { row[2 * x] = 128; row[2 * x + 1] = lit ? 235 : 49; }
    }
  }
  receiver->frames++;
  captured++;
  return 1;
}

void NDIlib_recv_free_video_v2(void *receiver, const video_t *video) {
  (void)receiver;
  if (video->data == NULL || video->kind != 1) { foreign++; return; }
  free(video->data);
  freed++;
}
`;

/** What the library counted up to its end. */
export interface NdiReport {
  readonly captured: number;
  readonly freed: number;
  /** Frames given back that never were its own. */
  readonly foreign: number;
  /** Receivers and finders still open. */
  readonly receivers: number;
  readonly finders: number;
  /** As last asked for. */
  readonly bandwidth: number;
  readonly color: number;
}

/** The stand-in, compiled into a folder of its own. */
export class NdiStandIn {
  /** Whether this machine can compile it. */
  static readonly available = noteServer(
    "NDI: a stand-in library, compiled here",
    process.platform === "linux" && ["x64", "arm64"].includes(process.arch) && hasCompiler(),
  );

  readonly folder = mkdtempSync(join(tmpdir(), "cctv-ndi-"));

  constructor() {
    const source = join(this.folder, "stand-in.c");
    writeFileSync(source, SOURCE);
    execFileSync("cc", ["-O2", "-Wall", "-shared", "-fPIC", "-o", join(this.folder, "libndi.so.6"), source]);
  }

  /** The environment of a process that is to find it. */
  environment(behaviour: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
    return {
      ...process.env,
      NDI_RUNTIME_DIR_V6: this.folder,
      STAND_IN_REPORT: join(this.folder, "report.json"),
      ...behaviour,
    };
  }

  /** Undefined where the library was not shut down in good order since the last report was read. */
  takeReport(): NdiReport | undefined {
    const path = join(this.folder, "report.json");
    if (!existsSync(path)) return undefined;
    const report: NdiReport = JSON.parse(readFileSync(path, "utf8"));
    rmSync(path);
    return report;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

function hasCompiler(): boolean {
  try {
    execFileSync("cc", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

import { createReadStream } from "node:fs";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createGunzip } from "node:zlib";
import { CctvError } from "../../errors.ts";
import { JOINTS } from "../../pose/person.ts";
import { type Body, bodyOf } from "./body.ts";

/** Frames, first and last included. */
export type Span = readonly [first: number, last: number];

export interface RecordedVideo {
  readonly video: string;
  readonly camera: string;
  readonly frames: number;
  /** Frames a second. */
  readonly fps: number;
  /** When something was taken. */
  readonly theft: readonly Span[];
}

/** One person of a video, as long as the tracker kept them. */
export interface RecordedPerson {
  readonly video: RecordedVideo;
  /** Frame numbers, ascending; there may be gaps. */
  readonly frames: Int32Array;
  readonly bodies: readonly Body[];
}

export interface Recordings {
  readonly videos: readonly RecordedVideo[];
  readonly persons: readonly RecordedPerson[];
}

/** Where a video does not say how many frames a second it has. */
const DEFAULT_FPS = 15;

/** Joints without a confidence count as seen: whoever made the file placed them. */
const UNRATED_SCORE = 1;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads a folder of recorded tracks as JSON Lines.
 *
 * `videos.jsonl` has a line per video: `video`, `camera`, `frames`, `theft` (list of first and last frame) and, where
 * it is not 15, `fps`. `tracks.jsonl` or `tracks.jsonl.gz` has a line per person: `video`, `frames` (their
 * numbers) and `keypoints` (per frame 17 COCO points of x and y in pixels, and a confidence or null). Other
 * fields are ignored.
 *
 * @throws CctvError DATA_INVALID, naming file and line.
 */
export async function readRecordings(folder: string): Promise<Recordings> {
  const videos = new Map<string, RecordedVideo>();
  await forEachLine(await existing(folder, ["videos.jsonl", "videos.jsonl.gz"]), (fields) => {
    const video = videoOf(fields);
    if (videos.has(video.video)) throw new Error(`the video ${video.video} is there twice`);
    videos.set(video.video, video);
  });
  const persons: RecordedPerson[] = [];
  await forEachLine(await existing(folder, ["tracks.jsonl", "tracks.jsonl.gz"]), (fields) => {
    persons.push(personOf(fields, videos));
  });
  if (persons.length === 0) throw new CctvError("DATA_INVALID", `${folder} has no tracks; give a folder that has some`);
  return { videos: [...videos.values()], persons };
}

/** The recordings of those cameras for which `keep` says so. */
export function ofCameras({ videos, persons }: Recordings, keep: (camera: string) => boolean): Recordings {
  return {
    videos: videos.filter((video) => keep(video.camera)),
    persons: persons.filter((person) => keep(person.video.camera)),
  };
}

/** @returns the cameras, in the order of the first video of each. */
export function camerasOf({ videos }: Recordings): string[] {
  return [...new Set(videos.map((video) => video.camera))];
}

export function isTheft({ theft }: RecordedVideo, frame: number): boolean {
  return theft.some(([first, last]) => frame >= first && frame <= last);
}

function videoOf(fields: Fields): RecordedVideo {
  const { video, camera, frames, fps = DEFAULT_FPS, theft } = fields;
  if (typeof video !== "string" || video === "") throw new Error("video is no name");
  if (typeof camera !== "string" && typeof camera !== "number")
    throw new Error("camera is neither a number nor a name");
  if (typeof frames !== "number" || !(frames >= 0)) throw new Error("frames is no number");
  if (typeof fps !== "number" || !(fps > 0)) throw new Error("fps is no number above 0");
  if (!Array.isArray(theft) || !theft.every(isSpan)) throw new Error("theft is no list of first and last frames");
  return { video, camera: String(camera), frames, fps, theft };
}

function isSpan(value: unknown): value is Span {
  return Array.isArray(value) && value.length === 2 && value.every(Number.isInteger) && value[0] <= value[1];
}

function personOf(
  { video: name, frames, keypoints }: Fields,
  videos: ReadonlyMap<string, RecordedVideo>,
): RecordedPerson {
  const video = typeof name === "string" ? videos.get(name) : undefined;
  if (!video) throw new Error(`videos.jsonl has no video ${JSON.stringify(name)}`);
  if (
    !Array.isArray(frames) ||
    !frames.every((frame, index) => Number.isInteger(frame) && !(frame <= frames[index - 1]))
  ) {
    throw new Error("frames is no ascending list of whole numbers");
  }
  if (!Array.isArray(keypoints) || keypoints.length !== frames.length) {
    throw new Error(`keypoints is no list as long as frames (${frames.length})`);
  }
  return { video, frames: Int32Array.from(frames), bodies: keypoints.map(recordedBody) };
}

function recordedBody(points: unknown): Body {
  if (!Array.isArray(points) || points.length !== JOINTS.length) throw new Error("a pose does not have 17 key points");
  const keypoints = points.map((point: unknown) => {
    const [x, y, confidence] = Array.isArray(point) ? point : [];
    if (typeof x !== "number" || typeof y !== "number") throw new Error("a key point is not x, y and a confidence");
    return [x, y, typeof confidence === "number" ? confidence : UNRATED_SCORE] as const;
  });
  return bodyOf(keypoints, 1, 1);
}

async function existing(folder: string, names: readonly string[]): Promise<string> {
  for (const name of names) {
    const path = join(folder, name);
    const found = await access(path).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  throw new CctvError("DATA_INVALID", `${folder} has no ${names.join(" or ")}; give the folder that holds it`);
}

async function forEachLine(path: string, take: (fields: Fields) => void): Promise<void> {
  const file = createReadStream(path);
  const text = path.endsWith(".gz") ? file.pipe(createGunzip()) : file;
  file.on("error", (error) => text.destroy(error));
  let number = 0;
  try {
    for await (const line of createInterface({ input: text, crlfDelay: Number.POSITIVE_INFINITY })) {
      number++;
      if (line.trim() === "") continue;
      const value: unknown = JSON.parse(line);
      if (typeof value !== "object" || value === null) throw new Error("it is no object");
      take(value as Fields);
    }
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    throw new CctvError("DATA_INVALID", `${path}, line ${number}: ${found}; correct it or leave it out`, {
      cause: error,
    });
  } finally {
    file.destroy();
  }
}

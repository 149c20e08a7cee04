import { CctvError } from "../../errors.ts";
import type { CameraDevice, CameraEvent, DeviceDescription, Ptz } from "../device.ts";
import type { Found } from "./auto-protocol.ts";

interface Inner {
  readonly found: Found;
  readonly device: CameraDevice | undefined;
}

/** A device of which nobody knows yet what it is: it finds out when it is first asked for something. */
export class AutoDevice implements CameraDevice {
  readonly #find: (signal: AbortSignal) => Promise<Found>;
  readonly #closing = new AbortController();
  #inner: Promise<Inner> | undefined;

  constructor(find: (signal: AbortSignal) => Promise<Found>) {
    this.#find = find;
  }

  async describe(signal: AbortSignal): Promise<DeviceDescription> {
    const { found, device } = await this.#ask(signal);
    if (device) return device.describe(signal);
    return { channels: [], ...(found.brand && { brand: found.brand.label }) };
  }

  async snapshot(signal: AbortSignal): Promise<Buffer> {
    return (await this.#device(signal)).snapshot(signal);
  }

  async *events(signal: AbortSignal): AsyncGenerator<CameraEvent, void> {
    yield* (await this.#device(signal)).events(signal);
  }

  readonly ptz: Ptz = {
    move: async (velocity, forMs, signal) => (await this.#ptz(signal)).move(velocity, forMs, signal),
    stop: async (signal) => (await this.#ptz(signal)).stop(signal),
    presets: async (signal) => (await this.#ptz(signal)).presets(signal),
    goToPreset: async (preset, signal) => (await this.#ptz(signal)).goToPreset(preset, signal),
  };

  async close(): Promise<void> {
    this.#closing.abort(new CctvError("STREAM_LOST", "the connection to the camera was closed"));
    const inner = await this.#inner?.catch(() => undefined);
    await inner?.device?.close();
  }

  async #device(signal: AbortSignal): Promise<CameraDevice> {
    const { found, device } = await this.#ask(signal);
    if (device) return device;
    throw new CctvError(
      "CAMERA_UNSUPPORTED",
      `this camera is read by ${found.protocol.name}, which gives pictures and nothing else; set it up as ONVIF, Hikvision or Dahua where it is one`,
    );
  }

  async #ptz(signal: AbortSignal): Promise<Ptz> {
    const { ptz } = await this.#device(signal);
    if (ptz) return ptz;
    throw new CctvError(
      "CAMERA_UNSUPPORTED",
      "this camera cannot be moved from here; set it up as ONVIF if it can move",
    );
  }

  /** One question for all who want to know; after a failure the next one asks anew. */
  async #ask(signal: AbortSignal): Promise<Inner> {
    this.#inner ??= this.#open(AbortSignal.any([signal, this.#closing.signal])).catch((error: unknown) => {
      this.#inner = undefined;
      throw error;
    });
    return this.#inner;
  }

  async #open(signal: AbortSignal): Promise<Inner> {
    signal.throwIfAborted();
    const found = await this.#find(signal);
    signal.throwIfAborted();
    return { found, device: found.protocol.device?.(found.config) };
  }
}

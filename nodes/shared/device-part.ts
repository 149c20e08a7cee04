import type { Node, NodeMessage } from "node-red";
import type { CameraDevice, CameraEvent } from "../../src/camera/device.ts";
import { EventTrigger } from "../../src/camera/event-trigger.ts";
import { loginGuard, loginKey } from "../../src/camera/login-guard.ts";
import type { CameraConfig } from "../../src/camera/protocols/protocol.ts";
import { protocols } from "../../src/camera/protocols/registry.ts";
import { CctvError } from "../../src/errors.ts";
import { EventWatch } from "../../src/stream/event-watch.ts";
import { isRefusal } from "../../src/stream/refusal.ts";
import { execute, readCommand } from "./camera-command.ts";
import { FailureReporter } from "./report.ts";
import { type Field, numberSetting } from "./settings.ts";

/** The fields of a camera that can do more than give pictures. */
export interface DeviceDef {
  /** Listen to what the camera notices by itself. */
  events?: boolean;
  /** Send frames only while the camera notices something, and for a while after. */
  onEvents?: boolean;
  holdSeconds?: Field;
}

export interface DevicePartOptions {
  readonly config: CameraConfig;
  readonly def: DeviceDef;
  /** What goes with every message. */
  readonly about: object;
}

const COMMAND_LIMIT_MS = 15_000;

/** Of a camera node: commands in, the camera's own events and answers out, on outputs 3 and 4. */
export class DevicePart {
  readonly #options: DevicePartOptions;
  readonly #watch: EventWatch | undefined;
  readonly #trigger: EventTrigger | undefined;
  readonly #closing = new AbortController();
  #device: CameraDevice | undefined;

  /** @throws CctvError SETTING_INVALID */
  constructor(node: Node, options: DevicePartOptions) {
    const { config, def, about } = options;
    this.#options = options;
    const holdMs = numberSetting("Hold", def.holdSeconds, 30, [1, 3600]) * 1000;
    if (def.onEvents) this.#trigger = new EventTrigger(holdMs);
    if (def.events || def.onEvents) this.#watch = new EventWatch({ config, open: () => this.#open() });
    const failures = new FailureReporter();
    this.#watch?.on("event", (event: CameraEvent) => {
      failures.worked();
      this.#trigger?.note(event);
      node.send([null, null, { ...about, payload: event }, null]);
    });
    this.#watch?.on("lost", (error) => {
      const fresh = failures.failed(error, "STREAM_LOST");
      if (fresh) node.error(fresh, { ...about });
    });
    node.on("input", (msg: NodeMessage, send, done) => {
      void this.#obey(msg.payload).then(
        (payload) => {
          send([null, null, null, Object.assign(msg, about, { payload })]);
          done();
        },
        (error: Error) => done(error),
      );
    });
  }

  /** Whether frames are wanted now. */
  wantsFrames(now: number): boolean {
    return this.#trigger?.isOpen(now) ?? true;
  }

  start(): void {
    this.#watch?.start();
  }

  async close(): Promise<void> {
    this.#closing.abort(new CctvError("STREAM_LOST", "the camera's node was closed"));
    await Promise.all([this.#watch?.close(), this.#device?.close()]);
  }

  async #obey(payload: unknown): Promise<unknown> {
    const command = readCommand(payload);
    const { config } = this.#options;
    const signal = AbortSignal.any([AbortSignal.timeout(COMMAND_LIMIT_MS), this.#closing.signal]);
    const login = await loginGuard.enter(loginKey(config.address, config), signal);
    this.#device ??= this.#open();
    const device = this.#device;
    try {
      const answer = await execute(command, device, signal);
      login.accepted();
      return answer;
    } catch (error) {
      if (isRefusal(error)) {
        login.refused(error);
        // A device that was refused stays refused.
        if (this.#device === device) this.#device = undefined;
        await device.close();
      }
      throw error;
    } finally {
      login.leave();
    }
  }

  #open(): CameraDevice {
    const { config } = this.#options;
    const device = protocols.forAddress(config.address).device?.(config);
    if (device) return device;
    throw new CctvError(
      "CAMERA_UNSUPPORTED",
      "this kind of camera gives pictures only; commands need an ONVIF, Hikvision or Dahua camera",
    );
  }
}

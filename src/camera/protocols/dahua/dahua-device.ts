import { CctvError } from "../../../errors.ts";
import type { CameraDevice, CameraEvent, DeviceChannel, DeviceDescription } from "../../device.ts";
import type { DeviceAddress, RtspPlace } from "../../device-address.ts";
import { chooseStream, findChannel } from "../../device-channels.ts";
import { CameraHttp } from "../../http/camera-http.ts";
import { eventParts } from "../../http/event-parts.ts";
import { explainStatus } from "../../http/http-failure.ts";
import { startsAsJpeg } from "../../http/jpeg-scanner.ts";
import { isDenied, isSuccess } from "../../http/whole-answer.ts";
import { cgiPath, DahuaCgi } from "./cgi.ts";
import { readChannels, readRtspPort } from "./channels.ts";
import { readEvents } from "./events.ts";
import { type KeyValues, textAt } from "./key-values.ts";
import { DahuaPtz } from "./ptz.ts";

export interface DahuaDeviceOptions {
  /** How long events may be silent, milliseconds; 30 s by default. */
  readonly quietMs?: number;
}

const MOST_PICTURE_BYTES = 8 * 1024 * 1024;
const SUBTYPES = { main: 0, sub: 1 } as const;
/** The heartbeat comes every five seconds. */
const EVENTS = "eventManager.cgi?action=attach&codes=[All]&heartbeat=5";

/** A camera or recorder that speaks Dahua's CGI. */
export class DahuaDevice implements CameraDevice {
  readonly ptz: DahuaPtz;
  readonly #address: DeviceAddress;
  readonly #options: DahuaDeviceOptions;
  readonly #http: CameraHttp;
  readonly #cgi: DahuaCgi;

  constructor(address: DeviceAddress, options: DahuaDeviceOptions = {}) {
    this.#address = address;
    this.#options = options;
    this.#http = new CameraHttp(address);
    this.#cgi = new DahuaCgi(this.#http, address.display);
    this.ptz = new DahuaPtz(this.#cgi, address.channel, address.display);
  }

  async describe(signal: AbortSignal): Promise<DeviceDescription> {
    const type = await this.#cgi.deviceType(signal);
    const system = await this.#magicBox("getSystemInfo", signal);
    const model = textAt(type, "type") ?? textAt(system, "deviceType");
    const firmware = textAt(await this.#magicBox("getSoftwareVersion", signal), "version");
    const serial = textAt(system, "serialNumber");
    const name = textAt(await this.#magicBox("getMachineName", signal), "name");
    return {
      brand: "Dahua",
      ...(model !== undefined && { model }),
      ...(firmware !== undefined && { firmware }),
      ...(serial !== undefined && { serial }),
      ...(name !== undefined && { name }),
      channels: await this.#channels(signal),
    };
  }

  async snapshot(signal: AbortSignal): Promise<Buffer> {
    const { channel, display } = this.#address;
    const answer = await this.#cgi.answer(`snapshot.cgi?channel=${channel}`, signal, MOST_PICTURE_BYTES);
    if (isSuccess(answer) && startsAsJpeg(answer.body)) return answer.body;
    findChannel(await this.#channels(signal), channel, display);
    if (!isSuccess(answer) && !isDenied(answer)) throw explainStatus(answer.status, answer.headers, display);
    throw new CctvError(
      "CAMERA_UNSUPPORTED",
      `${display} gives this user no snapshot of channel ${channel}, as recorders do for cameras that they reach by ONVIF; take a picture of the stream, or ask that camera itself`,
    );
  }

  async *events(signal: AbortSignal): AsyncGenerator<CameraEvent, void> {
    const parts = eventParts(this.#http, cgiPath(EVENTS), {
      signal,
      where: this.#address.display,
      checkLogin: () => this.#cgi.deviceType(signal),
      quietMs: this.#options.quietMs,
    });
    for await (const { body } of parts) yield* readEvents(body.toString(), Date.now());
  }

  /**
   * Where the wanted pictures are, as far as the account may know: else where they are on most devices.
   * @throws CctvError CAMERA_NOT_FOUND where there is no such channel, and as `CameraHttp.get`.
   */
  async rtspPlace(signal: AbortSignal): Promise<RtspPlace> {
    await this.#cgi.deviceType(signal);
    const { channel, display, stream } = this.#address;
    const { streams } = findChannel(await this.#channels(signal), channel, display);
    const subtype = SUBTYPES[chooseStream(streams, stream)];
    const port = readRtspPort(await this.#config("RTSP", signal));
    return { port, path: `/cam/realmonitor?channel=${channel}&subtype=${subtype}` };
  }

  async close(): Promise<void> {
    await this.ptz.close();
    await this.#http.close();
  }

  async #channels(signal: AbortSignal): Promise<DeviceChannel[]> {
    const deviceClass = textAt(await this.#magicBox("getDeviceClass", signal), "class");
    const titles = await this.#config("ChannelTitle", signal);
    const remotes = await this.#config("RemoteDevice", signal);
    const encode = await this.#config("Encode", signal);
    return readChannels({ titles, remotes, encode, isNetworkRecorder: deviceClass?.toUpperCase() === "NVR" });
  }

  async #magicBox(action: string, signal: AbortSignal): Promise<KeyValues | undefined> {
    return this.#cgi.values(`magicBox.cgi?action=${action}`, signal);
  }

  async #config(name: string, signal: AbortSignal): Promise<KeyValues | undefined> {
    return this.#cgi.values(`configManager.cgi?action=getConfig&name=${name}`, signal);
  }
}

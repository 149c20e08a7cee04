import { CctvError } from "../../../errors.ts";
import type { CameraDevice, CameraEvent, ChannelStream, DeviceChannel, DeviceDescription } from "../../device.ts";
import type { DeviceAddress, RtspPlace } from "../../device-address.ts";
import { chooseStream, findChannel } from "../../device-channels.ts";
import { CameraHttp, type HttpAnswer } from "../../http/camera-http.ts";
import { eventParts } from "../../http/event-parts.ts";
import { explainStatus } from "../../http/http-failure.ts";
import { isDenied } from "../../http/whole-answer.ts";
import { textOf, type XmlElement } from "../../xml.ts";
import { alertEvents } from "./alert-stream.ts";
import { readChannels, readRtspPort, readStream, streamId } from "./channels.ts";
import { Isapi, isapiPath } from "./isapi.ts";
import { IsapiPtz } from "./ptz.ts";

export interface HikvisionDeviceOptions {
  /** How long events may be silent, milliseconds; 30 s by default. */
  readonly quietMs?: number;
}

/** A camera or recorder that speaks ISAPI. */
export class HikvisionDevice implements CameraDevice {
  readonly ptz: IsapiPtz;
  readonly #address: DeviceAddress;
  readonly #options: HikvisionDeviceOptions;
  readonly #http: CameraHttp;
  readonly #isapi: Isapi;

  constructor(address: DeviceAddress, options: HikvisionDeviceOptions = {}) {
    this.#address = address;
    this.#options = options;
    this.#http = new CameraHttp(address);
    this.#isapi = new Isapi(this.#http, address.display);
    this.ptz = new IsapiPtz(this.#isapi, address.channel, address.display);
  }

  async describe(signal: AbortSignal): Promise<DeviceDescription> {
    const info = await this.#isapi.deviceInfo(signal);
    const channels = await this.#channels(signal);
    const own = channels.find(({ channel }) => channel === this.#address.channel);
    const streams = own ? await this.#streams(own, signal) : [];
    return {
      brand: "Hikvision",
      ...readDeviceInfo(info),
      channels: channels.map((channel) => (channel === own ? { ...channel, streams } : channel)),
    };
  }

  async snapshot(signal: AbortSignal): Promise<Buffer> {
    const id = streamId(this.#address.channel, "main");
    let refusal: HttpAnswer | undefined;
    for (const streams of ["Streaming", "ContentMgmt/StreamingProxy"]) {
      const answer = await this.#isapi.picture(`${streams}/channels/${id}/picture`, signal);
      if (Buffer.isBuffer(answer)) return answer;
      refusal ??= answer;
    }
    const { channel, display } = this.#address;
    findChannel(await this.#channels(signal), channel, display);
    if (refusal && refusal.status >= 400 && !isDenied(refusal)) {
      throw explainStatus(refusal.status, refusal.headers, display);
    }
    throw new CctvError(
      "CAMERA_UNSUPPORTED",
      `${display} gives this user no snapshot of channel ${channel}; give the account the right to view it, or take a picture of the stream`,
    );
  }

  async *events(signal: AbortSignal): AsyncGenerator<CameraEvent, void> {
    const open = (until: AbortSignal) =>
      eventParts(this.#http, isapiPath("Event/notification/alertStream"), {
        signal: until,
        where: this.#address.display,
        checkLogin: () => this.#isapi.deviceInfo(until),
        quietMs: this.#options.quietMs,
      });
    yield* alertEvents(open, signal);
  }

  /**
   * Where the wanted pictures are, as far as the account may know: else where they are on most devices.
   * @throws CctvError CAMERA_NOT_FOUND where there is no such channel, and as `CameraHttp.get`.
   */
  async rtspPlace(signal: AbortSignal): Promise<RtspPlace> {
    await this.#isapi.deviceInfo(signal);
    const { channel, display, stream } = this.#address;
    const found = findChannel(await this.#channels(signal), channel, display);
    const chosen = chooseStream(await this.#streams(found, signal), stream);
    const port = readRtspPort(await this.#isapi.document("Security/adminAccesses", signal));
    return { port, path: `/Streaming/Channels/${streamId(channel, chosen)}` };
  }

  async close(): Promise<void> {
    await this.ptz.close();
    await this.#http.close();
  }

  async #channels(signal: AbortSignal): Promise<DeviceChannel[]> {
    const streaming = await this.#isapi.document("Streaming/channels", signal);
    const inputs = await this.#isapi.document("System/Video/inputs/channels", signal);
    const proxies = await this.#isapi.document("ContentMgmt/InputProxy/channels", signal);
    const hasProxies = proxies !== undefined && proxies.children.length > 0;
    const proxyStatus = hasProxies
      ? await this.#isapi.document("ContentMgmt/InputProxy/channels/status", signal)
      : undefined;
    return readChannels({ streaming, inputs, proxies, proxyStatus });
  }

  /** Many recorders have no list of all streams, but tell of each. */
  async #streams({ channel, streams }: DeviceChannel, signal: AbortSignal): Promise<readonly ChannelStream[]> {
    if (streams.length > 0) return streams;
    const asked: ChannelStream[] = [];
    for (const stream of ["main", "sub"] as const) {
      const document = await this.#isapi.document(`Streaming/channels/${streamId(channel, stream)}`, signal);
      const found = readStream(document);
      if (found) asked.push(found);
    }
    return asked;
  }
}

function readDeviceInfo(info: XmlElement | undefined): Omit<DeviceDescription, "channels" | "brand"> {
  const model = textOf(info, "model");
  const firmware = [textOf(info, "firmwareVersion"), textOf(info, "firmwareReleasedDate")].filter(Boolean).join(" ");
  const serial = textOf(info, "serialNumber");
  const name = textOf(info, "deviceName");
  return {
    ...(model !== undefined && { model }),
    ...(firmware !== "" && { firmware }),
    ...(serial !== undefined && { serial }),
    ...(name !== undefined && { name }),
  };
}

import { CctvError } from "../../../errors.ts";
import { untilAborted } from "../../../until-aborted.ts";
import type { CameraDevice, CameraEvent, ChannelStream, DeviceChannel, DeviceDescription, Ptz } from "../../device.ts";
import { explainStatus } from "../../http/http-failure.ts";
import { startsAsJpeg } from "../../http/jpeg-scanner.ts";
import type { CameraConfig } from "../protocol.ts";
import { EventFeed } from "./event-feed.ts";
import { parseOnvifAddress } from "./onvif-address.ts";
import { OnvifSession } from "./onvif-session.ts";
import type { MediaProfile } from "./profile.ts";
import { chooseProfile } from "./profile-choice.ts";
import { OnvifPtz } from "./ptz.ts";
import { SoapFault } from "./soap-fault.ts";

const MOST_PICTURE_BYTES = 8 * 1024 * 1024;

/** Everything of an ONVIF camera but its stream. */
export class OnvifDevice implements CameraDevice {
  readonly ptz: Ptz;
  readonly #config: CameraConfig;
  readonly #now: () => number;
  readonly #closing = new AbortController();
  readonly #feeds = new Set<EventFeed>();
  #opening: Promise<OnvifSession> | undefined;

  constructor(config: CameraConfig, now: () => number) {
    this.#config = config;
    this.#now = now;
    this.ptz = new OnvifPtz((signal) => this.#session(signal));
  }

  async describe(signal: AbortSignal): Promise<DeviceDescription> {
    const session = await this.#session(signal);
    const { manufacturer, model, firmware, serial } = await session.information(signal);
    const { name } = await session.scopes(signal);
    return {
      ...(manufacturer && { brand: manufacturer }),
      ...(model && { model }),
      ...(firmware && { firmware }),
      ...(serial && { serial }),
      ...(name && { name }),
      channels: session.channels.map(describeChannel),
    };
  }

  async snapshot(signal: AbortSignal): Promise<Buffer> {
    const session = await this.#session(signal);
    const target = session.addresses.http(await snapshotUri(session, signal));
    if (!target) {
      throw new CctvError(
        "CAMERA_UNSUPPORTED",
        "the camera offers no snapshot by ONVIF; take the picture from its stream",
      );
    }
    const where = session.client.where(target);
    const { status, headers, body } = await session.client.download(target, MOST_PICTURE_BYTES, signal);
    if (status < 200 || status > 299) throw explainStatus(status, headers, where);
    if (startsAsJpeg(body)) return body;
    throw new CctvError(
      "CAMERA_NOT_FOUND",
      `${where} sends something that is no JPEG; take the picture from the stream`,
    );
  }

  /** What concerns the configured channel, where there is one, and what concerns none. */
  async *events(signal: AbortSignal): AsyncGenerator<CameraEvent, void> {
    const session = await this.#session(signal);
    const { channel: wanted } = parseOnvifAddress(this.#config);
    const feed = new EventFeed(session, this.#now);
    this.#feeds.add(feed);
    try {
      for await (const event of feed.events(signal)) {
        if (wanted === undefined || event.channel === undefined || event.channel === wanted) yield event;
      }
    } finally {
      this.#feeds.delete(feed);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new CctvError("STREAM_LOST", "the connection to the camera was closed"));
    await Promise.all([...this.#feeds].map((feed) => feed.close()));
    const session = await this.#opening?.catch(() => undefined);
    await session?.close();
  }

  /** Logs in once for all; a refused login is not tried again, anything else is with the next call. */
  async #session(signal: AbortSignal): Promise<OnvifSession> {
    signal.throwIfAborted();
    this.#closing.signal.throwIfAborted();
    const opening = this.#opening ?? this.#open();
    this.#opening = opening;
    const session = await untilAborted(opening, signal);
    this.#closing.signal.throwIfAborted();
    return session;
  }

  async #open(): Promise<OnvifSession> {
    const rejectUnauthorized = this.#config.certificate !== "any";
    try {
      const address = parseOnvifAddress(this.#config);
      return await OnvifSession.open(address, { rejectUnauthorized, now: this.#now }, this.#closing.signal);
    } catch (error) {
      const isRefused =
        error instanceof CctvError && (error.code === "CAMERA_AUTH_FAILED" || error.code === "CAMERA_LOCKED");
      if (!isRefused) this.#opening = undefined;
      throw error;
    }
  }
}

function describeChannel(profiles: readonly MediaProfile[], index: number): DeviceChannel {
  const main = chooseProfile(profiles, { stream: "main" });
  const sub = chooseProfile(profiles);
  const name = main?.name;
  return {
    channel: index + 1,
    ...(profiles.length === 1 && name && { name }),
    streams: [
      ...(main ? [describeStream("main", main)] : []),
      ...(sub && sub !== main ? [describeStream("sub", sub)] : []),
    ],
  };
}

function describeStream(stream: "main" | "sub", { encoding, width, height, fps }: MediaProfile): ChannelStream {
  return {
    stream,
    ...(encoding && { codec: encoding }),
    ...(width && height && { width, height }),
    ...(fps && { fps }),
  };
}

/** Some cameras take pictures of one of their profiles only: the largest is asked first. */
async function snapshotUri(session: OnvifSession, signal: AbortSignal): Promise<string | undefined> {
  const profiles = session.profiles();
  const wishes = [chooseProfile(profiles, { stream: "main" }), chooseProfile(profiles)];
  let fault: SoapFault | undefined;
  for (const { token } of new Set(wishes.filter((profile) => profile !== undefined))) {
    try {
      const uri = await session.media.snapshotUri(token, signal);
      if (uri) return uri;
    } catch (error) {
      if (!(error instanceof SoapFault)) throw error;
      fault = error;
    }
  }
  if (fault) throw fault;
  return undefined;
}

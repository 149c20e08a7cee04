import type { ChannelStream, DeviceChannel } from "../../device.ts";
import { childOf, childrenOf, textOf, type XmlElement } from "../../xml.ts";

/** What a device tells of its channels: cameras the first, recorders the second, analog recorders the third. */
export interface ChannelDocuments {
  /** `Streaming/channels` */
  readonly streaming?: XmlElement | undefined;
  /** `ContentMgmt/InputProxy/channels` */
  readonly proxies?: XmlElement | undefined;
  /** `ContentMgmt/InputProxy/channels/status` */
  readonly proxyStatus?: XmlElement | undefined;
  /** `System/Video/inputs/channels` */
  readonly inputs?: XmlElement | undefined;
}

/** A stream's id is its channel's number times this, and 1 for the main stream, 2 for the sub-stream. */
const STREAMS_PER_CHANNEL = 100;
const STREAM_NUMBERS = { main: 1, sub: 2 } as const;
const DEFAULT_RTSP_PORT = 554;

interface Source {
  readonly channel: number;
  readonly name?: string;
  readonly online?: boolean;
}

export function streamId(channel: number, stream: "main" | "sub"): number {
  return channel * STREAMS_PER_CHANNEL + STREAM_NUMBERS[stream];
}

/** Puts together what the documents tell; a device that tells nothing has no channels here. */
export function readChannels({ streaming, proxies, proxyStatus, inputs }: ChannelDocuments): DeviceChannel[] {
  const streams = streamsByChannel(streaming);
  const analog = readInputs(inputs);
  const network = numbered(readProxies(proxies, proxyStatus), analog, streams);
  const sources = new Map([...analog, ...network].map((source) => [source.channel, source]));
  // A recorder also streams inputs to which nothing is connected; a camera's list of streams is all there is.
  if (network.length === 0) {
    for (const [channel, { name }] of streams) {
      if (!sources.has(channel)) sources.set(channel, { channel, ...(name !== undefined && { name }) });
    }
  }
  return [...sources.values()]
    .sort((a, b) => a.channel - b.channel)
    .map((source) => ({ ...source, streams: streams.get(source.channel)?.streams ?? [] }));
}

/** Reads a `StreamingChannel`; undefined for one that is off, and for third streams. */
export function readStream(element: XmlElement | undefined): ChannelStream | undefined {
  const number = Number(textOf(element, "id")) % STREAMS_PER_CHANNEL;
  const stream = (["main", "sub"] as const).find((name) => STREAM_NUMBERS[name] === number);
  if (!stream || textOf(element, "enabled") === "false") return undefined;
  const video = childOf(element, "Video");
  const codec = textOf(video, "videoCodecType");
  const width = positive(textOf(video, "videoResolutionWidth"));
  const height = positive(textOf(video, "videoResolutionHeight"));
  // In hundredths; 0 means as many as the input has.
  const fps = positive(textOf(video, "maxFrameRate"));
  return {
    stream,
    ...(codec !== undefined && { codec }),
    ...(width !== undefined && { width }),
    ...(height !== undefined && { height }),
    ...(fps !== undefined && { fps: fps / 100 }),
  };
}

/** The port that `Security/adminAccesses` names; 554 where it names none or may not be read. */
export function readRtspPort(adminAccesses: XmlElement | undefined): number {
  const rtsp = childrenOf(adminAccesses, "AdminAccessProtocol").find(
    (protocol) => textOf(protocol, "protocol")?.toUpperCase() === "RTSP",
  );
  const port = positive(textOf(rtsp, "portNo"));
  return port !== undefined && port <= 65535 ? port : DEFAULT_RTSP_PORT;
}

function streamsByChannel(streaming: XmlElement | undefined) {
  const channels = new Map<number, { readonly name: string | undefined; readonly streams: ChannelStream[] }>();
  for (const element of childrenOf(streaming, "StreamingChannel")) {
    const id = positive(textOf(element, "id")) ?? 0;
    const channel = Math.floor(id / STREAMS_PER_CHANNEL);
    const stream = readStream(element);
    if (channel < 1 || !stream) continue;
    const typedName = textOf(element, "channelName");
    const known = channels.get(channel) ?? { name: typedName === String(id) ? undefined : typedName, streams: [] };
    known.streams.push(stream);
    channels.set(channel, known);
  }
  return channels;
}

function readInputs(inputs: XmlElement | undefined): Source[] {
  return childrenOf(inputs, "VideoInputChannel")
    .filter((element) => textOf(element, "videoInputEnabled") !== "false")
    .flatMap((element) => {
      const isWithoutVideo = /^no video$/i.test(textOf(element, "resDesc") ?? "");
      return toSource(element, isWithoutVideo ? false : undefined);
    });
}

function readProxies(proxies: XmlElement | undefined, status: XmlElement | undefined): Source[] {
  const online = new Map(
    childrenOf(status, "InputProxyChannelStatus").map((element) => [textOf(element, "id"), textOf(element, "online")]),
  );
  return childrenOf(proxies, "InputProxyChannel").flatMap((element) => {
    const told = online.get(textOf(element, "id"));
    return toSource(element, told === undefined ? undefined : told === "true");
  });
}

function toSource(element: XmlElement, online: boolean | undefined): Source[] {
  const channel = positive(textOf(element, "id"));
  if (channel === undefined) return [];
  const name = textOf(element, "name");
  return [{ channel, ...(name !== undefined && { name }), ...(online !== undefined && { online }) }];
}

/**
 * Network cameras at a hybrid recorder follow its analog inputs. Some count them onwards from the inputs, others
 * from 1 again: then they are moved, unless the list of streams knows none of the numbers that this gives.
 */
function numbered(
  network: readonly Source[],
  analog: readonly Source[],
  streams: ReadonlyMap<number, unknown>,
): readonly Source[] {
  const taken = new Set(analog.map(({ channel }) => channel));
  if (!network.some(({ channel }) => taken.has(channel))) return network;
  const offset = Math.max(...taken);
  const moved = network.map((source) => ({ ...source, channel: source.channel + offset }));
  const isPlausible = streams.size === 0 || moved.some(({ channel }) => streams.has(channel));
  return isPlausible ? moved : network;
}

function positive(text: string | undefined): number | undefined {
  const number = Number(text);
  return text !== undefined && Number.isInteger(number) && number > 0 ? number : undefined;
}

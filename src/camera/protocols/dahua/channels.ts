import type { ChannelStream, DeviceChannel } from "../../device.ts";
import { type KeyValues, rowsOf, textAt } from "./key-values.ts";

/** What a device tells of its channels; recorders alone have the second. Its tables count from 0, channels from 1. */
export interface ChannelTables {
  /** `ChannelTitle` */
  readonly titles?: KeyValues | undefined;
  /** `RemoteDevice` */
  readonly remotes?: KeyValues | undefined;
  /** `Encode` */
  readonly encode?: KeyValues | undefined;
  /** A network recorder has no inputs of its own: what is connected to none of its slots is no channel. */
  readonly isNetworkRecorder: boolean;
}

const TITLE = /^table\.ChannelTitle\[(\d{1,4})\]\.(Name)$/;
const SLOT = /^table\.RemoteDevice\..*NETCAMERA_INFO_(\d{1,4})\.(.+)$/;
const ENCODE = /^table\.Encode\[(\d{1,4})\]\.(.+)$/;
const FORMATS = { main: "MainFormat[0]", sub: "ExtraFormat[0]" } as const;
const RESOLUTION = /^(\d{1,5})x(\d{1,5})$/i;

const EMPTY_SLOT_ADDRESS = "192.168.0.0";
const DEFAULT_RTSP_PORT = 554;

/** Puts together what the tables tell; a device that tells nothing has no channels here. */
export function readChannels({ titles, remotes, encode, isNetworkRecorder }: ChannelTables): DeviceChannel[] {
  const names = rowsOf(titles, TITLE);
  const slots = rowsOf(remotes, SLOT);
  const formats = rowsOf(encode, ENCODE);
  const own = isNetworkRecorder && slots.size > 0 ? [] : [...names.keys(), ...formats.keys()];
  const indexes = new Set([...own.filter((index) => !slots.has(index)), ...connected(slots)]);
  return [...indexes]
    .sort((a, b) => a - b)
    .map((index) => {
      const name = textAt(names.get(index), "Name") ?? textAt(slots.get(index), "VideoInputs[0].Name");
      return {
        channel: index + 1,
        ...(name !== undefined && { name }),
        streams: readStreams(formats.get(index)),
      };
    });
}

/** The port of the `RTSP` table; 554 where it names none or may not be read. */
export function readRtspPort(table: KeyValues | undefined): number {
  const port = positive(textAt(table, "table.RTSP.Port"));
  return port !== undefined && port <= 65535 ? port : DEFAULT_RTSP_PORT;
}

function connected(slots: ReadonlyMap<number, KeyValues>): number[] {
  return [...slots]
    .filter(([, slot]) => {
      const address = textAt(slot, "Address");
      return address !== undefined && address !== EMPTY_SLOT_ADDRESS && textAt(slot, "Enable") !== "false";
    })
    .map(([index]) => index);
}

function readStreams(formats: KeyValues | undefined): ChannelStream[] {
  return (["main", "sub"] as const).flatMap((stream) => {
    const read = (key: string) => textAt(formats, `${FORMATS[stream]}.${key}`);
    const codec = read("Video.Compression");
    const [, typedWidth, typedHeight] = RESOLUTION.exec(read("Video.resolution") ?? "") ?? [];
    const width = positive(read("Video.Width") ?? typedWidth);
    const height = positive(read("Video.Height") ?? typedHeight);
    const fps = Number(read("Video.FPS"));
    if (codec === undefined || read("VideoEnable") === "false") return [];
    return [
      {
        stream,
        codec,
        ...(width !== undefined && { width }),
        ...(height !== undefined && { height }),
        ...(fps > 0 && { fps }),
      },
    ];
  });
}

function positive(text: string | undefined): number | undefined {
  const number = Number(text);
  return text !== undefined && Number.isInteger(number) && number > 0 ? number : undefined;
}

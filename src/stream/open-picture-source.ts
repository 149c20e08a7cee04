import type { PictureInput } from "../camera/protocols/protocol.ts";
import { Decoder } from "./decoder.ts";
import type { Analysis } from "./ffmpeg-arguments.ts";
import { findFfmpeg } from "./ffmpeg-binary.ts";
import { JpegSource } from "./jpeg-source.ts";
import type { CapturedPicture, PictureSource } from "./picture-source.ts";
import { RawSource } from "./raw-source.ts";
import { RtspSource } from "./rtsp-source.ts";

export interface PictureSourceOptions {
  readonly input: PictureInput;
  readonly analysis: Analysis;
  /** Which ffmpeg to use where one is needed; searched for where it is absent. */
  readonly ffmpegPath?: string | undefined;
  readonly onPicture: (picture: CapturedPicture) => void;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** @throws CctvError SETTING_INVALID, FFMPEG_MISSING, FFMPEG_TOO_OLD */
export async function openPictureSource({ ffmpegPath, input, ...rest }: PictureSourceOptions): Promise<PictureSource> {
  switch (input.kind) {
    case "jpeg":
      return new JpegSource({ ...rest, input });
    case "raw":
      return new RawSource({ ...rest, input });
    case "rtsp":
      return new RtspSource({ ...rest, input, ffmpeg: await findFfmpeg({ setting: ffmpegPath }) });
    default:
      return new Decoder({ ...rest, input, ffmpeg: await findFfmpeg({ setting: ffmpegPath }) });
  }
}

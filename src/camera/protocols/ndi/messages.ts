import type { ErrorCode } from "../../../errors.ts";
import type { RawPicture } from "../protocol.ts";

/** What to receive; the first message to the process that runs the NDI runtime. */
export interface NdiOrder {
  readonly platform: string;
  /** Where the runtime may lie, the best place first. */
  readonly places: readonly string[];
  /** Which source, in the words of the address; empty for the only one. */
  readonly wanted: string;
  readonly bandwidth: "lowest" | "highest";
  /** Pictures a second, at most. */
  readonly fps: number;
  /** Pixels of a picture's longer side, at most. */
  readonly longSide: number;
}

export type ToNdiProcess =
  | { readonly type: "open"; readonly order: NdiOrder }
  /** Asks for one picture more. */
  | { readonly type: "next" }
  | { readonly type: "close" };

export type FromNdiProcess =
  | ({ readonly type: "picture" } & RawPicture)
  | { readonly type: "failed"; readonly code: ErrorCode; readonly message: string };

import sharp from "sharp";
import { recogniseBrand } from "../camera/brands/brands.ts";
import type { DeviceDescription } from "../camera/device.ts";
import { type LoginGuard, loginGuard, loginKey } from "../camera/login-guard.ts";
import type { CameraConfig, PictureInput, Protocol, ProtocolFinder } from "../camera/protocols/protocol.ts";
import { protocols } from "../camera/protocols/registry.ts";
import { CctvError } from "../errors.ts";
import { type BriefLook, lookBriefly } from "./brief-look.ts";
import type { CapturedPicture, SourceFacts } from "./picture-source.ts";
import { reach } from "./reachability.ts";
import { isRefusal } from "./refusal.ts";

export interface CameraTestOptions extends CameraConfig {
  readonly longSide: number;
  readonly ffmpegPath?: string | undefined;
  readonly registry?: ProtocolFinder;
  readonly logins?: LoginGuard;
  /** For all of it, milliseconds; 9 s by default. */
  readonly limitMs?: number;
}

/** What a camera turned out to be. */
export interface CameraTestReport {
  /** The first picture, a JPEG. */
  readonly picture: Buffer;
  /** Where it came from, without credentials. */
  readonly source: string;
  /** What the camera sends. */
  readonly video: {
    /** In lower case as ffmpeg names it; absent where nobody tells. */
    readonly codec?: string;
    /** Pixels. */
    readonly width: number;
    readonly height: number;
    /** Frames a second, as the camera says or as they were counted. */
    readonly fps: number;
  };
  /** What the camera says of itself, as far as it does. */
  readonly device: Partial<DeviceDescription>;
  /** From opening the stream to the first picture, milliseconds. */
  readonly firstPictureMs: number;
}

const LIMIT_MS = 9_000;
const COUNT_MS = 1_500;
/** A camera that shows pictures but is slow to say what it is keeps nobody waiting. */
const DESCRIPTION_MS = 2_500;

/**
 * Connects to a camera once, looks at its pictures and asks what it is; nothing of it stays. A wrong
 * password costs one login: questions are asked only after a picture has come.
 *
 * @throws CctvError with a code and a sentence for the user, within the limit.
 */
export async function testCamera(options: CameraTestOptions): Promise<CameraTestReport> {
  const { limitMs = LIMIT_MS, logins = loginGuard } = options;
  const limit = AbortSignal.timeout(limitMs);
  const progress: Progress = { reached: false };
  const key = loginKey(options.address, options);
  // Whoever presses the button wants it tried now.
  logins.forgive(key);
  try {
    const login = await logins.enter(key, limit);
    try {
      const protocol = (options.registry ?? protocols).forAddress(options.address);
      const look = await open(protocol, options, progress, limit);
      login.accepted();
      return await report(look, progress.input, await describe(protocol, options, limit));
    } catch (error) {
      if (isRefusal(error)) login.refused(error);
      throw error;
    } finally {
      login.leave();
    }
  } catch (error) {
    throw limit.aborted && !(error instanceof CctvError) ? outOfTime(progress, limitMs) : error;
  }
}

/** How far a test has come. */
interface Progress {
  input?: PictureInput;
  reached: boolean;
}

async function open(
  protocol: Protocol,
  options: CameraTestOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<BriefLook> {
  const input = await protocol.resolve(options, signal);
  progress.input = input;
  // RTSP is spoken by ourselves, and says by itself whether there is anybody.
  if (input.endpoint && input.kind !== "rtsp") await reach(input.endpoint, signal);
  progress.reached = true;
  const { longSide, ffmpegPath } = options;
  return lookBriefly({ input, longSide, ffmpegPath, countMs: COUNT_MS }, signal);
}

/** Empty where the camera cannot or will not tell: its pictures are what counts. */
async function describe(
  protocol: Protocol,
  config: CameraConfig,
  limit: AbortSignal,
): Promise<Partial<DeviceDescription>> {
  const device = protocol.device?.(config);
  if (!device) return {};
  try {
    return await device.describe(AbortSignal.any([limit, AbortSignal.timeout(DESCRIPTION_MS)]));
  } catch {
    return {};
  } finally {
    await device.close();
  }
}

async function report(
  { first, firstPictureMs, picturesPerSecond, facts }: BriefLook,
  input: PictureInput | undefined,
  described: Partial<DeviceDescription>,
): Promise<CameraTestReport> {
  const brand = described.brand ?? brandOf(facts, input);
  return {
    picture: await jpegOf(first),
    source: input?.display ?? "",
    video: {
      ...(facts.codec !== undefined && { codec: facts.codec }),
      width: facts.width ?? first.width,
      height: facts.height ?? first.height,
      fps: Math.round((facts.fps ?? picturesPerSecond) * 10) / 10,
    },
    device: { ...described, ...(brand !== undefined && { brand }) },
    firstPictureMs,
  };
}

function brandOf({ server, realm }: SourceFacts, input: PictureInput | undefined): string | undefined {
  const traits =
    input?.kind === "rtsp" ? { rtspServer: server, rtspRealm: realm } : { httpServer: server, httpRealm: realm };
  return recogniseBrand(traits)?.label;
}

async function jpegOf({ jpeg, data, width, height }: CapturedPicture): Promise<Buffer> {
  return (
    jpeg ??
    sharp(data, { raw: { width, height, channels: 3 } })
      .jpeg()
      .toBuffer()
  );
}

function outOfTime({ input, reached }: Progress, limitMs: number): CctvError {
  const where = input?.display ?? "the camera";
  const seconds = Math.round(limitMs / 1000);
  if (input?.endpoint && !reached) {
    return new CctvError(
      "CAMERA_UNREACHABLE",
      `${where} does not take a connection within ${seconds} s; check the cable, the address and the network`,
    );
  }
  return new CctvError(
    "CAMERA_STALLED",
    `${where} takes the connection but has shown no picture within ${seconds} s; check the address and the channel, and restart the camera if it stays`,
  );
}

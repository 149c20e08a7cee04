/** The script of the process that runs the NDI runtime; `ndi-receiver.ts` is its owner. */
import sharp from "sharp";
import { asCctvError, CctvError } from "../../../errors.ts";
import type { RawPicture } from "../protocol.ts";
import type { FromNdiProcess, NdiOrder, ToNdiProcess } from "./messages.ts";
import { NdiRuntime } from "./ndi-runtime.ts";
import { type NdiPicture, reducedSize, toPackedRgb } from "./packed-rgb.ts";
import { chooseSource, explainNoChoice, machineToAsk, type NdiSource } from "./source-choice.ts";

const CAPTURE_MS = 100;
/** No new source for so long, and all that are there have been heard of. */
const SETTLED_MS = 1_000;
const FIND_MS = 5_000;

/** What the owner wants at this moment. */
class Demand {
  isClosing = false;
  #wantsPicture = false;
  #lastSlot: number | undefined;
  readonly #fps: number;

  constructor(fps: number) {
    this.#fps = fps;
  }

  ask(): void {
    this.#wantsPicture = true;
  }

  /** Whether the frame that is there now is to be sent; the first of each 1/fps of a second. */
  take(): boolean {
    const slot = Math.floor((Date.now() * this.#fps) / 1000);
    if (!this.#wantsPicture || slot === this.#lastSlot) return false;
    this.#lastSlot = slot;
    this.#wantsPicture = false;
    return true;
  }
}

function serve(): void {
  let demand: Demand | undefined;
  const close = () => {
    if (demand) demand.isClosing = true;
    else process.exit();
  };
  process.on("disconnect", close);
  process.on("message", (message: ToNdiProcess) => {
    if (message.type === "close") close();
    else if (message.type === "next") demand?.ask();
    else if (!demand) {
      demand = new Demand(message.order.fps);
      void receive(message.order, demand);
    }
  });
}

async function receive(order: NdiOrder, demand: Demand): Promise<void> {
  sharp.concurrency(1);
  try {
    const runtime = await NdiRuntime.load(order);
    try {
      const source = await findSource(runtime, order.wanted, demand);
      if (source) await passOn(runtime, source, order, demand);
    } finally {
      runtime.close();
    }
  } catch (error) {
    const { code, message } = asCctvError(error, "STREAM_LOST");
    await tell({ type: "failed", code, message });
  }
  process.exit();
}

/** Undefined where it was closed meanwhile. */
async function findSource(runtime: NdiRuntime, wanted: string, demand: Demand): Promise<NdiSource | undefined> {
  const finder = runtime.find(machineToAsk(wanted));
  try {
    const giveUpAt = performance.now() + FIND_MS;
    while (!demand.isClosing) {
      const sources = finder.sources();
      const choice = chooseSource(wanted, sources);
      if (choice.kind === "found" && choice.certain) return choice.source;
      const hasChanged = await finder.waitForChange(SETTLED_MS);
      if (!hasChanged && choice.kind === "found") return choice.source;
      if ((!hasChanged && choice.kind === "several") || performance.now() > giveUpAt) {
        throw explainNoChoice(wanted, choice, sources);
      }
    }
    return undefined;
  } finally {
    finder.close();
  }
}

async function passOn(runtime: NdiRuntime, source: NdiSource, order: NdiOrder, demand: Demand): Promise<void> {
  const receiver = runtime.receive(source, order.bandwidth);
  let sending = Promise.resolve();
  let failure: unknown;
  let hadPictures = false;
  try {
    while (!demand.isClosing && failure === undefined) {
      const capture = await receiver.capture(CAPTURE_MS, () => {
        hadPictures = true;
        return demand.take();
      });
      const isLost = capture.kind === "lost" || (capture.kind === "nothing" && hadPictures && !receiver.isConnected());
      if (isLost) {
        throw new CctvError("STREAM_LOST", `the NDI source "${source.name}" is gone; it is looked for again`);
      }
      if (capture.kind !== "picture") continue;
      // Frames are taken and given back meanwhile, so that none grows old in the runtime.
      sending = send(capture.picture, order.longSide).catch((error) => {
        failure = error;
      });
    }
    await sending;
    if (failure !== undefined) throw failure;
  } finally {
    await sending;
    receiver.close();
  }
}

async function send(picture: NdiPicture, longSide: number): Promise<void> {
  await tell({ type: "picture", ...(await reduce(picture, longSide)) });
}

async function reduce(picture: NdiPicture, longSide: number): Promise<RawPicture> {
  const { width, height } = picture;
  const data = toPackedRgb(picture);
  const size = reducedSize(picture, longSide);
  if (size.width === width && size.height === height) return { data, ...size };
  const image = sharp(data, { raw: { width, height, channels: 3 } });
  return {
    data: await image
      .resize({ ...size, fit: "fill" })
      .raw()
      .toBuffer(),
    ...size,
  };
}

/** Resolves when the message is on its way; an owner that is gone needs none. */
function tell(message: FromNdiProcess): Promise<void> {
  return new Promise((resolve) => {
    if (!process.send || !process.connected) return resolve();
    process.send(message, undefined, undefined, () => resolve());
  });
}

if (process.send) serve();

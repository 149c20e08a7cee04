import type { Frame } from "../frame/frame.ts";
import type { FleetControl, LiveResponse } from "./context.ts";

const BOUNDARY = "frame";
/** A client that takes nothing for so long has gone without a word. */
const STUCK_MS = 30_000;

/**
 * Sends a camera's pictures as `multipart/x-mixed-replace` until the client leaves, the camera is removed or the
 * signal aborts. A client that is slow gets fewer of them: at most one waits for it.
 *
 * @throws CctvError CAMERA_UNKNOWN, RATE_LIMITED where too many watch already; nothing was sent then.
 */
export async function playLivePictures(
  { fleet, cameraId, stuckMs = STUCK_MS }: { fleet: FleetControl; cameraId: string; stuckMs?: number },
  response: LiveResponse,
  signal: AbortSignal,
): Promise<void> {
  const viewer = new Viewer(response, stuckMs);
  const end = () => viewer.end();
  const removed = (id: string) => {
    if (id === cameraId) viewer.end();
  };
  const stopWatching = fleet.watch(cameraId, (frame) => viewer.show(frame));
  fleet.on("removed", removed);
  signal.addEventListener("abort", end, { once: true });
  try {
    viewer.begin();
    if (signal.aborted) viewer.end();
    await viewer.left;
  } finally {
    stopWatching();
    fleet.off("removed", removed);
    signal.removeEventListener("abort", end);
  }
}

/** One who watches. */
class Viewer {
  /** Fulfils when there is nobody any more. */
  readonly left: Promise<void>;
  readonly #response: LiveResponse;
  readonly #stuckMs: number;
  #isEncoding = false;
  #stuck: NodeJS.Timeout | undefined;

  constructor(response: LiveResponse, stuckMs: number) {
    this.#response = response;
    this.#stuckMs = stuckMs;
    this.left = new Promise((resolve) => {
      const leave = () => {
        clearTimeout(this.#stuck);
        resolve();
      };
      response.on("close", leave);
      if (response.destroyed) leave();
    });
    response.on("error", () => response.destroy());
    response.on("drain", () => clearTimeout(this.#stuck));
  }

  begin(): void {
    this.#response.writeHead(200, {
      "content-type": `multipart/x-mixed-replace; boundary=${BOUNDARY}`,
      "cache-control": "no-store",
      connection: "close",
      // Proxies such as nginx would gather pictures before they pass them on.
      "x-accel-buffering": "no",
    });
    this.#response.write(Buffer.from(`--${BOUNDARY}\r\n`));
  }

  /** Takes a frame, or drops it while the last one is still on its way. */
  show(frame: Frame): void {
    if (this.#isEncoding || this.#response.writableNeedDrain) return;
    this.#isEncoding = true;
    void frame
      .jpeg()
      .then(
        (jpeg) => this.#send(jpeg),
        // The next frame may do; a camera whose frames all fail shows it in its status.
        () => undefined,
      )
      .finally(() => {
        this.#isEncoding = false;
      });
  }

  end(): void {
    // A client that is behind may never take the rest.
    if (this.#response.writableNeedDrain) this.#response.destroy();
    else if (!this.#response.writableEnded) this.#response.end();
  }

  #send(jpeg: Buffer): void {
    if (this.#response.writableEnded || this.#response.destroyed) return;
    // Browsers show a picture when they see the boundary after it.
    const head = `Content-Type: image/jpeg\r\nContent-Length: ${jpeg.length}\r\n\r\n`;
    const isTaken = this.#response.write(
      Buffer.concat([Buffer.from(head), jpeg, Buffer.from(`\r\n--${BOUNDARY}\r\n`)]),
    );
    if (!isTaken) this.#stuck = setTimeout(() => this.#response.destroy(), this.#stuckMs);
  }
}

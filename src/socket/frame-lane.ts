import type { LivePicture } from "./camera-source.ts";

/** The connection to one client. */
export interface Line {
  /** Whether everything sent before has left this process, and the client can take more. */
  isFree(): boolean;
  send(cameraId: string, jpeg: Buffer, timestamp: number): void;
}

/**
 * The live pictures on their way to one client: at most one that is being sent, and the newest of each
 * camera behind it. A picture is encoded only once the line is free, so a client that does not read costs nothing.
 * Cameras take turns: one whose newest picture waits keeps its place.
 */
export class FrameLane {
  readonly #line: Line;
  readonly #onFailure: (error: unknown) => void;
  readonly #waiting = new Map<string, LivePicture>();
  #encoding = false;
  #closed = false;

  /** @param onFailure hears of pictures that could not be encoded; they are left out. */
  constructor(line: Line, onFailure: (error: unknown) => void) {
    this.#line = line;
    this.#onFailure = onFailure;
  }

  /** Takes the place of the camera's last picture, where that still waits. */
  offer(cameraId: string, picture: LivePicture): void {
    if (this.#closed) return;
    this.#waiting.set(cameraId, picture);
    this.advance();
  }

  /** The client no longer watches this camera. */
  forget(cameraId: string): void {
    this.#waiting.delete(cameraId);
  }

  /** Sends the next picture where the line is free; to be called whenever it becomes so. */
  advance(): void {
    if (this.#encoding || !this.#line.isFree()) return;
    const [next] = this.#waiting;
    if (!next) return;
    this.#encoding = true;
    void this.#send(...next);
  }

  close(): void {
    this.#closed = true;
    this.#waiting.clear();
  }

  async #send(cameraId: string, picture: LivePicture): Promise<void> {
    try {
      const jpeg = await picture.jpeg();
      // It stays in the map while it is encoded, so that forgetting the camera forgets this picture too.
      if (this.#waiting.has(cameraId)) this.#line.send(cameraId, jpeg, picture.timestamp);
    } catch (error) {
      this.#onFailure(error);
    }
    if (this.#waiting.get(cameraId) === picture) this.#waiting.delete(cameraId);
    else this.#moveBack(cameraId);
    this.#encoding = false;
    this.advance();
  }

  /** A newer picture came meanwhile; this camera has had its turn. */
  #moveBack(cameraId: string): void {
    const newer = this.#waiting.get(cameraId);
    if (!newer) return;
    this.#waiting.delete(cameraId);
    this.#waiting.set(cameraId, newer);
  }
}

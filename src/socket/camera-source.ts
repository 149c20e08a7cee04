/** One picture of a camera; a `Frame` is one. */
export interface LivePicture {
  /** When it was captured, epoch milliseconds. */
  readonly timestamp: number;
  /** Encoded at the first call and remembered, so that many watchers cost one encoding. */
  jpeg(): Promise<Buffer>;
}

/** Where a socket server gets its cameras from. */
export interface CameraSource {
  /** All cameras by their ids, as clients get to see them: without passwords. */
  list(): Promise<Readonly<Record<string, object>>>;
  /**
   * Calls the listener with each picture of a camera from now on.
   * @returns ends it.
   */
  watch(cameraId: string, listener: (picture: LivePicture) => void): () => void;
  /**
   * Calls the listener with the id of each camera that is taken out of the list; watching it has ended then.
   * @returns ends it.
   */
  onRemoved(listener: (cameraId: string) => void): () => void;
}

/** Knows cameras by more than their address, and so finds them again at another one. */
export interface AddressFinder {
  /** Notes who is at a host; called while the camera there gives pictures. */
  remember(host: string): Promise<void>;
  /** @returns the host at which the camera is now that was at this one; undefined where nobody can tell. */
  find(host: string, signal: AbortSignal): Promise<string | undefined>;
}

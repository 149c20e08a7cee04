import { setTimeout as sleep } from "node:timers/promises";
import type { CctvError } from "../errors.ts";
import { CameraStore, type CameraStoreOptions } from "./camera-store.ts";
import { isPassing, storeFailure } from "./store-failure.ts";

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

/** The pause after so many failures in a row, from 1; milliseconds. */
export function pauseBeforeOpening(failures: number): number {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - 1));
}

export interface PatientOpening {
  readonly signal: AbortSignal;
  /** Told of each failure that trying again may mend. */
  readonly onWait: (failure: CctvError) => void;
}

/**
 * Opens the store as soon as its database is there: after a power cut Node-RED often runs before the database
 * server does.
 * @throws CctvError what trying again does not mend; the signal's reason when it aborts.
 */
export async function openStoreWhenThere(
  options: CameraStoreOptions,
  { signal, onWait }: PatientOpening,
): Promise<CameraStore> {
  for (let failures = 1; ; failures++) {
    signal.throwIfAborted();
    try {
      return await CameraStore.open(options);
    } catch (error) {
      if (!isPassing(error)) throw error;
      onWait(storeFailure(error));
    }
    await sleep(pauseBeforeOpening(failures), undefined, { signal }).catch(() => undefined);
  }
}

const KEY = Symbol.for("cctv.test-servers");

/** Whether each server that tests run against is on this machine, by its name; the reporter prints it. */
const inventory: Map<string, boolean> =
  ((globalThis as Record<symbol, unknown>)[KEY] as Map<string, boolean>) ?? new Map();
(globalThis as Record<symbol, unknown>)[KEY] = inventory;

/** @returns whether it is here */
export function noteServer(name: string, isHere: boolean): boolean {
  inventory.set(name, isHere);
  return isHere;
}

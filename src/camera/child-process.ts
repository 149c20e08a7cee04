import type { ChildProcess } from "node:child_process";

const running = new Set<ChildProcess>();

function killAll(): void {
  for (const child of running) child.kill("SIGKILL");
}

/** No child outlives this process, unless this process is killed; then the child's pipes break. */
export function killWithUs(child: ChildProcess): void {
  if (child.pid === undefined) return;
  if (running.size === 0) process.on("exit", killAll);
  running.add(child);
  child.once("exit", () => {
    running.delete(child);
    if (running.size === 0) process.off("exit", killAll);
  });
}

/** Asks a child to end, kills it when it has not done so after a while, and waits until it is gone. */
export async function endChild(child: ChildProcess, ask: () => void, graceMs: number): Promise<void> {
  if (child.pid === undefined || hasExited(child)) return;
  await new Promise<void>((resolve) => {
    const kill = setTimeout(() => child.kill("SIGKILL"), graceMs);
    child.once("exit", () => {
      clearTimeout(kill);
      resolve();
    });
    ask();
  });
}

function hasExited({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

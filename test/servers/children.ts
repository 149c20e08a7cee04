import { readdirSync, readFileSync } from "node:fs";

/** The command lines of this process's children that hold a text; none where the system does not tell. */
export function childrenOf(text: string): string[] {
  if (process.platform !== "linux") return [];
  const pids = readdirSync(`/proc/${process.pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${process.pid}/task/${task}/children`, "utf8").split(" ").filter(Boolean),
  );
  return pids.flatMap((pid) => {
    try {
      const commandLine = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
      return commandLine.includes(text) ? [commandLine] : [];
    } catch {
      return [];
    }
  });
}
